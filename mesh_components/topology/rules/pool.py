"""The address plan, and what ranges clusters that are made here may have. `rules.ranges` compares what pods call."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.topology.addresses import (
    CONTROL_PLANE_PREFIX,
    addresses,
    slot,
    slot_number,
    slots,
    takes_from_pool,
)
from mesh_components.topology.gke import gke, gke_subnet, vpc_of
from mesh_components.topology.rules.context import Context, at, error, quoted
from mesh_components.topology.rules.ranges import FROM_SLOT, Range, Ranges, problem, ranges_of

_NODES, _CONTROL_PLANE = "create.gke.nodeRange", "create.gke.controlPlaneRange"


def pool(context: Context) -> Iterator[Finding]:
    """MESH224."""
    stated = context.mesh.addresses
    wrong = problem(stated.pool) or ("is not of IPv4" if ":" in stated.pool else "")
    if wrong or not slots(stated):
        wrong = wrong or f"has no room for a slot of /{stated.cluster_prefix}"
        yield error(
            "MESH224",
            "addresses.pool",
            f"{quoted(stated.pool)} {wrong}, and clusters that are made here take their ranges from it",
            "write a range such as 10.0.0.0/8, and a longer `clusterPrefix` for more and smaller slots",
        )
        return
    for index, cluster in context.clusters():
        if takes_from_pool(cluster) and cluster.slot is not None and cluster.slot >= slots(stated):
            yield error(
                "MESH224",
                at(index, "slot"),
                f"the pool {stated.pool} has {slots(stated)} slots of /{stated.cluster_prefix}, counted from 0, and "
                f"{cluster.slot} is none of them",
                f"write a number below {slots(stated)}, or make the pool larger",
            )


def one_slot_each(context: Context) -> Iterator[Finding]:
    """MESH225. Nothing but its own entry decides about a cluster's slot, so that no cluster moves because of another;
    so where two names give the same, only a person can say which of them gets another."""
    stated = context.mesh.addresses
    taken: dict[tuple[str, int], int] = {}
    for index, cluster in context.clusters():
        if not takes_from_pool(cluster) or not slots(stated):
            continue
        number = slot_number(stated, cluster)
        earlier = taken.setdefault((vpc_of(cluster), number), index)
        if earlier != index:
            other = context.mesh.clusters[earlier]
            free = _free(context, vpc_of(cluster))
            yield error(
                "MESH225",
                at(index, "slot"),
                f'"{cluster.name}" and "{other.name}" both have slot {number} of {stated.pool}, and so the same '
                "ranges in one VPC",
                f"write `slot: {free}` at the one of them that is not made yet: that one is free"
                if free is not None
                else "all slots are taken: make the pool larger",
            )


def one_vpc(context: Context) -> Iterator[Finding]:
    """MESH226. Google refuses subnets and control planes in one VPC whose ranges overlap; pods and services of one
    network are compared by MESH201."""
    if not slots(context.mesh.addresses):
        return
    whole = [_of_vpc(context, cluster) for cluster in context.mesh.clusters]
    for index, cluster in context.clusters():
        earlier = [(n, other) for n, other in enumerate(context.mesh.clusters[: index + 1]) if gke(other)]
        for position, other in earlier if gke(cluster) else ():
            if vpc_of(other) == vpc_of(cluster):
                yield from _overlaps(index, cluster, whole[index], other, whole[position], position == index)


def _overlaps(
    index: int, cluster: ClusterSettings, ours: Ranges, other: ClusterSettings, theirs: Ranges, itself: bool
) -> Iterator[Finding]:
    for n, (key, range_) in enumerate(ours):
        for other_key, met in theirs[:n] if itself else theirs:
            known = _called(key) and _called(other_key) and (itself or cluster.network == other.network)
            if known or key == other_key == FROM_SLOT or not range_.overlaps(met):
                continue
            whose = "of the same cluster" if itself else f'of "{other.name}"'
            yield error(
                "MESH226",
                at(index, key),
                f"{range_} overlaps {met} {whose} ({other_key}), in one VPC; Google refuses the second of them",
                "write ranges that are free, or leave them out: those from the pool do not meet",
            )


def usable(context: Context) -> Iterator[Finding]:
    """MESH230 (https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips)."""
    for index, cluster in context.clusters():
        made = gke(cluster)
        if made is None:
            continue
        for key, texts in (("podRanges", cluster.pod_ranges), ("serviceRanges", cluster.service_ranges)):
            if len(texts) > 1:
                yield error(
                    "MESH230",
                    at(index, f"{key}[1]"),
                    f"a cluster that is made here has one range of this kind, and {len(texts)} are written",
                    "write one, large enough",
                )
        written = {f"podRanges[{n}]": text for n, text in enumerate(cluster.pod_ranges)}
        written |= {f"serviceRanges[{n}]": text for n, text in enumerate(cluster.service_ranges)}
        single = {_NODES: made.node_range, _CONTROL_PLANE: made.control_plane_range}
        written |= {key: text for key, text in single.items() if text is not None}
        for key, text in written.items():
            wrong = _unusable(key, text)
            if wrong:
                yield error("MESH230", at(index, key), f"{quoted(text)} {wrong}", "write another one, or leave it out")


def _unusable(key: str, text: str) -> str:
    if problem(text):
        return problem(text) if key in (_NODES, _CONTROL_PLANE) else ""  # MESH203 tells of the others
    network = ip_network(text)
    if network.version != 4:
        return "is of IPv6, and ranges of GKE clusters that are made here are of IPv4"
    if key == _CONTROL_PLANE and network.prefixlen != CONTROL_PLANE_PREFIX:
        return f"is a /{network.prefixlen}, and GKE takes nothing but a /{CONTROL_PLANE_PREFIX} for a control plane"
    return ""


def _of_vpc(context: Context, cluster: ClusterSettings) -> Ranges:
    """All ranges that a cluster takes of its VPC, as far as they are known."""
    made = gke(cluster)
    if made is None:
        return ()
    plan = addresses(context.mesh, cluster)
    found = [] if gke_subnet(cluster) else list(ranges_of(context.mesh, cluster))
    single = [(_CONTROL_PLANE, made.control_plane_range, plan.control_plane)]
    if gke_subnet(cluster) is None:
        single.append((_NODES, made.node_range, plan.nodes))
    for key, written, planned in single:
        text = written or planned
        if not problem(text):
            found.append((key if written else FROM_SLOT, ip_network(text)))
    return tuple(found)


def _called(key: str) -> bool:
    """Whether it is a range that MESH201 and MESH202 compare."""
    return key.startswith("podRanges") or key == FROM_SLOT


def _free(context: Context, vpc: str) -> int | None:
    """The first slot in a VPC that no cluster has, and no written range touches."""
    stated = context.mesh.addresses
    group = [cluster for cluster in context.mesh.clusters if gke(cluster) and vpc_of(cluster) == vpc]
    taken = {slot_number(stated, cluster) for cluster in group if takes_from_pool(cluster)}
    same = {cluster.network for cluster in group}
    written = [
        range_
        for cluster in context.mesh.clusters
        if cluster.network in same
        for key, range_ in (*ranges_of(context.mesh, cluster), *_of_vpc(context, cluster))
        if key != FROM_SLOT
    ]
    return next((n for n in range(slots(stated)) if n not in taken and not _touched(context, n, written)), None)


def _touched(context: Context, number: int, written: list[Range]) -> bool:
    own = slot(context.mesh.addresses, number)
    parts = (own.pods, own.nodes, own.services, own.control_plane)
    return any(part.overlaps(range_) for part in parts for range_ in written)


RULES = (pool, one_slot_each, one_vpc, usable)
