"""The picture as one HTML page that needs nothing else: no network, no server, no library.

`parts.py` writes what is there without a script, with `tiles.py` (the map; `place.py` tells where clusters are) and
`tables.py`; `data.py` says what the script has to know. `page.css` and `page.js` are put into the page as they are.

A policy in the page forbids every request, and every script but the one whose hash it names.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib import resources

from meshctl.graph import words
from meshctl.graph.page import data, parts
from meshctl.graph.scene import Scene


def write(scene: Scene) -> str:
    """The whole page. The same scene gives the same text."""
    files = resources.files(__name__)
    style, script = (files.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    )
    # "<" never stands in the data: whatever a name is, it cannot end the element.
    known = json.dumps(data.data(scene), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    title = escape(words.title(scene.graph))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body data-source="{scene.source}">
{parts.body(scene)}
<script type="application/json" id="data">{known}</script>
<script>{script}</script>
</body>
</html>
"""
