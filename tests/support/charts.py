"""A Helm repository on this machine, with the charts that stand in for Istio's, in as many versions as one asks for."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.support.recipes import CHARTS


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def repository(folder: Path, *versions: str) -> Iterator[str]:
    """Serve the charts; yields the repository's URL."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for chart in sorted(path.name for path in CHARTS.iterdir()):
        for version in versions:
            described = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
            described |= {"version": version, "appVersion": version}
            archive = f"{chart}-{version}.tgz"
            _pack(CHARTS / chart, described, folder / archive)
            entries.setdefault(chart, []).append({**described, "urls": [archive]})
    (folder / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": entries}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _pack(chart: Path, described: dict[str, Any], archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as packed:
        for path in sorted(chart.rglob("*")):
            if path.is_file() and path.name != "Chart.yaml":
                packed.add(path, f"{chart.name}/{path.relative_to(chart)}")
        text = yaml.safe_dump(described).encode()
        entry = tarfile.TarInfo(f"{chart.name}/Chart.yaml")
        entry.size = len(text)
        packed.addfile(entry, io.BytesIO(text))
