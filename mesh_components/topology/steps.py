"""What a plan is made of: steps, each a change of the document or work beside it, checked as any document is.

Pure: a document in, documents out. Whoever applies them asks before each, and may go back after each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mesh_components.settings import Finding, FindingsError, Severity, parse
from mesh_components.topology.edits import plain
from mesh_components.topology.findings import findings

Document = Mapping[str, Any]
"""A mesh document as YAML or JSON gives it: camelCase keys, plain data."""

APPLY = ("mesh preview", "mesh up")
RESTART = "mesh restart"
EACH = "{}  # in each cluster"


class PlanError(ValueError):
    """There is no way from here to there, or none that this plan may take: where, what, why, fix."""


@dataclass(frozen=True)
class Rollback:
    """The way back from a step, which is open until the next one is taken."""

    document: Document
    """The document before the step."""
    commands: tuple[str, ...]
    """What to run, in this order, once that document is back in its place."""
    why: str
    """What comes back, and what does not."""
    closed: bool = False
    """True: there is no way back, and `why` says so."""


@dataclass(frozen=True)
class Step:
    """One change of the document, or one thing to do beside it."""

    kind: str
    """In a word; part of the name of the file with its document."""
    title: str
    why: str
    clusters: tuple[str, ...]
    """Names of the clusters in which something changes."""
    document: Document
    """The document after the step."""
    commands: tuple[str, ...]
    """What to run, in this order, once the document is in its place. `mesh` is meant with the stack's name."""
    watch: tuple[str, ...]
    """What must be so before the next step is taken."""
    rollback: Rollback
    findings: tuple[Finding, ...] = ()
    """Warnings about this document that the one before did not have."""

    @property
    def changes_document(self) -> bool:
        """False: the step is work in the clusters, and the document stays."""
        return self.document != self.rollback.document


def beginning(document: Mapping[str, Any]) -> Document:
    """The document that a plan begins with, as data of its own.

    Raises:
        FindingsError: where it has errors.
    """
    start: Document = plain(document)
    found = _findings(start)
    if any(finding.severity is Severity.ERROR for finding in found):
        raise FindingsError(found)
    return start


def checked(start: Document, steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps, each with the warnings that its document brings.

    Raises:
        PlanError: where one of them would make a document with errors.
    """
    made: list[Step] = []
    warnings = _findings(start)
    for step in steps:
        found = _findings(step.document)
        known = {(finding.code, finding.reason) for finding in warnings}
        new = tuple(finding for finding in found if (finding.code, finding.reason) not in known)
        _refuse_errors(step, new)
        made.append(replace(step, findings=new))
        warnings = found
    return tuple(made)


def _findings(document: Document) -> tuple[Finding, ...]:
    """What the rules say of the document itself: how its clusters are reached is for the preview of each step."""
    mesh = parse(document)
    return findings(mesh, brought=frozenset(cluster.name for cluster in mesh.clusters))


def _refuse_errors(step: Step, found: tuple[Finding, ...]) -> None:
    errors = [str(finding) for finding in found if finding.severity is Severity.ERROR]
    if errors:
        raise PlanError("\n".join([f"the step `{step.title}` would make a document with errors:", *errors]))
