"""Both sides put together, as plain data: what the three formats write down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mesh_components.settings import Finding
from mesh_components.topology.plan import plan
from meshctl.graph import mermaid, model
from meshctl.local.foresight import CHART
from meshctl.review.change import Risk
from meshctl.review.compare import compare
from meshctl.review.risks import risks
from meshctl.review.side import Side
from meshctl.rows import Row


@dataclass(frozen=True)
class Review:
    """What the way from `before` to `after` does."""

    before: Side
    after: Side
    rows: tuple[Row, ...]
    new: tuple[Finding, ...]
    """Findings that were not there before."""
    gone: tuple[Finding, ...]
    risks: tuple[Risk, ...]
    notes: tuple[str, ...]
    """What a reader must know about this comparison."""

    @property
    def title(self) -> str:
        """The mesh, by its ID."""
        mesh = self.after.mesh or self.before.mesh
        return mesh.id if mesh else "the mesh"

    @property
    def changed(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.rows or self.new or self.gone or self.risks or self.before.exists != self.after.exists)

    @property
    def comparable(self) -> bool:
        """Whether resources were compared."""
        return self.before.foreseen is not None and self.after.foreseen is not None

    def pictures(self) -> tuple[str, str]:
        """Before and after, as Mermaid; empty where there is nothing to draw."""
        return _picture(self.before), _picture(self.after)


def review(before: Side, after: Side) -> Review:
    """Compare two sides."""
    rows: tuple[Row, ...] = ()
    if before.foreseen is not None and after.foreseen is not None:
        rows = compare(before.foreseen, after.foreseen)
    new = tuple(item for item in after.findings if _key(item) not in _keys(before.findings))
    gone = tuple(item for item in before.findings if _key(item) not in _keys(after.findings))
    notes = (*_notes(before, after), *_about_charts(rows))
    return Review(before, after, rows, new, gone, tuple(risks(before, after, rows)), notes)


def _keys(findings: Iterable[Finding]) -> frozenset[tuple[str, str, str]]:
    return frozenset(map(_key, findings))


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.place, finding.reason


def _picture(side: Side) -> str:
    if side.mesh is None:
        return ""
    # By name, lest another order of the document be another picture.
    ordered = sorted(side.mesh.clusters, key=lambda cluster: cluster.name)
    return mermaid.write(model.graph(plan(side.mesh.model_copy(update={"clusters": tuple(ordered)}))))


def _about_charts(rows: Iterable[Row]) -> Iterable[str]:
    if any(row.type == CHART for row in rows):
        yield "of charts, versions and values are compared; `mesh diff --charts` renders them, and compares the objects"


def _notes(before: Side, after: Side) -> Iterable[str]:
    sides = ((before, "before"), (after, "after"))
    for side, word in sides:
        if not side.exists:
            yield f"{word}: there is no document at {side.label}"
        elif side.errors:
            count = len(side.errors)
            yield (
                f"{word}: the document at {side.label} has {count} error{'' if count == 1 else 's'}, so nobody can "
                "tell what it leads to; resources are not compared"
            )
    meshes = [side.mesh for side, _ in sides if side.mesh is not None]
    if any(mesh.trust.source is not None for mesh in meshes):
        yield "certificates and keys that `trust.source` names are not read: the root is looked at as a generated one"
    if any(mesh.meshes for mesh in meshes):
        yield "facts of other meshes are not read: what follows from them is taken to stay"
