"""A new control plane beside the old one, and everything from one to the other, cluster by cluster.

Each phase looks at the document it is given, and has no steps where all it does is done: so a plan from the middle of
an upgrade is the rest of the plan from its beginning.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import MeshSettings
from mesh_components.settings import parse as read
from mesh_components.topology import names
from mesh_components.topology.edits import REMOVED
from mesh_components.topology.plan import plan
from mesh_components.topology.revisions import all_revisions, default_version, revisions, tags
from mesh_components.topology.roles import control_plane, served_by
from mesh_components.topology.steps import APPLY, EACH, RESTART, Document, Rollback, Step
from mesh_components.topology.upgrade import edits, words
from mesh_components.topology.upgrade.applications import applications, with_default
from mesh_components.topology.upgrade.goal import Goal
from mesh_components.topology.upgrade.remotes import follows_default


def base(document: Document, goal: Goal) -> Iterator[Step]:
    """The CRDs and `base`; every control plane stays where it is."""
    mesh = read(document)
    if mesh.istio.version == goal.version:
        return
    entries = [
        edits.revision_entry(item.name, item.version, _clusters_of(mesh, item.name)) for item in all_revisions(mesh)
    ]
    after = edits.with_istio(document, version=goal.version, revisions=entries)
    yield Step(
        "base",
        f"CRDs and base at {goal.version}",
        words.BASE + (words.BASE_EXTERNAL if any(c.role == "external" for c in mesh.clusters) else ""),
        tuple(cluster.name for cluster in mesh.clusters),
        after,
        (EACH.format("istioctl x precheck"), *APPLY),
        (
            "the preview has CRDs, the reader's account and the default validator's labels, and nothing of a revision",
            *words.kubernetes(goal.version),
        ),
        Rollback(document, APPLY, words.BASE_BACK),
    )


def control_planes(document: Document, goal: Goal) -> Iterator[Step]:
    """The new istiod, in one cluster after the other; nobody uses it yet."""
    mesh = read(document)
    has = {c.name for c in mesh.clusters if any(item.name == goal.name for item in revisions(mesh, c.name))}
    stated = (document.get("istio") or {}).get("revisions") or [edits.revision_entry(mesh.istio.revision)]
    others = [item for item in stated if item["name"] != goal.name]
    for cluster in order(mesh, goal.canary):
        if cluster in has:
            continue
        has.add(cluster)
        missing = len(has) < len(mesh.clusters)
        where = [c.name for c in mesh.clusters if c.name in has] if missing else None
        after = edits.with_istio(document, revisions=[*others, edits.revision_entry(goal.name, clusters=where)])
        canary = len(has) == 1
        settings = mesh.clusters[_index(mesh, cluster)]
        remote = control_plane(mesh, settings).name != cluster
        why = words.REMOTE if remote else words.CANARY if canary else words.CONTROL_PLANE
        yield Step(
            "control-plane",
            f"{'the canary: ' if canary else ''}{_named(goal.name)} in {cluster}",
            why + (words.EXPOSED if served_by(mesh, settings) else ""),
            (cluster,),
            after,
            (*APPLY, "istioctl remote-clusters"),
            (
                f"in {cluster}: Deployment {names.istiod(goal.name)} is ready, and the old one is untouched"
                if not remote
                else f"in {cluster}: the webhook istio-sidecar-injector-{goal.name} has a caBundle",
            ),
            Rollback(document, APPLY, words.CONTROL_PLANE_BACK),
        )
        document = after


def gateways(document: Document, goal: Goal) -> Iterator[Step]:
    """East-west gateways, one cluster after the other. A gateway that follows a tag moves with it."""
    mesh = read(document)
    for cluster in order(mesh, goal.canary):
        part = plan(mesh).cluster(cluster)
        follows = dict(part.tags)
        if not (part.east_west or part.ambient_gateway) or part.gateway_revision in (goal.name, *follows):
            continue
        after = edits.with_gateway_revision(document, cluster, goal.name)
        yield Step(
            "gateway",
            f"the east-west gateway of {cluster} to {_named(goal.name)}",
            words.GATEWAY,
            (cluster,),
            after,
            APPLY,
            (f"in {cluster}: the gateway's new pods are ready, its address is the same, and other networks reach it",),
            Rollback(document, APPLY, words.GATEWAY_BACK),
        )
        document, mesh = after, read(after)


def move_tags(document: Document, goal: Goal) -> Iterator[Step]:
    """Tags, one cluster after the other; with the last one the mesh-wide tag follows, and the clusters' own go."""
    while True:
        mesh = read(document)
        old = {item.name for item in all_revisions(mesh)} - {goal.name}
        behind = {c.name: [t for t, r in tags(mesh, c) if r in old] for c in mesh.clusters}
        waiting = [cluster for cluster in order(mesh, goal.canary) if behind[cluster]]
        if not waiting:
            yield from _unused_tags(document, mesh, old, goal)
            return
        cluster = waiting[0]
        own = {**edits.tags_of(document, cluster), **dict.fromkeys(behind[cluster], goal.name)}
        after = edits.with_tags(document, cluster, own)
        for tag in mesh.istio.tags:
            if all(tag not in behind[other] for other in waiting[1:]):
                after = _folded(after, tag, goal)
        later = follows_default(mesh, cluster)
        restart = () if later or mesh.istio.data_plane == "ambient" else (f"{RESTART} --cluster {cluster}",)
        moved = " and ".join(behind[cluster])
        yield Step(
            "tags",
            f"tag {moved} of {cluster} to {_named(goal.name)}",
            words.TAGS + (words.TAGS_LATER if later else ""),
            (cluster,),
            after,
            (*APPLY, *restart),
            (f"in {cluster}: `istioctl proxy-status` shows the restarted proxies at {goal.version}, all SYNCED",)
            if restart
            else (f"in {cluster}: `istioctl tag list` shows it there",),
            Rollback(document, (*APPLY, *restart), words.TAGS_BACK),
        )
        document = after


