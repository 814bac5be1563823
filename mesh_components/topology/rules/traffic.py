"""How requests are led: rules that Istio would take and that do something else than somebody meant.

Facts: https://istio.io/latest/docs/reference/config/networking/ and
https://istio.io/latest/docs/ops/best-practices/traffic-management/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from mesh_components.istio.destination_rule import OutlierDetection
from mesh_components.istio.rules import seconds
from mesh_components.istio.virtual_service import HTTPMatchRequest
from mesh_components.settings import Finding
from mesh_components.settings.traffic import RouteSettings, TrafficSettings
from mesh_components.topology.meshes import full_host
from mesh_components.topology.roles import members
from mesh_components.topology.rules.context import Context, error, quoted, quoted_key, warning
from mesh_components.topology.traffic import has, namespace_of, served, subsets, targets

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)+{_LABEL}")
_ALL = 100


def weights(context: Context) -> Iterator[Finding]:
    """MESH901. Istio takes weights as shares of their sum (`VirtualService.http[].route[].weight`)."""
    for place, _, route in _routes(context):
        if isinstance(route.to, dict) and sum(route.to.values()) != _ALL:
            yield error(
                "MESH901",
                f"{place}.to",
                f"the weights make {sum(route.to.values())}; Istio would take them as shares of that sum, and send "
                "other parts of the requests than stand here",
                "write percent that add up to 100",
            )


def subset(context: Context) -> Iterator[Finding]:
    """MESH902. Envoy has no cluster for such a subset, and answers 503."""
    for place, service, route in _routes(context):
        known = subsets(service, _names(context))
        for where, name in targets(route):
            if name not in known:
                yield error(
                    "MESH902",
                    f"{place}.{quoted_key(where)}",
                    f"{quoted(name)} is no subset of {quoted(service.host)}, so these requests get an error (503)",
                    f"add it to `subsets`, or write {_one_of(known)}",
                )


def failover(context: Context) -> Iterator[Finding]:
    """MESH903 (https://istio.io/latest/docs/tasks/traffic-management/locality-load-balancing/failover/)."""
    for place, service in _services(context):
        detection = service.outlier_detection
        if service.failover is not None and detection is not None and not _ejects(detection):
            yield error(
                "MESH903",
                f"{place}.outlierDetection",
                "no endpoint is ever left out, however it fails, and then nothing fails over: Envoy takes near "
                "endpoints for healthy to the end",
                "set `consecutive5xxErrors` above 0, or leave `outlierDetection` out: failover brings its own",
            )


def least_conn(context: Context) -> Iterator[Finding]:
    """MESH904 (`LoadBalancerSettings.SimpleLB` in Istio's reference)."""
    for place, service in _services(context):
        if service.load_balancer == "LEAST_CONN":
            yield warning(
                "MESH904",
                f"{place}.loadBalancer",
                "Istio has given up LEAST_CONN; LEAST_REQUEST, which it stood for, is written in its place",
                "write LEAST_REQUEST",
            )


def nobody(context: Context) -> Iterator[Finding]:
    """MESH905. Known of namespaces that the document fills itself; nothing else is in them."""
    serving = served(context.mesh)
    filled = {namespace_of(host) for host in serving}
    for place, service in _services(context):
        if namespace_of(service.host) in filled and full_host(service.host) not in serving:
            ours = (host for host in serving if namespace_of(host) == namespace_of(service.host))
            yield error(
                "MESH905",
                f"{place}.host",
                f"nobody serves {quoted(service.host)}: its namespace is that of an application of this document, "
                "which has no such service",
                f"write {_one_of(host.partition('.')[0] for host in ours)} with the namespace behind it",
            )


def versions(context: Context) -> Iterator[Finding]:
    """MESH906. Of a subset by cluster only when a route leads there."""
    serving = served(context.mesh)
    for place, service in _services(context):
        endpoints = serving.get(full_host(service.host))
        routed = {name for route in service.routes for _, name in targets(route)}
        for name, labels in subsets(service, _names(context)).items():
            if endpoints is None or (name not in service.subsets and name not in routed):
                continue
            if not any(has(endpoint, labels) for endpoint in endpoints):
                where = f"{place}.subsets.{quoted_key(name)}" if name in service.subsets else f"{place}.routes"
                yield error(
                    "MESH906",
                    where,
                    f"no version of {quoted(service.host)} has the labels of the subset {quoted(name)}, so requests to "
                    "it get an error (503)",
                    "correct the labels, or place that version in a cluster",
                )


def shadowed(context: Context) -> Iterator[Finding]:
    """MESH907. The first route that matches is taken."""
    for place, service in _services(context):
        for index, route in enumerate(service.routes):
            earlier = next((n for n, other in enumerate(service.routes[:index]) if _covers(other, route)), None)
            if earlier is not None:
                yield warning(
                    "MESH907",
                    f"{place}.routes[{index}]",
                    f"no request ever comes here: routes[{earlier}] takes all of them before",
                    "put the narrower route first",
                )


def once(context: Context) -> Iterator[Finding]:
    """MESH908. Proxies merge no two VirtualServices of a host; which of them counts is a matter of their age."""
    known: dict[str, str] = {}
    for place, service in _services(context):
        earlier = known.setdefault(full_host(service.host), place)
        if earlier != place:
            yield error(
                "MESH908",
                f"{place}.host",
                f"{quoted(service.host)} is that of {earlier} too; of two sets of routes for a host one is ignored",
                "put both together",
            )


def host(context: Context) -> Iterator[Finding]:
    """MESH909."""
    for place, service in _services(context):
        if not _HOST.fullmatch(service.host):
            yield error(
                "MESH909",
                f"{place}.host",
                f"{quoted(service.host)} is not the name of one service; a name without a dot is looked for in the "
                "namespace of whoever calls",
                "write <service>.<namespace>, such as reviews.bookinfo, or a full name",
            )


def region(context: Context) -> Iterator[Finding]:
    """MESH910. Only where every cluster says where it is."""
    places = [cluster.locality for cluster in members(context.mesh)]
    regions = {where.region for where in places if where is not None}
    if not places or None in places:
        return
    for place, service in _services(context):
        stated = service.failover.regions if service.failover else ()
        for index, pair in enumerate(stated):
            for key, value in (("from", pair.from_), ("to", pair.to)):
                if value not in regions:
                    yield warning(
                        "MESH910",
                        f"{place}.failover.regions[{index}].{key}",
                        f"no cluster is in {quoted(value or '')}, so this failover never happens",
                        f"write {_one_of(sorted(filter(None, regions)))}: regions, without zones",
                    )


def patience(context: Context) -> Iterator[Finding]:
    """MESH911. `timeout` is for all tries together."""
    for place, _, route in _routes(context):
        tries = route.retries
        if route.timeout is None or tries is None or not tries.attempts or tries.per_try_timeout is None:
            continue
        limit, each = seconds(route.timeout) or 0, seconds(tries.per_try_timeout) or 0
        if each * (1 + tries.attempts) > limit:
            yield warning(
                "MESH911",
                f"{place}.timeout",
                f"a request and {tries.attempts} more tries of {tries.per_try_timeout} do not fit into "
                f"{route.timeout}, which is for all of them together: the last ones are cut off, or never begin",
                "give it more time, or less to each try",
            )


def either(context: Context) -> Iterator[Finding]:
    """MESH913."""
    for place, service in _services(context):
        if service.sticky is not None and service.load_balancer is not None:
            yield error(
                "MESH913",
                f"{place}.loadBalancer",
                "the cookie of `sticky` decides which endpoint is called, so there is nothing left to choose",
                "take one of the two out",
            )
        if service.failover is not None and service.failover.regions and service.failover.priority:
            yield error(
                "MESH913",
                f"{place}.failover",
                "`regions` and `priority` are two answers to the same question, and Istio takes one",
                "take one of the two out",
            )


def _services(context: Context) -> Iterator[tuple[str, TrafficSettings]]:
    return ((f"traffic[{index}]", service) for index, service in enumerate(context.mesh.traffic))


def _routes(context: Context) -> Iterator[tuple[str, TrafficSettings, RouteSettings]]:
    for place, service in _services(context):
        yield from ((f"{place}.routes[{index}]", service, route) for index, route in enumerate(service.routes))


def _names(context: Context) -> list[str]:
    return [cluster.name for cluster in members(context.mesh)]


def _one_of(names: Iterable[str]) -> str:
    return " or ".join(f"`{quoted_key(name)}`" for name in names) or "none"


def _ejects(detection: OutlierDetection) -> bool:
    """Whether any kind of failure counts. Failures with 5xx do, unless somebody says 0."""
    other = (detection.consecutive_gateway_errors, detection.consecutive_local_origin_failures)
    return detection.consecutive5xx_errors != 0 or any(other)


def _covers(earlier: RouteSettings, later: RouteSettings) -> bool:
    """Whether every request of the later route is one of the earlier."""
    wide = earlier.match or (HTTPMatchRequest(),)
    narrow = later.match or (HTTPMatchRequest(),)
    return all(any(_within(n.document(), w.document()) for w in wide) for n in narrow)


def _within(narrow: Mapping[str, object], wide: Mapping[str, object]) -> bool:
    """Whether all that matches the narrow match the wide one too, as far as texts say. Names are no conditions."""
    conditions = {key: value for key, value in wide.items() if key not in ("name", "statPrefix") and value != {}}
    if conditions.get("uri") == {"prefix": "/"}:
        del conditions["uri"]
    if conditions and {"ignoreUriCase", "withoutHeaders"} & {*conditions, *narrow}:
        return narrow == wide
    return all(_same(narrow.get(key), value) for key, value in conditions.items())


def _same(narrow: object, wide: object) -> bool:
    if isinstance(narrow, Mapping) and isinstance(wide, Mapping):
        begins = wide.get("prefix")
        text = narrow.get("exact", narrow.get("prefix"))
        if isinstance(begins, str) and isinstance(text, str):
            return text.startswith(begins)
        return bool(wide) and all(key in narrow and _same(narrow[key], value) for key, value in wide.items())
    return narrow == wide


RULES = (
    weights,
    subset,
    failover,
    least_conn,
    nobody,
    versions,
    shadowed,
    once,
    host,
    region,
    patience,
    either,
)
