"""What the istiods themselves say of the clusters that they read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesh_components.topology.edges import Edge
from meshctl.check.facts import Facts, Unread
from meshctl.check.results import Problem, Result, Unknown, error

SYNCED = "synced"


def view(facts: Facts, edge: Edge) -> str | Unread:
    """The state of a cluster in the eyes of its reader's istiod; the worst, where pods differ; empty where one does
    not know it."""
    views = facts.cluster(edge.reader).views
    if not views:
        return Unread("no pod of an istiod was found")
    states = []
    for found in views.values():
        if isinstance(found, Unread):
            return found
        states.append(found.get(edge.source, ""))
    return next((state for state in states if state != SYNCED), SYNCED)


def synced(facts: Facts, said: Sequence[Result]) -> Iterator[Result]:
    """CHECK801 and CHECK802, of edges with which nothing else is wrong."""
    blamed = {result.where for result in said if isinstance(result, Problem)}
    for edge in facts.decided.edges:
        state = view(facts, edge)
        if isinstance(state, Unread):
            yield from (Unknown(code, str(edge), state.why) for code in ("CHECK801", "CHECK802"))
        elif state == SYNCED or blamed & {str(edge), edge.source, edge.reader} or edge.config:
            continue
        elif state:
            cause = f"istiod of {edge.reader} says of {edge.source}: {state}; it does not know all of its endpoints"
            fix = f"wait a minute; then see its log for {edge.source}, and restart it (old connections may hang)"
            yield error("CHECK801", str(edge), cause, fix)
        else:
            cause = f"istiod of {edge.reader} does not know {edge.source}, and there is a good Secret about it"
            fix = "restart it: versions before 1.30.4 lose clusters when a Secret changes (istio#60920)"
            yield error("CHECK802", str(edge), cause, fix)


RULES = (synced,)
