"""How gateways are, and the ways through them to istiod: from the rows of a preview, or from what was seen.

A gateway's state is that of its component; the state of a way is that of what leads there, at both ends. Requests have
none of their own: they follow from gateways and discovery.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from meshctl.graph.model import OUTSIDE, Cluster, Control, Gateway, GatewayKind, Graph
from meshctl.graph.scene import EMPTY, Owner, Part, State, Thing
from meshctl.rows import Row

COMPONENTS: Mapping[GatewayKind, str] = {
    "east-west": "EastWestGateway",
    "ambient": "AmbientGateway",
    "external": "ExternalGateway",
    "ingress": "IngressGateway",
    "egress": "EgressGateway",
    "cross-mesh": "CrossMeshGateway",
}
_WAY = ("-expose-istiod", "-route-")
"""What the name of an object of an east-west gateway goes on with that leads to istiod."""

Changes = Callable[[Iterable[Row]], State]
"""What happens to all of them, in one word; nothing to none."""


def gateway_key(kind: GatewayKind) -> str:
    """Under which a card has its gateway; "ambient" alone is a data plane."""
    return f"gateway {kind}"


def gateway_keys(cluster: Cluster) -> dict[Gateway, str]:
    """The same for each: there may be several ingress gateways; lines end at the one for other meshes only."""
    beside = [gateway for gateway in cluster.gateways if gateway.kind in OUTSIDE]
    return {
        gateway: gateway_key(gateway.kind)
        + (f" {beside.index(gateway)}" if gateway in beside and gateway.kind != "cross-mesh" else "")
        for gateway in cluster.gateways
    }


def with_gone(graph: Graph, parts: Mapping[Owner, Part]) -> Graph:
    """The same picture with gateways in their clusters that have left the document. No line leads there."""

    def having(cluster: Cluster) -> Cluster:
        stated = parts.get((cluster.name, ""), EMPTY).gateways
        gone = tuple(gateway for gateway in stated if gateway not in cluster.gateways)
        return replace(cluster, gateways=(*cluster.gateways, *gone)) if gone else cluster

    return replace(
        graph,
        outside=tuple(map(having, graph.outside)),
        networks=tuple(replace(one, clusters=tuple(map(having, one.clusters))) for one in graph.networks),
    )


class Rows:
    """Rows of a preview by the component that they are part of."""

    def __init__(self, rows: Sequence[Row], changes: Changes) -> None:
        self._rows, self._changes = rows, changes
        self._by_urn = {row.urn: row for row in rows}

    def gateways(self, cluster: Cluster, things: Iterable[Thing]) -> dict[Gateway, State]:
        """Those of a cluster to which something happens; `things` are its components."""
        found: dict[Gateway, State] = {}
        listed = list(things)
        for kind, component in COMPONENTS.items():
            mine = [gateway for gateway in cluster.gateways if gateway.kind == kind]
            named = [thing.name for thing in listed if thing.type == component]
            for gateway, name in zip(mine, named, strict=False):
                if state := self._changes(self._under(name)):
                    found[gateway] = state
        return found

    def gone(self, mine: Callable[[Row], bool], prefix: str) -> dict[Gateway, State]:
        """Those of a cluster that are deleted, by their components, whose names have this prefix; `mine` tells whether
        a row is about the cluster."""
        kinds = {f"mesh:index:{component}": kind for kind, component in COMPONENTS.items()}
        rows = (row for row in self._rows if row.op == "delete" and row.type in kinds and mine(row))
        return {Gateway(kinds[row.type], row.name.removeprefix(prefix), ()): "delete" for row in rows}

    def control(self, served: Iterable[Thing], server: Iterable[Thing]) -> State:
        """How a way to istiod changes: what stands for istiod where it is called, and what lets through to it."""
        here = [row for thing in served if thing.type == "RemoteIstiod" for row in self._under(thing.name)]
        if state := self._changes(here):
            return state
        there = [row for thing in server for row in self._leading(thing)]
        return "update" if self._changes(there) else ""

    def _leading(self, thing: Thing) -> Iterator[Row]:
        if thing.type == "ExposeExternalIstiod":
            yield from self._under(thing.name)
        elif thing.type == COMPONENTS["east-west"]:
            yield from (row for row in self._under(thing.name) if row.name.removeprefix(thing.name).startswith(_WAY))

    def _under(self, name: str) -> list[Row]:
        return [row for row in self._rows if any(above.name == name for above in self._above(row))]

    def _above(self, row: Row) -> Iterator[Row]:
        above: Row | None = row
        while above is not None:
            yield above
            above = self._by_urn.get(above.parent)


def seen_gateways(cluster: Cluster, things: Iterable[Thing]) -> dict[Gateway, State]:
    """By what was found of their Services."""
    states = {thing.name: thing.state for thing in things if thing.type == "Service"}
    return {gateway: states[gateway.name] for gateway in cluster.gateways if gateway.name in states}


def seen_control(link: Control, server: Cluster, things: Iterable[Thing]) -> State:
    """How the way to istiod is: as the worst of the gateway and the istiods behind it. Of no cluster that could not be
    asked is anything known."""
    listed = list(things)
    if not listed:
        return "unknown"
    states = [thing.state for thing in listed if thing.type == "Deployment"]
    gateways = seen_gateways(server, listed)
    states += [state for gateway, state in gateways.items() if gateway.kind == link.gateway]
    grave: tuple[State, ...] = ("missing", "differs")
    return next((state for state in grave if state in states), "there")
