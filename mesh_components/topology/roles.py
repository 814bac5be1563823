"""Roles: who runs an istiod, and whom it serves
(https://istio.io/latest/docs/ops/deployment/deployment-models/#control-plane-models)."""

from __future__ import annotations

from mesh_components.settings import ClusterSettings, MeshSettings


def runs_istiod(cluster: ClusterSettings) -> bool:
    """Whether an istiod of the mesh runs in the cluster."""
    return cluster.role in ("primary", "external")


def is_member(cluster: ClusterSettings) -> bool:
    """Whether workloads of the mesh run in the cluster. An external control plane's cluster has none."""
    return cluster.role != "external"


def kinds_of(cluster: ClusterSettings) -> tuple[str, ...]:
    """What the document says of how there comes to be this cluster: one of these keys, where it is sound."""
    stated = {"kubeconfig": cluster.kubeconfig, "create": cluster.create, "stackReference": cluster.stack_reference}
    return tuple(key for key, value in stated.items() if value is not None)


def members(mesh: MeshSettings) -> tuple[ClusterSettings, ...]:
    """The clusters with workloads of the mesh."""
    return tuple(cluster for cluster in mesh.clusters if is_member(cluster))


def candidates(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[ClusterSettings, ...]:
    """The clusters that could serve a remote or a config cluster that names none: only one of them is an answer.

    A network says nothing about it: a primary that joins the mesh later must not take over the remotes of another.
    """
    if cluster.role == "config":
        return tuple(c for c in mesh.clusters if c.role == "external")
    return tuple(c for c in mesh.clusters if runs_istiod(c))


def control_plane(mesh: MeshSettings, cluster: ClusterSettings) -> ClusterSettings:
    """The cluster whose istiod serves this one; itself where it runs one, or where nothing decides (MESH403, 408)."""
    if runs_istiod(cluster):
        return cluster
    if cluster.control_plane is not None:
        named = [c for c in mesh.clusters if c.name == cluster.control_plane and runs_istiod(c)]
        return named[0] if named else cluster
    found = candidates(mesh, cluster)
    return found[0] if len(found) == 1 else cluster


def config_holder(mesh: MeshSettings, cluster: ClusterSettings) -> ClusterSettings | None:
    """The cluster where the istiod that serves this one reads its configuration; None where that is open."""
    server = control_plane(mesh, cluster)
    if server.role == "external":
        return next((c for c in served_by(mesh, server) if c.role == "config"), None)
    return server if server.role == "primary" else None


def served_by(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[ClusterSettings, ...]:
    """The other clusters that this one's istiod serves."""
    if not runs_istiod(cluster):
        return ()
    return tuple(c for c in mesh.clusters if not runs_istiod(c) and control_plane(mesh, c).name == cluster.name)
