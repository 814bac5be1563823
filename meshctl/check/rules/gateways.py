"""Gateways: whether other networks, and remotes, get in."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from mesh_components.topology import names
from mesh_components.topology.plan import ClusterPlan
from meshctl.check.facts import ClusterFacts, Facts, Object, Part, Unread
from meshctl.check.gateways import Expected, addresses, expected, found, pretended, proxies, runs
from meshctl.check.results import Result, Unknown, about, error

_UP = "run `mesh up`"
_CODES = tuple(f"CHECK6{number:02}" for number in range(1, 10))
ISTIOD_GATEWAY = "istiod-gateway"


def doors(facts: Facts) -> Iterator[Result]:
    """CHECK601 to CHECK606 and CHECK609: each gateway, up to the first thing that keeps everybody out."""
    for plan, cluster in facts.inhabited():
        for gateway in expected(facts.decided.mesh, plan):
            item = found(cluster, gateway)
            where = [about(plan.name, gateway.kind, gateway.name, gateway.namespace)]
            if isinstance(item, Unread):
                yield from (Unknown(code, plan.name, item.why) for code in _CODES[:6])
            elif item is None:
                cause = f"there is no {gateway.kind} {gateway.name} in {gateway.namespace}: no other network gets in"
                yield error("CHECK601", plan.name, cause, _UP, where)
            else:
                yield from _gateway(plan, cluster, gateway, item, where)


def _gateway(
    plan: ClusterPlan, cluster: ClusterFacts, gateway: Expected, item: Object, where: list[str]
) -> Iterator[Result]:
    yield from _network(plan, gateway, item, where)
    stated = plan.settings.east_west.service_type
    is_service = gateway.kind == "Service"
    actual = item["spec"].get("type", "ClusterIP") if is_service else stated
    if actual != stated:
        cause = (
            f"Service {gateway.name} is of type {actual}, and the document says {stated}: it has no address for peers"
        )
        yield error("CHECK602", plan.name, cause, _UP, where)
        return
    ports = {port.get("port") for port in item["spec"].get("ports") or ()}
    if is_service and (lacking := [port for port in gateway.ports if port not in ports]):
        cause = f"Service {gateway.name} has no port {', '.join(map(str, lacking))}, where peers call"
        yield error("CHECK605", plan.name, cause, _UP, where)
        return
    if not addresses(item):
        yield _nowhere(plan, gateway, stated, where)
        return
    yield from _proxies(plan, cluster, gateway)
    yield from _open(plan, cluster, gateway, addresses(item))


def _network(plan: ClusterPlan, gateway: Expected, item: Object, where: list[str]) -> Iterator[Result]:
    label = (item["metadata"].get("labels") or {}).get(names.NETWORK_LABEL)
    network = plan.settings.network
    if plan.role != "external" and label != network:
        said = f'says network "{label}"' if label else "names no network"
        cause = (
            f'{gateway.kind} {gateway.name} {said}, and the document "{network}": peers do not take it for the way in'
        )
        yield error("CHECK609", plan.name, cause, _UP, where)


def _nowhere(plan: ClusterPlan, gateway: Expected, stated: str, where: list[str]) -> Result:
    if stated != "LoadBalancer":
        return Unknown("CHECK603", plan.name, f"a {stated} has no address of its own; istiod takes those of the nodes")
    cause = f"{gateway.kind} {gateway.name} has no address: the cloud has given none, so peers have nowhere to call"
    plural = gateway.kind.lower()
    fix = (
        f"see what keeps the load balancer with `kubectl -n {gateway.namespace} describe {plural} {gateway.name}` "
        "(quota, subnet, annotations); it gets its address by itself once that is gone"
    )
    return error("CHECK603", plan.name, cause, fix, where)


def _proxies(plan: ClusterPlan, cluster: ClusterFacts, gateway: Expected) -> Iterator[Result]:
    pods = proxies(cluster, gateway)
    if isinstance(pods, Unread):
        yield Unknown("CHECK606", plan.name, pods.why)
    elif any(map(pretended, pods)):
        yield Unknown("CHECK606", plan.name, "its pods are pretended by the lab, and nothing runs in them")
    elif not any(map(runs, pods)) and gateway.kind == "Service":
        cause = f"no pod of {gateway.name} is ready" if pods else f"there is no pod of {gateway.name}"
        look = f"kubectl -n {gateway.namespace} describe pods -l {'='.join(gateway.selector)}"
        fix = f"see why with `{look}`; an image `auto` that cannot be pulled wants the injector first, then a new pod"
        if not pods:
            fix = f"`kubectl -n {gateway.namespace} scale deployment {gateway.name} --replicas 1`, or see its events"
        objects = [about(plan.name, "Deployment", gateway.name, gateway.namespace)]
        yield error("CHECK606", plan.name, cause, fix, objects)


def _open(plan: ClusterPlan, cluster: ClusterFacts, gateway: Expected, places: tuple[str, ...]) -> Iterator[Result]:
    """CHECK604, as far as this machine can tell: it may stand where no peer stands."""
    for address in places:
        tried = {port: cluster.doors.get((address, port)) for port in (*gateway.ports, names.STATUS_PORT)}
        shut = {port: why for port, why in tried.items() if why and port in gateway.ports}
        if not shut:
            yield from _untried(plan, tried, gateway)
            continue
        alive = "" in tried.values() or _run(cluster, gateway)
        ports = ", ".join(f"{port} ({why})" for port, why in shut.items())
        if not alive or ("" not in tried.values() and _internal(plan, address)):
            why = "it is inside of the cloud's network" if alive else "no proxy runs behind it"
            yield Unknown("CHECK604", plan.name, f"{address} does not answer this machine, and {why}")
        else:
            cause = f"{gateway.name} at {address} takes no connections at {ports}: requests of other networks end there"
            fix = (
                "open the port in firewalls and security groups, and see that the load balancer passes it to the "
                "proxies (their listener comes with the Gateway that istiod knows)"
            )
            yield error("CHECK604", plan.name, cause, fix)


def _untried(plan: ClusterPlan, tried: dict[int, str | None], gateway: Expected) -> Iterator[Result]:
    if any(tried[port] is None for port in gateway.ports):
        yield Unknown("CHECK604", plan.name, "not tried in time")


def _run(cluster: ClusterFacts, gateway: Expected) -> bool:
    pods = proxies(cluster, gateway)
    return not isinstance(pods, Unread) and any(map(runs, pods))


def _internal(plan: ClusterPlan, address: str) -> bool:
    private = names.is_ip(address) and ip_address(address).is_private
    return private or plan.settings.east_west.load_balancer == "internal"


def openings(facts: Facts) -> Iterator[Result]:
    """CHECK607 and CHECK608: Istio's own resources, which say what the proxies let through."""
    for plan, cluster in facts.inhabited():
        wanted = [names.CROSS_NETWORK_GATEWAY] if plan.exposes_services else []
        wanted += [ISTIOD_GATEWAY] if plan.exposes_istiod else []
        for name in wanted:
            item = cluster.named(Part.GATEWAYS, name)
            where = [about(plan.name, "Gateway", name, facts.root)]
            if isinstance(item, Unread):
                yield Unknown("CHECK607", plan.name, item.why)
            elif item is None:
                whom = (
                    "remotes do not reach their istiod"
                    if name == ISTIOD_GATEWAY
                    else "requests of other networks are reset"
                )
                cause = f"there is no Gateway {name} in {facts.root}, so the proxies listen to nobody: {whom}"
                yield error("CHECK607", plan.name, cause, _UP, where)
            elif name == names.CROSS_NETWORK_GATEWAY:
                yield from _lets(plan, item, where)


def _lets(plan: ClusterPlan, item: Object, where: list[str]) -> Iterator[Result]:
    servers = [one for one in item["spec"].get("servers") or () if one.get("port", {}).get("number") == names.MTLS_PORT]
    hosts = sorted({host for one in servers for host in one.get("hosts") or ()})
    modes = {(one.get("tls") or {}).get("mode") for one in servers}
    stated = sorted(plan.settings.east_west.hosts)
    if hosts != stated or modes != {"AUTO_PASSTHROUGH"}:
        is_ = f"{', '.join(hosts) or 'nothing'} by {', '.join(sorted(map(str, modes))) or 'no server'}"
        cause = (
            f"Gateway {names.CROSS_NETWORK_GATEWAY} lets {is_} through port {names.MTLS_PORT}, and the document says "
            f"{', '.join(stated)} by AUTO_PASSTHROUGH"
        )
        yield error("CHECK608", plan.name, cause, _UP, where)


RULES = (doors, openings)
