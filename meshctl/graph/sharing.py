"""Which links may be drawn as one line from many to many, and say nothing that is not so."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from meshctl.graph.model import Graph, Plane

Pair = tuple[str, str]
"""Where a link begins and ends: names of clusters."""


def complete(pairs: Collection[Pair], group: Mapping[str, str]) -> bool:
    """Whether every start is linked to every end outside of its group."""
    starts, ends = ({pair[side] for pair in pairs} for side in (0, 1))
    return set(pairs) == {(one, other) for one in starts for other in ends if group[one] != group[other]}


def shared(pairs: Collection[Pair], group: Mapping[str, str]) -> list[list[Pair]]:
    """All in one where they are complete; else those that lead to the same ends together."""
    found = list(dict.fromkeys(pairs))
    if complete(found, group):
        return [found] if found else []
    alike: dict[frozenset[str], list[Pair]] = {}
    for start in dict.fromkeys(start for start, _ in found):
        mine = [pair for pair in found if pair[0] == start]
        alike.setdefault(frozenset(end for _, end in mine), []).extend(mine)
    return list(alike.values())


def between(graph: Graph, plane: Plane) -> list[list[Pair]]:
    """Callers and the clusters through whose gateways they call, across networks."""
    networks = {cluster.name: cluster.network for cluster in graph.clusters()}
    return shared([(x.caller, name) for x in graph.calls if x.plane == plane for name in x.through], networks)


def direct(graph: Graph, network: str) -> list[list[Pair]]:
    """Callers and those whom they call, within a network."""
    inside = {cluster.name: cluster.name for cluster in graph.clusters() if cluster.network == network}
    return shared([(x.caller, x.target) for x in graph.calls if x.caller in inside and not x.through], inside)
