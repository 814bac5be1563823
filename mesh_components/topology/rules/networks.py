"""Networks: address ranges that must not meet, and the gateways without which two networks never meet.

"The same network" means that pods reach each other's addresses directly
(https://istio.io/latest/docs/ops/deployment/deployment-models/#network-models).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.topology.plan import needs_east_west, networks
from mesh_components.topology.rules.context import Context, at, error, quoted, warning

Range = IPv4Network | IPv6Network
Ranges = tuple[tuple[str, Range], ...]
"""Ranges with the key they stand in, `("podRanges[0]", 10.0.0.0/16)`."""

NODE_SELECTOR = "traffic.istio.io/nodeSelector"
"""https://istio.io/latest/docs/reference/config/annotations/#TrafficNodeSelector"""


def overlap_in_network(context: Context) -> Iterator[Finding]:
    """MESH201. A pod's address must mean one pod in the whole network (istio#14066)."""
    clusters = context.mesh.clusters
    ranges = [_ranges(cluster) for cluster in clusters]
    for i, j in context.pairs():
        if clusters[i].network == clusters[j].network:
            yield from _overlaps(clusters[i], j, ranges[i], ranges[j], clusters[i].network)


def _overlaps(earlier: ClusterSettings, index: int, theirs: Ranges, ours: Ranges, network: str) -> Iterator[Finding]:
    for key, range_ in ours:
        for other_key, other in theirs:
            if not range_.overlaps(other):
                continue
            what = f'{range_} overlaps {other} of "{earlier.name}" ({other_key}), and both are in network "{network}"'
            if key.startswith("service") and other_key.startswith("service"):
                yield _services_overlap(index, key, what)
            else:
                yield error(
                    "MESH201",
                    at(index, key),
                    f"{what}: an address there may be either cluster's, so calls end at the wrong pod or nowhere",
                    "give the clusters ranges of their own, or put them in different networks with east-west gateways",
                )


def _services_overlap(index: int, key: str, what: str) -> Finding:
    """A warning: istiod keeps a service's address per cluster, and GKE gives all its clusters the same range."""
    return warning(
        "MESH201",
        at(index, key),
        f"{what}: a service that lives in only one of them may have the address of another service of the other one",
        "give the clusters service ranges of their own; or go on where every service exists in both",
    )


def overlap_in_cluster(context: Context) -> Iterator[Finding]:
    """MESH202."""
    for index, cluster in context.clusters():
        ranges = _ranges(cluster)
        for position, (key, range_) in enumerate(ranges):
            for other_key, other in ranges[:position]:
                if range_.overlaps(other):
                    yield error(
                        "MESH202",
                        at(index, key),
                        f"{range_} overlaps {other} ({other_key}) of the same cluster, which no cluster can have",
                        "write the ranges the cluster was made with",
                    )


def malformed_range(context: Context) -> Iterator[Finding]:
    """MESH203. Go's `net.ParseCIDR`, which reads these in Kubernetes and Istio, is as strict."""
    for place, text in _all_ranges(context):
        problem = _problem(text)
        if problem:
            yield error("MESH203", place, f"{quoted(text)} {problem}", f"write it as {_corrected(text)}")


def no_gateway(context: Context) -> Iterator[Finding]:
    """MESH207. istiod takes endpoints of a network without a known gateway for directly reachable, so calls time out
    (https://istio.io/latest/docs/setup/install/multicluster/multi-primary_multi-network/)."""
    if len(networks(context.mesh)) == 1:
        return
    for index, cluster in context.clusters():
        if needs_east_west(context.mesh, cluster):
            continue
        others = [c for c in context.mesh.clusters if c.network == cluster.network and needs_east_west(context.mesh, c)]
        place, fix = at(index, "eastWest.enabled"), "leave `eastWest.enabled` out, or set it to true"
        if others:
            reason = (
                f'other networks reach "{cluster.name}" only through the gateway of "{others[0].name}", and no longer '
                "when that one is gone"
            )
            yield warning("MESH207", place, reason, fix)
        else:
            reason = (
                f'no cluster of network "{cluster.network}" has an east-west gateway; the other networks would call '
                "its pods by addresses they cannot reach, and time out"
            )
            yield error("MESH207", place, reason, fix)


