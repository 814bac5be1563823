"""Where clusters are on the map: around a middle that lines cross where there are few, row by row where many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Literal

from meshctl.graph.scene import Scene

FOLDED_FROM = 9
"""So many clusters have no line for each pair: the matrix shows pairs, and a chosen cluster its own."""
SMALL_FROM = 31
_TILE, _FRAME = 116, 44
"""Height of a tile with its gap, and what a network adds to its tiles."""


@dataclass(frozen=True)
class Group:
    """Clusters in one frame."""

    title: str
    kind: Literal["member", "outside", "gone"]
    clusters: tuple[str, ...]


def groups(scene: Scene) -> list[Group]:
    """The frames, in the order of `Graph.clusters`."""
    graph = scene.graph
    found = []
    if graph.outside:
        found.append(Group("outside of the networks", "outside", tuple(cluster.name for cluster in graph.outside)))
    found += [Group(item.name, "member", tuple(c.name for c in item.clusters)) for item in graph.networks]
    if scene.gone:
        found.append(Group("not in the document", "gone", scene.gone))
    return found


def size(scene: Scene) -> str:
    """How large the tiles are."""
    count = len(scene.graph.clusters()) + len(scene.gone)
    return "few" if count < FOLDED_FROM else "many" if count < SMALL_FROM else "most"


def where(index: int, groups: Sequence[Group]) -> str:
    """Style of a frame: on an ellipse, the first at the left where there are two, else at the top."""
    count = len(groups)
    if count == 1:
        return ' style="left:50%;top:50%"'
    turn = pi if count == 2 else -pi / 2
    angle = turn + 2 * pi * index / count
    # The ends of the ellipse are as far out as the frames' own size allows.
    return f' style="left:{50 + 37 * cos(angle):.1f}%;top:{50 + _share(groups) * sin(angle):.1f}%"'


def columns(size: str, group: Group) -> str:
    """Style of the tiles in a frame of many."""
    rows, most = (5, 5) if size == "many" else (10, 7)
    return "" if size == "few" else f' style="--columns:{min(most, -(-len(group.clusters) // rows))}"'


def height(groups: Sequence[Group]) -> str:
    """Style of the room for the frames."""
    return f' style="height:{_room(groups)}px"'


def _tallest(groups: Sequence[Group]) -> int:
    return max(len(group.clusters) for group in groups) * _TILE + _FRAME


def _room(groups: Sequence[Group]) -> int:
    count = len(groups)
    tall = _tallest(groups)
    if count <= 2:
        return tall + 90
    return max(2 * tall + 80, tall + 72 * count)


def _share(groups: Sequence[Group]) -> float:
    """Half of what is left of the height beside the frames, in per cent of it."""
    room = _room(groups)
    return 50 * (room - _tallest(groups) - 16) / room
