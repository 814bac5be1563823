"""What the istiods themselves say of the clusters that they read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesh_components.topology.edges import Edge
from mesh_components.topology.plan import ClusterPlan
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


def answered(facts: Facts, said: Sequence[Result]) -> Iterator[Result]:
    """CHECK803, where requests were sent and nothing else is known to keep them from their way."""
    if facts.requests is None:
        return
    calls, edges = facts.requests, {(edge.source, edge.reader) for edge in facts.decided.edges}
    blamed = {place for one in said if isinstance(one, Problem) for place in one.where.split(", ")}
    for caller in facts.decided.clusters:
        sources = [one.name for one in facts.decided.clusters if one.name != caller.name and _knows(edges, caller, one)]
        heard = {source: calls.heard(caller.name, source) for source in sources}
        unasked = next((why for why in heard.values() if isinstance(why, str)), None)
        if unasked:
            yield Unknown("CHECK803", caller.name, f"nobody was asked there: {unasked}")
            continue
        for source in (source for source, answer in heard.items() if answer is False):
            around = {source, caller.name, caller.control_plane, f"{source} -> {caller.control_plane}"}
            if not blamed & around:
                cause = (
                    f"of {calls.times} requests to HelloWorld, none was answered in {source}, and nothing that can be "
                    "seen without requests is wrong"
                )
                fix = "run `mesh verify`: it says where to look"
                yield error("CHECK803", f"{caller.name} to {source}", cause, fix)


def _knows(edges: set[tuple[str, str]], caller: ClusterPlan, source: ClusterPlan) -> bool:
    """Whether proxies of a cluster are meant to know the endpoints of another one."""
    return caller.control_plane == source.name or (source.name, caller.control_plane) in edges


RULES = (synced, answered)
