"""Waypoints, decided: which cluster has which, and what leads requests there.

Istio takes for granted that all clusters have waypoints of the same names, and that these are known in all of them
(https://istio.io/latest/docs/ambient/install/multicluster/failover/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.waypoints import WaypointSettings
from mesh_components.topology import names
from mesh_components.topology.roles import is_member


@dataclass(frozen=True)
class WaypointPlan:
    """One waypoint in one cluster."""

    settings: WaypointSettings
    revision: str
    """Revision or tag whose istiod runs it."""
    patches: bool
    """True: something else makes the namespace, which only gets the label."""

    @property
    def suffix(self) -> str:
        """What its component's name has behind that of the cluster."""
        return f"-waypoint-{self.settings.namespace}"


def runs_ambient(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether ztunnel carries workloads of the cluster, as far as the document decides it."""
    return mesh.istio.data_plane != "sidecar" and is_member(cluster)


def waypoints(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[WaypointSettings, ...]:
    """The waypoints of a cluster: all, but for those that are for other clusters."""
    if not runs_ambient(mesh, cluster):
        return ()
    return tuple(item for item in mesh.waypoints if item.clusters is None or cluster.name in item.clusters)


def used(mesh: MeshSettings, cluster: ClusterSettings, namespace: str) -> Mapping[str, str]:
    """Labels with which a namespace of a cluster says that it has a waypoint; none where it has none."""
    name = next((item.name for item in waypoints(mesh, cluster) if item.namespace == namespace), None)
    return {names.USE_WAYPOINT_LABEL: name} if name is not None else {}
