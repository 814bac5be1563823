"""Revisions: which control planes stand side by side in a cluster, and where its tags point."""

from __future__ import annotations

from dataclasses import dataclass

from mesh_components.settings import ClusterSettings, MeshSettings


@dataclass(frozen=True)
class Revision:
    """One control plane."""

    name: str
    """Empty for the one without a name."""
    version: str


def all_revisions(mesh: MeshSettings) -> tuple[Revision, ...]:
    """Every revision of the mesh, in the order of the document."""
    stated = mesh.istio.revisions
    if not stated:
        return (Revision(mesh.istio.revision, mesh.istio.version),)
    return tuple(Revision(item.name, item.version or mesh.istio.version) for item in stated)


def revisions(mesh: MeshSettings, cluster: str) -> tuple[Revision, ...]:
    """The revisions of one cluster."""
    absent = {item.name for item in mesh.istio.revisions if item.clusters is not None and cluster not in item.clusters}
    return tuple(item for item in all_revisions(mesh) if item.name not in absent)


def default_version(mesh: MeshSettings) -> str:
    """Version of the default revision: that of the CNI plugin and of ztunnel, which must not run ahead of istiod."""
    return next((item.version for item in all_revisions(mesh) if item.name == mesh.istio.revision), mesh.istio.version)


def tags(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[tuple[str, str], ...]:
    """Tags of one cluster with the revisions they point at, sorted."""
    return tuple(sorted({**mesh.istio.tags, **cluster.tags}.items()))
