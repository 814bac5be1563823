"""The plan: phases one after the other, each step's document checked as any document is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesh_components.settings import parse as read
from mesh_components.topology.steps import Document, Step, beginning, checked
from mesh_components.topology.upgrade import canary as canaries
from mesh_components.topology.upgrade import in_place
from mesh_components.topology.upgrade.goal import Goal, goal


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
        PlanError: where there is no way, or none that may be taken.
    """
    start = beginning(document)
    wanted = goal(read(start), to, revision, canary)
    return () if wanted is None else checked(start, _steps(start, wanted))


def _steps(document: Document, wanted: Goal) -> Iterator[Step]:
    for phase in in_place.PHASES if wanted.in_place else canaries.PHASES:
        for step in phase(document, wanted):
            yield step
            document = step.document
