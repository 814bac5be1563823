"""What a plan is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mesh_components.settings import Finding

Document = Mapping[str, Any]
"""A mesh document as YAML or JSON gives it: camelCase keys, plain data."""

Kind = Literal["base", "control-plane", "gateway", "tags", "restart", "default", "remove", "in-place"]

APPLY = ("mesh preview", "mesh up")
RESTART = "mesh restart"


class UpgradeError(ValueError):
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


@dataclass(frozen=True)
class Step:
    """One change of the document, or one thing to do beside it."""

    kind: Kind
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
