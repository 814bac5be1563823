"""Which lines the picture has, from the links of the model and the places of the layout."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from meshctl.graph import sharing
from meshctl.graph.doors import gateway_key
from meshctl.graph.layout import CACERTS, GAP, LANE, SERVER, Card, Layout
from meshctl.graph.model import GATEWAY_OF, PORT_OF, GatewayKind, Graph, Plane
from meshctl.graph.scene import EMPTY, MARKS, NOTHING, Owner, Part, State, discovered
from meshctl.graph.wires import HEAD, RADIUS, Head, Point, Wires

Key = TypeVar("Key", bound=Hashable)
DIRECT, OUT, SERVED = -7, 0, 7
"""Where lines leave workloads: to pods of the network, to other networks, to their istiod."""


def routes(graph: Graph, placed: Layout, parts: Mapping[Owner, Part] = NOTHING) -> tuple[list[Wires], int]:
    """All lines, one `Wires` a kind and state, and the right edge of the last lane."""
    lane = placed.outside + GAP
    between = []
    for plane in PORT_OF:
        wires, lane = _between(graph, placed, plane, lane)
        between.append(wires)
    control, lane = _control(graph, placed, lane, parts)
    foreign, incoming, right = _meshes(graph, placed, lane)
    discovery = _discovery(graph, placed, parts)
    return [_trust(graph, placed), foreign, *discovery, _direct(graph, placed), *between, *control, incoming], right


def _trust(graph: Graph, placed: Layout) -> Wires:
    wires = Wires("trust")
    for name in graph.signs:
        card = placed.cards[name]
        wires.drop(placed.trust_lane, placed.root.bottom, card.chips[CACERTS].left())
        _down(wires, card, CACERTS, card.istiods()[0].key)
    return wires


def _discovery(graph: Graph, placed: Layout, parts: Mapping[Owner, Part]) -> list[Wires]:
    """Those that something happens to come last: they are drawn over the others."""
    found: dict[tuple[bool, State], Wires] = {}
    pairs: dict[tuple[str, bool], list[tuple[str, Point, Point]]] = {}
    for link in discovered(graph, parts):
        start = placed.cards[link.reader].istiods()[0].left(-5 if link.config else 0)
        end = placed.cards[link.source].chips[SERVER].left()
        pairs.setdefault((link.reader, link.config), []).append((link.source, start, end))
    ends = {key: [(start, end) for _, start, end in links] for key, links in pairs.items()}
    for lane, (reader, config) in enumerate(_by_length(ends)):
        for source, start, end in pairs[reader, config]:
            state = parts.get((reader, source), EMPTY).state
            wires = found.setdefault((config, state), Wires("config" if config else "discovery", state))
            wires.route(start, placed.trust_lane - LANE * (lane + 1), end)
    return sorted(found.values(), key=_order)


def _order(wires: Wires) -> tuple[bool, int]:
    return wires.kind == "config", list(MARKS).index(wires.state) if wires.state else -1


def _direct(graph: Graph, placed: Layout) -> Wires:
    wires = Wires("direct")
    planes = {(link.caller, link.target, link.plane) for link in graph.calls}
    for network in graph.networks:
        ends = {
            number: [
                (placed.cards[caller].chips[plane].right(DIRECT), placed.cards[target].chips[plane].right(DIRECT))
                for caller, target in pairs
                for plane in PORT_OF
                if (caller, target, plane) in planes
            ]
            for number, pairs in enumerate(sharing.direct(graph, network.name))
        }
        for lane, number in enumerate(_by_length(ends)):
            for start, end in ends[number]:
                wires.route(start, placed.direct_lane + LANE * lane, end)
    return wires


def _between(graph: Graph, placed: Layout, plane: Plane, lane: int) -> tuple[Wires, int]:
    """The lines, and the next free lane."""
    wires = Wires(plane)
    servers = {(link.server, link.gateway) for link in graph.control}
    servers |= {(machine.server, "east-west") for machine in graph.machines}
    kind = GATEWAY_OF[plane]
    ends: dict[int, list[tuple[Point, Point]]] = {}
    for number, pairs in enumerate(sharing.between(graph, plane)):
        for caller, name in pairs:
            card = placed.cards[name]
            end = card.chips[gateway_key(kind)].right(-5 if (name, kind) in servers else 0)
            ends.setdefault(number, []).append((placed.cards[caller].chips[plane].right(OUT), end))
            _up(wires, card, gateway_key(kind), plane)
    for number in _by_length(ends):
        for start, end in ends[number]:
            wires.route(start, lane, end)
        lane += LANE + 4
    return wires, lane


def _control(graph: Graph, placed: Layout, first: int, parts: Mapping[Owner, Part]) -> tuple[list[Wires], int]:
    found: dict[State, Wires] = {}
    pairs: dict[str, list[tuple[Point, Point]]] = {}
    states: dict[tuple[Point, Point], State] = {}
    for link in graph.control:
        card, served = placed.cards[link.server], placed.cards[link.cluster]
        shared = any(link.server in calls.through for calls in graph.calls)
        end = card.chips[gateway_key(link.gateway)].right(5 if shared else 0)
        ends = served.chips[served.cluster.planes[0]].right(SERVED), end
        pairs.setdefault(link.server, []).append(ends)
        states[ends] = state = parts.get((link.cluster, link.server), EMPTY).control
        _inside(found.setdefault(state, Wires("control", state)), card, link.gateway)
    for machine, note in zip(graph.machines, placed.machines, strict=True):
        card = placed.cards[machine.server]
        if gateway_key("east-west") in card.chips:
            shared = any(machine.server in calls.through for calls in graph.calls)
            end = card.chips[gateway_key("east-west")].right(5 if shared else 0)
            pairs.setdefault(machine.server, []).append((note.right(), end))
            _inside(found.setdefault("", Wires("control")), card, "east-west")
    order = _by_length(pairs)
    for lane, server in enumerate(order):
        for start, end in pairs[server]:
            state = states.get((start, end), "")
            wires = found.setdefault(state, Wires("control", state))
            wires.route(start, first + LANE * lane, end)
            if state:
                wires.mark(Point(first + LANE * lane, (start.y + end.y) // 2))
    return sorted(found.values(), key=_order), first + LANE * (len(order) - 1)


def _meshes(graph: Graph, placed: Layout, last: int) -> tuple[Wires, Wires, int]:
    """Trust between roots, requests that come in, and the right edge."""
    foreign, incoming = Wires("foreign"), Wires("incoming")
    lane = last + LANE + 4
    for mesh, note in zip(graph.meshes, placed.meshes, strict=True):
        foreign.drop(placed.trust_lane + 8, placed.root.bottom, note.left())
        for name in mesh.through:
            incoming.route(note.right(), lane, placed.cards[name].chips[gateway_key("cross-mesh")].right())
    return foreign, incoming, lane if incoming else last


def _by_length(pairs: Mapping[Key, Sequence[tuple[Point, Point]]]) -> list[Key]:
    """Those with short ways first: their lanes are the inner ones, so that fewer lines cross."""

    def length(key: Key) -> int:
        heights = [point.y for pair in pairs[key] for point in pair]
        return max(heights) - min(heights)

    return sorted(pairs, key=length)


def _inside(wires: Wires, card: Card, kind: GatewayKind) -> None:
    """From the gateway to every istiod of its cluster."""
    first, *others = card.istiods()
    start, end = card.chips[gateway_key(kind)].left(), first.right()
    wires.level(end.y, end.x + HEAD, start.x)
    wires.head(Head(end.x, end.y, -1, 0))
    for other in others:
        wires.drop(end.x + HEAD + RADIUS, end.y, other.right())


def _down(wires: Wires, card: Card, upper: str, lower: str) -> None:
    begin, end = card.chips[upper].box, card.chips[lower].box
    wires.upright(begin.middle.x, begin.bottom, end.y - HEAD)
    wires.head(Head(begin.middle.x, end.y, 0, 1))


def _up(wires: Wires, card: Card, lower: str, upper: str) -> None:
    begin, end = card.chips[lower].box, card.chips[upper].box
    wires.upright(begin.middle.x, begin.y, end.bottom + HEAD)
    wires.head(Head(begin.middle.x, end.bottom, 0, -1))
