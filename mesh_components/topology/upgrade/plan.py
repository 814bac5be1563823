"""The plan: phases one after the other, each step's document checked as any document is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mesh_components.settings import Finding, FindingsError, Severity
from mesh_components.settings import parse as read
from mesh_components.topology.findings import findings
from mesh_components.topology.upgrade import canary as canaries
from mesh_components.topology.upgrade import edits, in_place
from mesh_components.topology.upgrade.goal import goal
from mesh_components.topology.upgrade.step import Document, Step, UpgradeError


def upgrade_plan(
    document: Mapping[str, Any], to: str, revision: str | None = None, *, canary: str | None = None
) -> tuple[Step, ...]:
    """The steps from a document to the same mesh at another version of Istio; none where it is there.

    Args:
        document: the mesh document; it may stand in the middle of an upgrade, then the rest is planned.
        to: version of Istio.
        revision: name of the new control plane; the version with dashes when left out.
        canary: name of the cluster that goes first; the first control plane in the document when left out.

    Raises:
        FindingsError: where the document itself has errors.
        UpgradeError: where there is no way, or none that may be taken.
    """
    start: Document = edits.plain(document)
    warnings = _findings(start)
    if any(finding.severity is Severity.ERROR for finding in warnings):
        raise FindingsError(warnings)
    wanted = goal(read(start), to, revision, canary)
    if wanted is None:
        return ()
    steps: list[Step] = []
    current = start
    for phase in in_place.PHASES if wanted.in_place else canaries.PHASES:
        for step in phase(current, wanted):
            found = _findings(step.document)
            known = {(finding.code, finding.reason) for finding in warnings}
            new = tuple(finding for finding in found if (finding.code, finding.reason) not in known)
            _refuse_errors(step, new)
            steps.append(replace(step, findings=new))
            current, warnings = step.document, found
    return tuple(steps)


def _findings(document: Document) -> tuple[Finding, ...]:
    """What the rules say of the document itself: how its clusters are reached is for the preview of each step."""
    mesh = read(document)
    return findings(mesh, brought=frozenset(cluster.name for cluster in mesh.clusters))


def _refuse_errors(step: Step, found: tuple[Finding, ...]) -> None:
    errors = [str(finding) for finding in found if finding.severity is Severity.ERROR]
    if errors:
        raise UpgradeError("\n".join([f"the step `{step.title}` would make a document with errors:", *errors]))
