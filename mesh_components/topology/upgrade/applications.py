"""Sample applications go over to the new control plane one by one: blue/green, by the label of their namespace."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import parse as read
from mesh_components.topology.applications import ambient, injects, stated
from mesh_components.topology.edits import REMOVED
from mesh_components.topology.revisions import tags
from mesh_components.topology.steps import APPLY, RESTART, Document, Rollback, Step
from mesh_components.topology.upgrade import edits, words
from mesh_components.topology.upgrade.goal import Goal


def applications(document: Document, goal: Goal) -> Iterator[Step]:
    """Those that name a revision, or follow the default. One that follows a tag moves with it."""
    mesh = read(document)
    followed = {tag for cluster in mesh.clusters for tag, _ in tags(mesh, cluster)}
    for name, settings in stated(mesh):
        if ambient(mesh, settings) or injects(mesh, settings) in (goal.name, *followed):
            continue
        after = edits.with_application_revision(document, name, goal.name)
        restart = f"{RESTART} --namespace {settings.namespace}"
        yield Step(
            "application",
            f"{name} to revision {goal.name}",
            words.APPLICATION,
            tuple(cluster.name for cluster in mesh.clusters if cluster.role != "external"),
            after,
            (*APPLY, restart, *(("mesh verify",) if name == "helloworld" else ())),
            (f"`istioctl proxy-status` shows the proxies of {settings.namespace} at {goal.version}, all SYNCED",),
            Rollback(document, (*APPLY, restart), words.APPLICATION_BACK),
        )
        document = after


def with_default(document: Document, goal: Goal) -> Document:
    """The document in which applications need not name the revision that has become the default."""
    for name, settings in stated(read(document)):
        if settings.revision == goal.name:
            document = edits.with_application_revision(document, name, REMOVED)
    return document