def restart(document: Document, goal: Goal) -> Iterator[Step]:
    """What follows no tag is labelled anew, and what still runs an old proxy is restarted."""
    mesh = read(document)
    if mesh.istio.revision == goal.name or mesh.istio.data_plane == "ambient":
        return
    labels = [c for item in all_revisions(mesh) if item.name != goal.name for c in words.relabel(item.name, goal.name)]
    yield Step(
        "restart",
        "labels of namespaces, and what still runs an old proxy",
        words.restart(
            unnamed=any(not item.name for item in all_revisions(mesh) if item.name != goal.name),
            tags=any(tags(mesh, c) for c in mesh.clusters),
        ),
        tuple(c.name for c in mesh.clusters),
        document,
        (*labels, RESTART),
        (
            "`mesh restart --dry-run` finds nothing to restart, and leaves nothing alone that has an old proxy",
            "`istioctl proxy-status` of each cluster shows no proxy at an old version",
        ),
        Rollback(document, (RESTART,), words.RESTART_BACK),
    )


def default(document: Document, goal: Goal) -> Iterator[Step]:
    """The default revision: the validator, what has no label, the CNI plugin and ztunnel."""
    mesh = read(document)
    if mesh.istio.revision == goal.name:
        return
    after = edits.with_istio(document, revision=goal.name)
    for cluster in mesh.clusters:
        if edits.gateway_revision(document, cluster.name) not in dict(tags(mesh, cluster)):
            after = edits.with_gateway_revision(after, cluster.name, REMOVED)
    after = with_default(after, goal)
    parts = plan(mesh).clusters
    node = any(part.cni or part.ambient for part in parts)
    moves = node and default_version(mesh) != default_version(read(after))
    late = [c.name for c in mesh.clusters if follows_default(mesh, c.name)]
    commands = (*APPLY, " ".join([RESTART, *(f"--cluster {name}" for name in late)])) if late else APPLY
    yield Step(
        "default",
        f"{_named(goal.name)} is the default",
        words.DEFAULT + (words.DEFAULT_NODE if moves else "") + (words.DEFAULT_LATE if late else ""),
        # A remote has no validator; what bears the default's name there is on its nodes.
        tuple(part.name for part in parts if part.role == "primary" or part.cni or part.ambient),
        after,
        commands,
        (
            f"ValidatingWebhookConfiguration istiod-default-validator of each primary names {names.istiod(goal.name)}",
            *(("DaemonSets of the CNI plugin and ztunnel have rolled on every node",) if moves else ()),
        ),
        Rollback(
            document,
            commands,
            words.DEFAULT_LATE_BACK if late else words.DEFAULT_NODE_BACK if moves else words.DEFAULT_BACK,
        ),
    )


