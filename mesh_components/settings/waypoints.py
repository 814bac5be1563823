"""Waypoints as the document says them: the proxies that do for ambient what sidecars do beside each workload."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mesh_components.settings.gateway import GatewaySize

WaypointFor = Literal["service", "workload", "all"]
"""What comes through a waypoint: requests to services, to single pods, or both."""


class WaypointSettings(GatewaySize):
    """The waypoint of a namespace. A namespace of one name is one namespace in all clusters, and so is its waypoint
    (https://istio.io/latest/docs/ambient/install/multicluster/)."""

    namespace: str
    """Whose services and workloads it is for."""
    name: str = "waypoint"
    """Of the Gateway, and of all that istiod makes for it."""
    for_: WaypointFor = Field(default="service", alias="for")
    clusters: tuple[str, ...] | None = None
    """Names of the clusters that have it; all with ambient workloads when left out."""
