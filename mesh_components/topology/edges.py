"""Edges of discovery: which istiod reads which cluster."""

from __future__ import annotations

from dataclasses import dataclass

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.topology.roles import control_plane, is_member, runs_istiod


@dataclass(frozen=True, order=True)
class Edge:
    """`reader`'s istiod reads services and endpoints from `source`'s API server, so it holds a secret about it."""

    source: str
    reader: str
    config: bool = False
    """True: the reader is an external control plane, and this is the cluster that holds its configuration."""

    def __str__(self) -> str:
        return f"{self.source} -> {self.reader}"


def edges(mesh: MeshSettings) -> tuple[Edge, ...]:
    """All edges of the mesh, sorted."""
    return tuple(sorted(_edge(mesh, source, reader) for source in mesh.clusters for reader in readers(mesh, source)))


def readers(mesh: MeshSettings, source: ClusterSettings) -> tuple[ClusterSettings, ...]:
    """The clusters whose istiod reads `source`: whoever serves it, and whom `discovery.reach` lets in."""
    if not is_member(source):
        return ()
    server = control_plane(mesh, source).name
    return tuple(
        reader
        for reader in mesh.clusters
        if runs_istiod(reader) and reader.name != source.name
        if reader.name == server or _reaches(mesh, source.name, reader.name)
    )


def knows(mesh: MeshSettings, caller: ClusterSettings, called: ClusterSettings) -> bool:
    """Whether the istiod that serves `caller` has the endpoints in `called`: it runs there, or reads it."""
    server = control_plane(mesh, caller).name
    return server in {called.name, *(reader.name for reader in readers(mesh, called))}


def _reaches(mesh: MeshSettings, source: str, reader: str) -> bool:
    discovery = mesh.discovery
    if discovery.reach == "full":
        return True
    if discovery.reach == "hub-and-spoke":
        return source in discovery.hubs or reader in discovery.hubs
    return any((edge.source, edge.reader) == (source, reader) for edge in discovery.edges)


def _edge(mesh: MeshSettings, source: ClusterSettings, reader: ClusterSettings) -> Edge:
    serves = control_plane(mesh, source).name == reader.name
    return Edge(source.name, reader.name, config=source.role == "config" and serves)
