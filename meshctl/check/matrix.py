"""The mesh as ordered pairs: who is meant to read whom, whether that works, and whether requests can get there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from mesh_components.settings import Severity
from mesh_components.topology.edges import Edge
from mesh_components.topology.plan import ClusterPlan
from mesh_components.topology.roles import is_member
from meshctl.check.facts import Facts, How, Unread, carried, digest
from meshctl.check.results import Problem, Result
from meshctl.check.rules.views import SYNCED, view


class Cell(StrEnum):
    """One answer about one pair."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    NONE = "-"
    """Not asked: the pair is not declared."""


@dataclass(frozen=True)
class Pair:
    """`reader` about `source`."""

    reader: str
    source: str
    declared: Cell
    credential: Cell
    seen: Cell
    """By the reader's istiod."""
    path: Cell
    """From workloads of the reader to those of the source. `yes` and `no` as answers came to requests that were sent;
    without any, `no` where a check proves that none can arrive."""

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


_PATH = ("CHECK4", "CHECK6", "CHECK306", "CHECK307")
"""What keeps requests out of a cluster, or in it."""


def matrix(facts: Facts, results: Sequence[Result]) -> tuple[Pair, ...]:
    """All ordered pairs, in the order of the document."""
    if facts.topology is None:
        return ()
    edges = {(edge.reader, edge.source): edge for edge in facts.topology.edges}
    plans = facts.topology.clusters
    return tuple(
        _pair(facts, results, reader, source, edges.get((reader.name, source.name)))
        for reader in plans
        for source in plans
        if reader.name != source.name
    )


def _pair(facts: Facts, results: Sequence[Result], reader: ClusterPlan, source: ClusterPlan, edge: Edge | None) -> Pair:
    declared = Cell.YES if edge else Cell.NO
    heard = _heard(facts, reader, source)
    if edge is None or not facts.applied:
        unasked = Cell.UNKNOWN if edge else Cell.NONE
        return Pair(reader.name, source.name, declared, unasked, unasked, heard or unasked)
    errors = [one for one in results if isinstance(one, Problem) and one.severity is Severity.ERROR]
    credential = _credential(facts, edge, errors)
    path = heard or _path(reader, source, errors)
    if path is Cell.UNKNOWN and credential is Cell.NO:
        path = Cell.NO  # nobody there knows the endpoints
    return Pair(reader.name, source.name, declared, credential, _seen(facts, edge), path)


def _credential(facts: Facts, edge: Edge, errors: Sequence[Problem]) -> Cell:
    item = carried(facts, edge)
    if isinstance(item, Unread):
        return Cell.UNKNOWN
    if item is None or any(
        one.where in (str(edge), edge.source) and one.code.startswith(("CHECK5", "CHECK207", "CHECK208"))
        for one in errors
    ):
        return Cell.NO
    known = facts.credentials.get(digest(edge.source, item.text))
    if known is None or known.answer.how is How.UNKNOWN:
        return Cell.UNKNOWN
    return Cell.YES if known.answer.how is How.GOOD else Cell.NO


def _seen(facts: Facts, edge: Edge) -> Cell:
    state = view(facts, edge)
    if isinstance(state, Unread):
        return Cell.UNKNOWN
    return Cell.YES if state == SYNCED else Cell.NO


def _heard(facts: Facts, reader: ClusterPlan, source: ClusterPlan) -> Cell | None:
    """Whether requests were answered; None where none were sent that could tell."""
    heard = facts.requests.heard(reader.name, source.name) if facts.requests else None
    return (Cell.YES if heard else Cell.NO) if isinstance(heard, bool) else None


def _path(reader: ClusterPlan, source: ClusterPlan, errors: Sequence[Problem]) -> Cell:
    if not (is_member(reader.settings) and is_member(source.settings)):
        return Cell.NONE
    across = reader.settings.network != source.settings.network
    blocked = any(one.code.startswith(_PATH) for one in _of(source.name, errors))
    blocked = blocked and (across or not all(one.code.startswith("CHECK6") for one in _of(source.name, errors)))
    return (
        Cell.NO if blocked or any(one.code.startswith("CHECK4") for one in _of(reader.name, errors)) else Cell.UNKNOWN
    )


def _of(cluster: str, errors: Sequence[Problem]) -> Iterator[Problem]:
    return (one for one in errors if cluster in one.where.split(", ") and one.code.startswith(_PATH))
