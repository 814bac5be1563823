"""Address ranges that must not meet. "The same network" means that pods reach each other's addresses directly
(https://istio.io/latest/docs/ops/deployment/deployment-models/#network-models).
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network

from mesh_components.settings import ClusterSettings, Finding, MeshSettings
from mesh_components.topology.addresses import addresses, slots
from mesh_components.topology.gke import gke, gke_subnet
from mesh_components.topology.roles import is_member
from mesh_components.topology.rules.context import Context, at, error, quoted, quoted_key, warning

Range = IPv4Network | IPv6Network
FROM_SLOT = "slot"
"""The key of a range that comes from the pool: no two slots overlap, and two clusters in one are MESH225."""
Ranges = tuple[tuple[str, Range], ...]
"""Ranges with the key they stand in, `("podRanges[0]", 10.0.0.0/16)`."""


def overlap_in_network(context: Context) -> Iterator[Finding]:
    """MESH201. A pod's address must mean one pod in the whole network (istio#14066). The pods of an external control
    plane's cluster are not in the mesh: nobody looks for them by address."""
    clusters = context.mesh.clusters
    ranges = [ranges_of(context.mesh, cluster) if is_member(cluster) else () for cluster in clusters]
    for i, j in context.pairs():
        if clusters[i].network == clusters[j].network:
            yield from _overlaps(clusters[i], j, ranges[i], ranges[j], clusters[i].network)


def _overlaps(earlier: ClusterSettings, index: int, theirs: Ranges, ours: Ranges, network: str) -> Iterator[Finding]:
    for key, range_ in ours:
        for other_key, other in theirs:
            if not range_.overlaps(other) or key == other_key == FROM_SLOT:  # MESH225
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
        ranges = ranges_of(context.mesh, cluster)
        for position, (key, range_) in enumerate(ranges):
            for other_key, other in ranges[:position]:
                if range_.overlaps(other) and not key == other_key == FROM_SLOT:
                    yield error(
                        "MESH202",
                        at(index, key),
                        f"{range_} overlaps {other} ({other_key}) of the same cluster, which no cluster can have",
                        "write the ranges the cluster was made with",
                    )


def malformed_range(context: Context) -> Iterator[Finding]:
    """MESH203. Go's `net.ParseCIDR`, which reads these in Kubernetes and Istio, is as strict."""
    for place, text in _all_ranges(context):
        wrong = problem(text)
        if wrong:
            yield error("MESH203", place, f"{quoted(text)} {wrong}", f"write it as {_corrected(text)}")


def ranges_of(mesh: MeshSettings, cluster: ClusterSettings) -> Ranges:
    """The well-formed ranges of pods and services, those from the pool too; MESH203 tells of the others."""
    stated = [(f"podRanges[{n}]", text) for n, text in enumerate(cluster.pod_ranges)]
    stated += [(f"serviceRanges[{n}]", text) for n, text in enumerate(cluster.service_ranges)]
    if gke(cluster) and slots(mesh.addresses) and gke_subnet(cluster) is None:
        plan = addresses(mesh, cluster)
        stated += [] if cluster.pod_ranges else [(FROM_SLOT, plan.pods)]
        stated += [] if cluster.service_ranges else [(FROM_SLOT, plan.services)]
    return tuple((key, ip_network(text)) for key, text in stated if not problem(text))


def _all_ranges(context: Context) -> Iterator[tuple[str, str]]:
    for index, cluster in context.clusters():
        for key, texts in (
            ("podRanges", cluster.pod_ranges),
            ("serviceRanges", cluster.service_ranges),
            ("create.gke.authorizedNetworks", _authorized(cluster)),
        ):
            yield from ((at(index, f"{key}[{n}]"), text) for n, text in enumerate(texts))
    for door, _, gateway in context.doors():
        for n, text in enumerate(gateway.load_balancer_source_ranges):
            yield f"{door}.loadBalancerSourceRanges[{n}]", text
    for name, network in context.mesh.istio.mesh_networks.items():
        for n, endpoints in enumerate(network.endpoints):
            if endpoints.from_cidr is not None:
                yield f"istio.meshNetworks.{quoted_key(name)}.endpoints[{n}].fromCidr", endpoints.from_cidr
    proxy = context.mesh.istio.mesh_config.proxy
    included = tuple(text for text in proxy.include_ip_ranges if text != "*")
    for key, texts in (("includeIPRanges", included), ("excludeIPRanges", proxy.exclude_ip_ranges)):
        yield from ((f"istio.meshConfig.proxy.{key}[{n}]", text) for n, text in enumerate(texts))


def _authorized(cluster: ClusterSettings) -> tuple[str, ...]:
    made = gke(cluster)
    return tuple(item.cidr for item in made.authorized_networks) if made else ()


def problem(text: str) -> str:
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


RULES = (overlap_in_network, overlap_in_cluster, malformed_range)
