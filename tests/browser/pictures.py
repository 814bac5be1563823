"""Pictures of the page of `mesh graph` for the documentation: `make pictures`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from meshctl.graph.scene import Scene
from tests.support import pages
from tests.support.browser import Visit, launched

CHOSEN = {2: 0, 5: 2, 20: 6, 100: 12}
"""Clusters to the one that is clicked in the picture."""
HIGH = {2: 560, 5: 900, 20: 1000, 100: 1000}


def changed() -> Scene:
    """Five clusters of which one comes, one goes, one changes."""
    before = pages.scene(pages.document(5))
    parts = before.owned()
    states = {"europe-west1-b": ("create", "14 to create"), "eu-de-a": ("update", "1 to create, 2 to update")}
    for name, (state, note) in states.items():
        parts[name, ""] = replace(parts[name, ""], state=state, note=note)  # type: ignore[arg-type]
    for pair, part in parts.items():
        if all(pair) and "europe-west1-b" in pair:
            parts[pair] = replace(part, state="create", note="3 to create")
    parts["sa-east-1-a", ""] = replace(parts["eu-de-a", ""], state="delete", note="22 to delete", findings=())
    about = "from a preview of mesh/prod: 23 to create, 2 to update, 22 to delete, 148 unchanged"
    return replace(before.having(parts), source="preview", about=about)


def main(folder: Path) -> None:
    """Take them all, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    scenes = {str(count): (pages.scene(pages.document(count)), chosen, HIGH[count]) for count, chosen in CHOSEN.items()}
    with launched() as browser, tempfile.TemporaryDirectory() as temporary:
        for name, (scene, chosen, high) in {**scenes, "preview": (changed(), 1, 900)}.items():
            page = pages.written(scene, Path(temporary))
            for theme in ("light", "dark"):
                with Visit(browser, page, dark=theme == "dark", wide=1400, high=high) as visit:
                    visit.page.locator(".tile").nth(chosen).click()
                    path = folder / f"{name}-{theme}.png"
                    visit.page.screenshot(path=path)
                    if smaller := shutil.which("pngquant"):
                        subprocess.run([smaller, "--force", "--ext", ".png", "128", path], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
