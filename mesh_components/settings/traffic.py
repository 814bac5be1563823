"""How requests to a service are led: its subsets, how it is called, and its routes.

Where Istio has a shape for something, it stands here as it is (`mesh_components.istio`), with Istio's own words. What
is ours is shorter than Istio's: weights, sticky sessions, failover with what it needs, a mirror.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mesh_components.istio.destination_rule import Failover, HTTPCookie, OutlierDetection
from mesh_components.istio.model import Number
from mesh_components.istio.rules import at_least_1ms
from mesh_components.istio.shared import ConnectionPoolSettings
from mesh_components.istio.virtual_service import HTTPFaultInjection, HTTPMatchRequest, HTTPRetry, HTTPRewrite
from mesh_components.settings.base import Settings

Balancing = Literal["ROUND_ROBIN", "RANDOM", "LEAST_REQUEST", "PASSTHROUGH", "LEAST_CONN"]
Percent = Annotated[Number, Field(gt=0, le=100)]
Weight = Annotated[int, Field(ge=0, le=100)]


class FailoverSettings(Settings):
    """Requests stay near, and go elsewhere when what is near fails. It comes with outlier detection."""

    regions: tuple[Failover, ...] = ()
    """Which region takes over from which; any, when empty."""
    priority: tuple[str, ...] = ()
    """Labels that caller and endpoint share, the most important first, such as `topology.istio.io/cluster`; instead of
    `regions`."""


class MirrorSettings(Settings):
    """A copy of requests, whose answers nobody waits for."""

    to: str
    """Subset that gets it."""
    percent: Percent = 100


class RouteSettings(Settings):
    """Where some requests go. The first route that matches is taken."""

    name: str | None = None
    """In the access log."""
    match: tuple[HTTPMatchRequest, ...] = ()
    """Requests that it is for: any of these; all requests, when empty."""
    to: str | dict[str, Weight] | None = None
    """A subset; or percent by subset, `{v1: 90, v2: 10}`; left out, the service as it is."""
    rewrite: HTTPRewrite | None = None
    timeout: Annotated[str, at_least_1ms] | None = None
    retries: HTTPRetry | None = None
    fault: HTTPFaultInjection | None = None
    """Delays and errors that its callers are to meet."""
    mirror: MirrorSettings | None = None


class TrafficSettings(Settings):
    """One service."""

    host: str
    """`reviews.bookinfo`, or a full name."""
    namespace: str | None = None
    """Of the two objects; that of the service when left out, or the root namespace for a host outside of Kubernetes."""
    subsets: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Labels by name of the subset, `{v1: {version: v1}}`."""
    subset_per_cluster: bool = False
    """Also a subset for each cluster, with the cluster's name: the endpoints that are there."""
    load_balancer: Balancing | None = None
    """How an endpoint is chosen; Istio's default is LEAST_REQUEST."""
    sticky: HTTPCookie | None = None
    """A caller stays with an endpoint, by a cookie; instead of `loadBalancer`. Without a `ttl` for the session."""
    connection_pool: ConnectionPoolSettings | None = None
    outlier_detection: OutlierDetection | None = None
    """When an endpoint is left out for a while."""
    failover: FailoverSettings | None = None
    routes: tuple[RouteSettings, ...] = ()
