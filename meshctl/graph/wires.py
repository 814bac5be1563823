"""How lines run: from a part sideways into a lane, along it, round a bend, and sideways into another part.

Lines of one kind that share a way are drawn once: a bend tells where one joins, two that cross without a bend do not
meet. All coordinates are whole pixels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from meshctl.graph.scene import State

RADIUS = 6
HEAD = 7
"""Length of an arrow's head."""


class Point(NamedTuple):
    """A place in the picture."""

    x: int
    y: int


class Head(NamedTuple):
    """The head of an arrow: where its tip is, and in which direction it points (1 or -1 in one of the two)."""

    x: int
    y: int
    dx: int
    dy: int

    def path(self) -> str:
        """A triangle."""
        back = Point(self.x - self.dx * HEAD, self.y - self.dy * HEAD)
        half = 4
        one = Point(back.x + self.dy * half, back.y + self.dx * half)
        other = Point(back.x - self.dy * half, back.y - self.dx * half)
        return f"M{self.x} {self.y} {one.x} {one.y} {other.x} {other.y}z"


class Wires:
    """All lines of one kind, and of one state where somebody has looked."""

    def __init__(self, kind: str, state: State = "") -> None:
        self.kind = kind
        self.state = state
        self._level: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._upright: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._bends: set[str] = set()
        self._heads: set[Head] = set()
        self._marks: set[Point] = set()

    def __bool__(self) -> bool:
        return bool(self._level or self._upright)

    def route(self, start: Point, lane: int, end: Point) -> None:
        """From `start` along the lane at x = `lane` to `end`, with a head there. Both are on the same side of it."""
        side = 1 if start.x > lane else -1
        self.head(Head(end.x, end.y, side, 0))
        stop = Point(end.x - side * HEAD, end.y)
        if start.y == end.y:
            self.level(start.y, start.x, lane)
            self.level(end.y, lane, stop.x)
            return
        down = 1 if end.y > start.y else -1
        bend = min(RADIUS, abs(end.y - start.y) // 2)
        self.level(start.y, lane + side * bend, start.x)
        self.level(end.y, lane + side * bend, stop.x)
        self.upright(lane, start.y + down * bend, end.y - down * bend)
        self._bends.add(f"M{lane + side * bend} {start.y}Q{lane} {start.y} {lane} {start.y + down * bend}")
        self._bends.add(f"M{lane + side * bend} {end.y}Q{lane} {end.y} {lane} {end.y - down * bend}")

    def drop(self, lane: int, top: int, end: Point) -> None:
        """From y = `top` down the lane and round a bend to `end`, with a head there."""
        side = 1 if end.x > lane else -1
        self.head(Head(end.x, end.y, side, 0))
        self.upright(lane, top, end.y - RADIUS)
        self._bends.add(f"M{lane + side * RADIUS} {end.y}Q{lane} {end.y} {lane} {end.y - RADIUS}")
        self.level(end.y, lane + side * RADIUS, end.x - side * HEAD)

    def level(self, y: int, one: int, other: int) -> None:
        """A level stretch."""
        self._level[y].append((min(one, other), max(one, other)))

    def upright(self, x: int, one: int, other: int) -> None:
        """An upright stretch."""
        self._upright[x].append((min(one, other), max(one, other)))

    def head(self, head: Head) -> None:
        """The head of an arrow."""
        self._heads.add(head)

    def mark(self, point: Point) -> None:
        """A place on it for the sign of its state."""
        self._marks.add(point)

    def marks(self) -> list[Point]:
        """All of these, from the top."""
        return sorted(self._marks, key=lambda point: (point.y, point.x))

    def line(self) -> str:
        """All stretches and bends as one path."""
        level = [f"M{a} {y}H{b}" for y in sorted(self._level) for a, b in merged(self._level[y])]
        upright = [f"M{x} {a}V{b}" for x in sorted(self._upright) for a, b in merged(self._upright[x])]
        return "".join([*level, *upright, *sorted(self._bends)])

    def heads(self) -> str:
        """All heads as one path."""
        return "".join(head.path() for head in sorted(self._heads))


def merged(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same stretches without overlap."""
    result: list[tuple[int, int]] = []
    for begin, end in sorted(stretches):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return result
