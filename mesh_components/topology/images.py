"""Images that chart values pin, so that they no longer follow the versions that the document states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesh_components.settings import MeshSettings
from mesh_components.settings.istio import ChartValues

_TAGS = {
    "istiod": ("tag", "pilot.tag", "global.tag"),
    "cni": ("tag", "cni.tag", "global.tag"),
    "ztunnel": ("tag",),
}
_IMAGES = {
    "istiod": ("image", "pilot.image", "global.proxy.image", "global.proxy_init.image"),
    "cni": ("image", "cni.image"),
    "ztunnel": ("image",),
}
"""Names of images, which the charts take for whole references where they have a slash
(istio/istio manifests/charts/istio-control/istio-discovery/templates/deployment.yaml, and so in the other charts)."""


def pinned(mesh: MeshSettings) -> tuple[tuple[str, str, str], ...]:
    """Chart, place and tag of each pinned image; the tag is empty where a reference has none."""
    return tuple(_pinned(mesh.istio.values)) if mesh.istio.install == "charts" else ()


def is_of(tag: str, version: str) -> bool:
    """Whether images of this tag are of that version: `1.30.3`, or a variant as `1.30.3-distroless`."""
    return tag == version or tag.startswith(f"{version}-")


def _pinned(values: ChartValues) -> Iterator[tuple[str, str, str]]:
    for chart, paths in _TAGS.items():
        tree = getattr(values, chart)
        for path in paths:
            tag = _at(tree, path)
            if tag:
                yield chart, f"istio.values.{chart}.{path}", str(tag)
        for path in _IMAGES[chart]:
            image = str(_at(tree, path) or "")
            if "/" in image:
                yield chart, f"istio.values.{chart}.{path}", image.rpartition("/")[2].partition(":")[2]


def _at(tree: Mapping[str, Any], path: str) -> Any:
    found: Any = tree
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
