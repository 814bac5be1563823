"""The upgrade of a mesh with an external control plane: one revision at a time, so istiod is replaced in its place."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import parse as read
from mesh_components.topology.edits import REMOVED
from mesh_components.topology.revisions import all_revisions
from mesh_components.topology.steps import APPLY, EACH, RESTART, Document, Rollback, Step
from mesh_components.topology.upgrade import canary, edits, words
from mesh_components.topology.upgrade.goal import Goal


def replace(document: Document, goal: Goal) -> Iterator[Step]:
    """istiod itself, then every proxy."""
    mesh = read(document)
    if not mesh.istio.revisions or all(item.version == goal.version for item in all_revisions(mesh)):
        return
    after = edits.with_istio(document, revisions=REMOVED)
    clusters = tuple(c.name for c in mesh.clusters)
    yield Step(
        "in-place",
        f"istiod at {goal.version} in the place of the old one",
        words.IN_PLACE,
        clusters,
        after,
        (*APPLY, EACH.format("istioctl proxy-status")),
        (
            "istiod is ready before you go on, and every proxy is SYNCED with it",
            "the east-west gateways and the gateway in front of istiod answer",
        ),
        Rollback(document, (*APPLY, RESTART), words.IN_PLACE_BACK),
    )
    if mesh.istio.data_plane != "ambient":
        yield Step(
            "restart",
            "what still runs an old proxy",
            words.IN_PLACE_RESTART,
            clusters,
            after,
            (RESTART,),
            ("`mesh restart --dry-run` finds nothing to restart",),
            Rollback(after, (), words.IN_PLACE_RESTART_BACK),
        )


PHASES = (canary.base, replace)