def remove(document: Document, goal: Goal) -> Iterator[Step]:
    """The old control plane goes, and the document is short again."""
    mesh = read(document)
    old = [item.name for item in all_revisions(mesh) if item.name != goal.name]
    if not old and not mesh.istio.revisions:
        return
    after = edits.with_istio(document, version=goal.version, revisions=REMOVED)
    unnamed = "" in old
    if unnamed:
        after = edits.with_istio(after, tags={**mesh.istio.tags, names.UNNAMED_REVISION: goal.name})
    check = () if mesh.istio.data_plane == "ambient" else (f"{RESTART} --dry-run",)
    gone = " and ".join(_named(name) for name in old)
    yield Step(
        "remove",
        f"the end of {gone}" if old else "the document is short again",
        words.REMOVE + (words.REMOVE_UNNAMED if unnamed else ""),
        tuple(c.name for c in mesh.clusters),
        after,
        (*check, *APPLY),
        ("the preview deletes what bears the old revision's name, and no CRD",),
        Rollback(document, APPLY, words.REMOVE_BACK),
    )


PHASES = (base, control_planes, gateways, move_tags, applications, restart, default, remove)


def order(mesh: MeshSettings, canary: str | None) -> list[str]:
    """The clusters as they are upgraded: a control plane, then the remotes that it serves; the canary's come first."""
    first = next((c for c in mesh.clusters if c.name == canary), None)
    servers = [c for c in mesh.clusters if control_plane(mesh, c).name == c.name]
    if first is not None:
        server = control_plane(mesh, first).name
        servers.sort(key=lambda c: c.name != server)
    found: list[str] = []
    for server_ in servers:
        remotes = sorted((c.name for c in served_by(mesh, server_)), key=lambda name: name != canary)
        found += [server_.name, *remotes]
    return found


def _unused_tags(document: Document, mesh: MeshSettings, old: set[str], goal: Goal) -> Iterator[Step]:
    """A mesh-wide tag that every cluster has overridden still names a revision that is about to go."""
    after = document
    for tag, revision in mesh.istio.tags.items():
        after = _folded(after, tag, goal) if revision in old else after
    if after != document:
        yield Step(
            "tags",
            "tags for the whole mesh",
            words.TAGS_FOLD,
            (),
            after,
            APPLY,
            (words.SAME,),
            Rollback(document, APPLY, words.SAME),
        )


def _folded(document: Document, tag: str, goal: Goal) -> Document:
    """The tag for the whole mesh at once, and no longer for the clusters that were ahead."""
    document = edits.with_istio(document, tags={**document["istio"]["tags"], tag: goal.name})
    for cluster in document["clusters"]:
        own = edits.tags_of(document, cluster["name"])
        if own.pop(tag, None) == goal.name:
            document = edits.with_tags(document, cluster["name"], own)
    return document


def _clusters_of(mesh: MeshSettings, revision: str) -> tuple[str, ...] | None:
    return next((item.clusters for item in mesh.istio.revisions if item.name == revision), None)


def _index(mesh: MeshSettings, cluster: str) -> int:
    return [c.name for c in mesh.clusters].index(cluster)


def _named(revision: str) -> str:
    return f"revision {revision}" if revision else "the revision without a name"
