"""Pictures of the page of `mesh graph` for the documentation: `make pictures`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from meshctl.graph.scene import EMPTY, Scene
from tests.support import pages
from tests.support.browser import Visit, launched

CHOSEN = {2: 0, 5: 2, 20: 6, 100: 12}
"""Clusters to the one that is clicked in the picture."""
HIGH = {2: 560, 5: 900, 20: 1000, 100: 1000}


def changed() -> Scene:
    """Five clusters of which one comes, with its way to istiod; one goes; in two a gateway comes or changes."""
    wanted = pages.document(5)
    wanted["clusters"][2]["ingress"] = [{}]
    before = pages.scene(wanted)
    parts = before.owned()
    states = {"europe-west1-b": ("create", "14 to create"), "eu-de-a": ("update", "1 to create, 2 to update")}
    for name, (state, note) in states.items():
        parts[name, ""] = replace(parts[name, ""], state=state, note=note)  # type: ignore[arg-type]
    for pair, part in parts.items():
        if all(pair) and "europe-west1-b" in pair:
            parts[pair] = replace(part, state="create", note="3 to create")
    parts["sa-east-1-a", ""] = replace(parts["eu-de-a", ""], state="delete", note="22 to delete", findings=())
    for cluster in before.graph.clusters():
        state = {"europe-west1-b": "create", "eu-de-a": "update"}.get(cluster.name, "")
        doors = {gateway: "create" if gateway.kind == "ingress" else state for gateway in cluster.gateways if state}
        parts[cluster.name, ""] = replace(parts[cluster.name, ""], gateways=doors)  # type: ignore[arg-type]
    way = "europe-west1-b", "europe-west1-a"
    parts[way] = replace(parts.get(way, EMPTY), control="create")
    about = "from a preview of mesh/prod: 23 to create, 2 to update, 22 to delete, 148 unchanged"
    return replace(before.having(parts), source="preview", about=about)


def main(folder: Path) -> None:
    """Take them all, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    scenes = {str(count): (pages.scene(pages.document(count)), chosen, HIGH[count]) for count, chosen in CHOSEN.items()}
    with launched() as browser, tempfile.TemporaryDirectory() as temporary:
        for name, (scene, chosen, high) in {**scenes, "preview": (changed(), 1, 1000)}.items():
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