def hidden_gateway(context: Context) -> Iterator[Finding]:
    """MESH208. istiod finds gateways by their load balancer's address, or by node where the annotation selects nodes
    (istio/istio pilot/pkg/serviceregistry/kube/controller/network.go; istio#49045)."""
    if len(networks(context.mesh)) == 1 or _has_mesh_networks(context):
        return
    for index, cluster in context.clusters():
        gateway = cluster.east_west
        if not needs_east_west(context.mesh, cluster):
            continue
        if gateway.service_type == "ClusterIP":
            yield error(
                "MESH208",
                at(index, "eastWest.serviceType"),
                "a gateway with a Service of type ClusterIP has no address outside of its cluster, so peers do not "
                "find it and calls to this network time out",
                "use LoadBalancer, or NodePort with the annotation traffic.istio.io/nodeSelector",
            )
        elif gateway.service_type == "NodePort" and NODE_SELECTOR not in gateway.annotations:
            yield error(
                "MESH208",
                at(index, "eastWest.annotations"),
                "peers use a gateway of type NodePort only when its Service says which nodes to use, so calls to this "
                "network time out",
                f"add the annotation {NODE_SELECTOR}, '{{}}' for all nodes that have an external address",
            )


def replicas(context: Context) -> Iterator[Finding]:
    """MESH209. The API server refuses such an autoscaler."""
    for index, cluster in context.clusters():
        low, high = cluster.east_west.min_replicas, cluster.east_west.max_replicas
        if low > high:
            yield error(
                "MESH209",
                at(index, "eastWest.minReplicas"),
                f"minReplicas {low} is more than maxReplicas {high}; the API server refuses such an autoscaler",
                f"set maxReplicas to {low} or more, or minReplicas to {high} or less",
            )


def _ranges(cluster: ClusterSettings) -> Ranges:
    """The well-formed ranges; MESH203 tells of the others."""
    stated = [(f"podRanges[{n}]", text) for n, text in enumerate(cluster.pod_ranges)]
    stated += [(f"serviceRanges[{n}]", text) for n, text in enumerate(cluster.service_ranges)]
    return tuple((key, ip_network(text)) for key, text in stated if not _problem(text))


def _all_ranges(context: Context) -> Iterator[tuple[str, str]]:
    for index, cluster in context.clusters():
        for key, texts in (
            ("podRanges", cluster.pod_ranges),
            ("serviceRanges", cluster.service_ranges),
            ("eastWest.loadBalancerSourceRanges", cluster.east_west.load_balancer_source_ranges),
        ):
            yield from ((at(index, f"{key}[{n}]"), text) for n, text in enumerate(texts))
    proxy = context.mesh.istio.mesh_config.proxy
    included = tuple(text for text in proxy.include_ip_ranges if text != "*")
    for key, texts in (("includeIPRanges", included), ("excludeIPRanges", proxy.exclude_ip_ranges)):
        yield from ((f"istio.meshConfig.proxy.{key}[{n}]", text) for n, text in enumerate(texts))


def _problem(text: str) -> str:
    """Why the text is no CIDR; empty when it is one."""
    try:
        interface = ip_interface(text)
    except ValueError:
        return "is no range of addresses"
    if not text.partition("/")[2].isdecimal():
        return "is no CIDR: it lacks a prefix length"
    exact = interface.ip == interface.network.network_address
    return "" if exact else f"has bits set behind the prefix; its range is {interface.network}"


def _corrected(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return "address/length, such as 10.0.0.0/16"


def _has_mesh_networks(context: Context) -> bool:
    """`global.meshNetworks` tells istiod the gateways itself, so they need not be found."""
    shared = context.mesh.istio.values.istiod.get("global")
    return isinstance(shared, dict) and bool(shared.get("meshNetworks"))


RULES = (overlap_in_network, overlap_in_cluster, malformed_range, no_gateway, hidden_gateway, replicas)
