"""Sample applications: which version runs in which cluster, and what its namespace says to istiod and ztunnel.

The namespace and the Services are in every cluster with workloads: names of services lead nowhere where there is no
Service, and equal namespaces of a mesh are one namespace
(https://istio.io/latest/docs/ops/deployment/deployment-models/#namespace-tenancy).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.applications import ApplicationSettings
from mesh_components.topology import names
from mesh_components.topology.roles import is_member, members
from mesh_components.topology.waypoints import used

SERVICES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "helloworld": {"helloworld": ("v1", "v2")},
    "bookinfo": {
        "productpage": ("productpage-v1",),
        "details": ("details-v1",),
        "reviews": ("reviews-v1", "reviews-v2", "reviews-v3"),
        "ratings": ("ratings-v1",),
    },
}
"""The services of each application with their versions, as the document calls them."""


@dataclass(frozen=True)
class Application:
    """One application's part in one cluster."""

    name: str
    namespace: str
    labels: tuple[tuple[str, str], ...]
    """Of the namespace."""
    settings: ApplicationSettings
    versions: tuple[str, ...]
    """Those that run here."""
    exported: bool
    """Its Services have to say that other clusters may call them: ambient takes them for local otherwise."""


def stated(mesh: MeshSettings) -> Iterator[tuple[str, ApplicationSettings]]:
    """The applications of the document, each with its key."""
    for name in type(mesh.applications).model_fields:
        settings = getattr(mesh.applications, name)
        if settings is not None:
            yield name, settings


def places(mesh: MeshSettings, name: str) -> Mapping[str, tuple[str, ...]]:
    """Names of clusters by version, in the order of versions: as the document says, else as they are spread here."""
    settings = dict(stated(mesh))[name]
    written = {str(version): where for version, where in settings.versions.items()}
    default = _SPREAD[name]([cluster.name for cluster in members(mesh)])
    return {version: written.get(version, where) for version, where in default.items()}


def applications(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[Application, ...]:
    """What a cluster has of each application."""
    if not is_member(cluster):
        return ()
    return tuple(
        Application(
            name=name,
            namespace=settings.namespace,
            labels=tuple({**namespace_labels(mesh, settings), **used(mesh, cluster, settings.namespace)}.items()),
            settings=settings,
            versions=tuple(version for version, where in places(mesh, name).items() if cluster.name in where),
            exported=mesh.istio.data_plane != "sidecar",
        )
        for name, settings in stated(mesh)
    )


class InMesh(Protocol):
    """What says how its workloads get into the mesh."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Further labels of its namespace."""

    @property
    def revision(self) -> str | None:
        """Revision or tag that injects them; that of the mesh when left out."""

    @property
    def data_plane(self) -> Literal["sidecar", "ambient"] | None:
        """In a mesh with both."""


def ambient(mesh: MeshSettings, settings: InMesh) -> bool:
    """Whether ztunnel carries the application, and no sidecars."""
    return mesh.istio.data_plane == "ambient" or settings.data_plane == "ambient"


def injects(mesh: MeshSettings, settings: InMesh) -> str:
    """The revision or tag that injects it; empty for the one without a name."""
    return mesh.istio.revision if settings.revision is None else settings.revision


def namespace_labels(mesh: MeshSettings, settings: InMesh) -> Mapping[str, str]:
    """By which its namespace gets into the mesh (https://istio.io/latest/docs/reference/config/labels/)."""
    revision = injects(mesh, settings)
    if ambient(mesh, settings):
        joins = {"istio.io/dataplane-mode": "ambient"}
    else:
        joins = {names.REVISION_LABEL: revision} if revision else {"istio-injection": "enabled"}
    return {**settings.labels, **joins}


def _in_turn(clusters: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """HelloWorld: neighbours have different versions; a single cluster has both."""
    return {"v1": tuple(clusters[::2]), "v2": tuple(clusters[1::2] or clusters)}


def _behind(clusters: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Bookinfo: the page and details in front, so that all else is asked for across clusters; one version each."""
    front, others = clusters[:1], clusters[1:] or clusters
    reviews = SERVICES["bookinfo"]["reviews"]
    return {
        "productpage-v1": tuple(front),
        "details-v1": tuple(front),
        **{version: tuple(others[n % len(others) :][:1]) if others else () for n, version in enumerate(reviews)},
        "ratings-v1": tuple(others[:1]),
    }


_SPREAD: Mapping[str, Callable[[Sequence[str]], dict[str, tuple[str, ...]]]] = {
    "helloworld": _in_turn,
    "bookinfo": _behind,
}
