"""Meshes as the page of `mesh graph` shows them, from two clusters to a hundred."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mesh_components.settings import parse
from mesh_components.topology.findings import findings
from mesh_components.topology.plan import plan
from meshctl.graph import page
from meshctl.graph.scene import Scene, from_document

PLACES = (
    ("europe-west1", "gke"),
    ("us-east-1", "eks"),
    ("eu-de", "ibm"),
    ("westus2", "aks"),
    ("asia-south1", "gke"),
    ("sa-east-1", "eks"),
    ("jp-tok", "ibm"),
    ("uksouth", "aks"),
    ("me-west1", "gke"),
    ("ca-central-1", "eks"),
)


def document(count: int) -> dict[str, Any]:
    """So many clusters in two to ten networks, one a region; in each, every third one is a remote of the first."""
    networks = {2: 2, 5: 4, 20: 5}.get(count, min(count, 10))
    clusters: list[dict[str, Any]] = []
    for number in range(count):
        region, platform = PLACES[number % networks]
        mine = number // networks
        part = {"role": "remote", "controlPlane": f"{region}-a"} if mine % 3 == 1 and count > 2 else {}
        name = f"{region}-{chr(ord('a') + mine)}"
        clusters.append({"name": name, "network": region, "platform": platform, "locality": {"region": region}, **part})
    return {"id": "shop", "clusters": clusters}


def scene(wanted: dict[str, Any]) -> Scene:
    """A document as `mesh graph` takes it."""
    mesh = parse(wanted)
    return from_document(plan(mesh), findings(mesh, brought=frozenset(cluster.name for cluster in mesh.clusters)))


def written(wanted: Scene, folder: Path) -> Path:
    """The page in a file."""
    path = folder / "mesh.html"
    path.write_text(page.write(wanted), encoding="utf-8")
    return path
