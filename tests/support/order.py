"""What waits for what in a graph."""

from __future__ import annotations

from tests.support.graph import Graph, Registered


def under(graph: Graph, component: str) -> list[Registered]:
    """The objects of a component."""
    return [item for item in graph.kubernetes() if item.parent == component]


def after(graph: Graph, later: str, earlier: str) -> bool:
    """Whether every object of one component waits for every object of the other, directly or by others between."""
    first = {item.name for item in under(graph, earlier)}
    assert first, f"{earlier} has no objects"
    assert under(graph, later), f"{later} has no objects"
    return all(first <= awaited(graph, item) for item in under(graph, later))


def awaited(graph: Graph, item: Registered) -> set[str]:
    """Everything that a resource waits for."""
    found: set[str] = set()
    waiting = [item.name]
    while waiting:
        for name in graph.resources_by_name[waiting.pop()].depends_on - found:
            found.add(name)
            waiting.append(name)
    return found
