"""Where clusters are on the map: around a middle that lines cross where there are few, row by row where many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Literal

from meshctl.graph.model import OUTSIDE
from meshctl.graph.scene import Scene

FOLDED_FROM = 9
"""So many clusters have no line for each pair: the matrix shows pairs, and a chosen cluster its own."""
SMALL_FROM = 31
_TILE, _ROW, _FRAME = 74, 21, 44
"""Height of a tile with its gap and no chips, of a row of chips, and what a network adds to its tiles."""
_ROWS, _IN_A_ROW = 2, 2


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


def rows(scene: Scene) -> int:
    """How many rows of chips the tiles have room for: one more where there are ways in and out, and for signs."""
    beside = [sum(gateway.kind in OUTSIDE for gateway in cluster.gateways) for cluster in scene.graph.clusters()]
    signs = any(part.gateways for part in scene.clusters.values())
    return _ROWS - (-max(beside, default=0) // _IN_A_ROW) + signs


def where(groups: Sequence[Group], rows: int = _ROWS) -> tuple[list[str], str]:
    """Styles of the frames, on an ellipse (the first at the left where there are two, else at the top), and of the room
    around them. All heights are known, so nothing has to be measured."""
    count = len(groups)
    highs = [len(group.clusters) * (_TILE + _ROW * rows) + _FRAME for group in groups]
    turn = pi if count == 2 else -pi / 2
    angles = [turn + 2 * pi * index / count for index in range(count)]
    far = 0 if count == 1 else max(max(highs) / 2 + 56, 40 * count)
    middles = [far * sin(angle) for angle in angles]
    top = min(middle - high / 2 for middle, high in zip(middles, highs, strict=True)) - 12
    bottom = max(middle + high / 2 for middle, high in zip(middles, highs, strict=True)) + 12
    # The ends of the ellipse are as far out as the frames allow, and the lines that bend beside them.
    wide = 0 if count == 1 else 34.5
    styles = [
        f' style="left:{50 + wide * cos(angle):.1f}%;top:{middle - top - high / 2:.0f}px"'
        for angle, middle, high in zip(angles, middles, highs, strict=True)
    ]
    return styles, f' style="height:{bottom - top:.0f}px"'


def columns(size: str, group: Group) -> str:
    """Style of the tiles in a frame of many."""
    rows, most = (5, 5) if size == "many" else (10, 7)
    return "" if size == "few" else f' style="--columns:{min(most, -(-len(group.clusters) // rows))}"'
