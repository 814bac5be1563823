"""Remotes behind a host name: one injector for all revisions (MESH424)."""

from __future__ import annotations

from mesh_components.settings import MeshSettings
from mesh_components.topology.plan import address_type
from mesh_components.topology.roles import control_plane


def follows_default(mesh: MeshSettings, cluster: str) -> bool:
    """Whether the cluster's pods are injected by the default revision, whatever their labels name.

    Its webhook goes by the URL of its primary's gateway, and a host name there leads to one istiod.
    """
    settings = next(item for item in mesh.clusters if item.name == cluster)
    server = control_plane(mesh, settings)
    remote = settings.role == "remote" and server.role == "primary" and mesh.istio.install == "charts"
    return remote and address_type(server) == "hostname"
