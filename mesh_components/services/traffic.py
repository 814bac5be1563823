"""What people do with requests day by day, as parts of Istio's resources. Pure: plain values in, typed models out.

Each returns a part; `virtual_service` and `destination_rule` put them together. What is not here, Istio's own types say
(`mesh_components.istio`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mesh_components.istio.destination_rule import (
    ConsistentHashLB,
    DestinationRule,
    DestinationRuleSpec,
    Failover,
    HTTPCookie,
    LoadBalancerSettings,
    LocalityLoadBalancerSetting,
    OutlierDetection,
    Subset,
    TrafficPolicy,
)
from mesh_components.istio.model import Metadata
from mesh_components.istio.shared import Destination, PortSelector
from mesh_components.istio.virtual_service import (
    Abort,
    Delay,
    HTTPFaultInjection,
    HTTPMatchRequest,
    HTTPMirrorPolicy,
    HTTPRetry,
    HTTPRoute,
    HTTPRouteDestination,
    Percent,
    StringMatch,
    VirtualService,
    VirtualServiceSpec,
)
from mesh_components.settings.traffic import Balancing
from mesh_components.topology.traffic import CLUSTER_LABEL

SESSION = "0s"
"""A cookie that ends with the session. Without a lifetime Envoy waits for a cookie, and makes none."""


def destination(host: str, subset: str | None = None, port: int | None = None) -> Destination:
    """Where requests go: a host, or a subset of it."""
    return Destination(host=host, subset=subset, port=PortSelector(number=port) if port else None)


def to(host: str, subset: str | None = None, port: int | None = None) -> list[HTTPRouteDestination]:
    """All requests of a route."""
    return [HTTPRouteDestination(destination=destination(host, subset, port))]


def split(host: str, percent: Mapping[str, int], port: int | None = None) -> list[HTTPRouteDestination]:
    """The requests of a route, in percent by subset.

    Raises:
        ValueError: where they do not add up to 100. Istio takes weights as shares of their sum, whatever it is, so a
            typing error would go unnoticed.
    """
    if sum(percent.values()) != 100:
        message = f"weights have to add up to 100, and these make {sum(percent.values())}: {dict(percent)}"
        raise ValueError(message)
    return [
        HTTPRouteDestination(destination=destination(host, subset, port), weight=weight)
        for subset, weight in percent.items()
    ]


def canary(
    host: str, stable: str, new: str, steps: Sequence[int] = (10, 50, 100)
) -> Iterator[tuple[int, list[HTTPRouteDestination]]]:
    """A new version gets more and more: its percent, and where requests go then. Blue/green has one step, 100.

    Raises:
        ValueError: where a step is no percent, or no more than the one before.
    """
    if not all(0 < step <= 100 for step in steps) or list(steps) != sorted(set(steps)):
        message = f"steps are percent, each more than the one before, and these are {list(steps)}"
        raise ValueError(message)
    return ((step, split(host, {stable: 100 - step, new: step})) for step in steps)


def match(
    *,
    path: str | None = None,
    prefix: str | None = None,
    headers: Mapping[str, str] | None = None,
    method: str | None = None,
) -> HTTPMatchRequest:
    """Requests by their path (exactly, or how it begins), by headers (exactly) and method; all of it has to match."""
    uri = StringMatch(exact=path, prefix=prefix) if path or prefix else None
    named = {name: StringMatch(exact=value) for name, value in headers.items()} if headers else None
    return HTTPMatchRequest(uri=uri, headers=named, method=StringMatch(exact=method) if method else None)


def delay(duration: str, percent: float = 100) -> HTTPFaultInjection:
    """Some requests wait before they are sent on."""
    return HTTPFaultInjection(delay=Delay(fixed_delay=duration, percentage=Percent(value=percent)))


def abort(status: int, percent: float = 100) -> HTTPFaultInjection:
    """Some requests are answered with this status and not sent on."""
    return HTTPFaultInjection(abort=Abort(http_status=status, percentage=Percent(value=percent)))


def mirror(host: str, subset: str | None = None, percent: float = 100) -> list[HTTPMirrorPolicy]:
    """A copy of some requests goes here too; its answers are thrown away."""
    return [HTTPMirrorPolicy(destination=destination(host, subset), percentage=Percent(value=percent))]


def retries(attempts: int, per_try: str | None = None, on: Iterable[str] = ()) -> HTTPRetry:
    """How often a request is tried again, how long each try may take, and on what
    (https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on)."""
    return HTTPRetry(attempts=attempts, per_try_timeout=per_try, retry_on=",".join(on) or None)


def subsets(labels: Mapping[str, Mapping[str, str]]) -> list[Subset]:
    """Endpoints by labels of their pods: `{"v1": {"version": "v1"}}`."""
    return [Subset(name=name, labels=dict(chosen)) for name, chosen in labels.items()]


def subset_per_cluster(clusters: Iterable[str]) -> list[Subset]:
    """A subset for each cluster, called as the cluster is."""
    return subsets({name: {CLUSTER_LABEL: name} for name in clusters})


def balance(how: Balancing) -> LoadBalancerSettings:
    """How an endpoint is chosen. LEAST_CONN, which Istio has given up, is the same as LEAST_REQUEST."""
    return LoadBalancerSettings(simple="LEAST_REQUEST" if how == "LEAST_CONN" else how)


def sticky(cookie: str | HTTPCookie, ttl: str = SESSION) -> LoadBalancerSettings:
    """A caller with the cookie stays with one endpoint; who has none gets one."""
    chosen = HTTPCookie(name=cookie, ttl=ttl) if isinstance(cookie, str) else cookie
    chosen = chosen if chosen.ttl else chosen.model_copy(update={"ttl": SESSION})
    return LoadBalancerSettings(consistent_hash=ConsistentHashLB(http_cookie=chosen))


def outliers(errors: int = 5, interval: str = "10s", ejection: str = "30s", percent: int = 100) -> OutlierDetection:
    """Endpoints that fail so many times in a row are left out for a while; at most so many percent of them at once."""
    return OutlierDetection(
        consecutive5xx_errors=errors, interval=interval, base_ejection_time=ejection, max_ejection_percent=percent
    )


def with_failover(
    policy: TrafficPolicy | None = None,
    *,
    regions: Iterable[Failover] = (),
    priority: Iterable[str] = (),
) -> TrafficPolicy:
    """The policy, with requests that stay near and go elsewhere when what is near fails.

    Without outlier detection Envoy knows of no failure, and Istio leaves failover out without a word; so the policy has
    it in any case: its own, or that of `outliers`.
    """
    given = policy or TrafficPolicy()
    setting = LocalityLoadBalancerSetting(
        enabled=True, failover=list(regions) or None, failover_priority=list(priority) or None
    )
    balancer = (given.load_balancer or LoadBalancerSettings()).model_copy(update={"locality_lb_setting": setting})
    detection = given.outlier_detection or outliers()
    return given.model_copy(update={"load_balancer": balancer, "outlier_detection": detection})


def virtual_service(name: str, namespace: str, host: str, routes: Iterable[HTTPRoute]) -> VirtualService:
    """The routes of a host, the first that matches first."""
    spec = VirtualServiceSpec(hosts=[host], http=list(routes))
    return VirtualService(metadata=Metadata(name=name, namespace=namespace), spec=spec)


def destination_rule(
    name: str, namespace: str, host: str, *, subsets: Iterable[Subset] = (), policy: TrafficPolicy | None = None
) -> DestinationRule:
    """The subsets of a host, and how it is called."""
    spec = DestinationRuleSpec(host=host, subsets=list(subsets) or None, traffic_policy=policy)
    return DestinationRule(metadata=Metadata(name=name, namespace=namespace), spec=spec)
