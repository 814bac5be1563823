"""Revisions and tags: control planes side by side, and the namespaces that follow them
(https://istio.io/latest/docs/setup/upgrade/canary/)."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.topology.names import UNNAMED_REVISION
from mesh_components.topology.revisions import all_revisions, revisions, tags
from mesh_components.topology.roles import control_plane, is_member, runs_istiod
from mesh_components.topology.rules.context import (
    Context,
    at,
    clusters_named,
    error,
    quoted,
    quoted_key,
    versions,
    warning,
)
from mesh_components.topology.versions import LONGEST_JUMP, apart, parse

UNNAMED = "the revision without a name"


def duplicate(context: Context) -> Iterator[Finding]:
    """MESH601."""
    first: dict[str, int] = {}
    for index, revision in enumerate(context.mesh.istio.revisions):
        earlier = first.setdefault(revision.name, index)
        if earlier != index:
            yield error(
                "MESH601",
                f"istio.revisions[{index}].name",
                f"{_named(revision.name)} is revisions[{earlier}] too; one would be installed over the other",
                "give each revision a name of its own, such as its version with dashes",
            )


def default(context: Context) -> Iterator[Finding]:
    """MESH602 and MESH605: the default revision validates, and injects the gateways, so every cluster has it."""
    istio = context.mesh.istio
    known = {revision.name for revision in istio.revisions}
    if not known:
        return
    if istio.revision not in known:
        yield error(
            "MESH602",
            "istio.revision",
            f"{_named(istio.revision)} is not among `istio.revisions`, but it is the default: it validates Istio's "
            "objects and injects the gateways, and both would ask an istiod that is not there",
            f"set it to one of {', '.join(_named(name) for name in sorted(known))}",
        )
        return
    lacking = tuple(c for c in context.mesh.clusters if istio.revision not in (found := _names(context, c)) and found)
    if lacking:
        yield error(
            "MESH605",
            "istio.revision",
            f"{clusters_named(lacking)} lack {_named(istio.revision)}, the default: their validation and their "
            "gateways would ask an istiod that is not there",
            "make a revision the default that every cluster has, or give this one to all",
        )


def unknown_cluster(context: Context) -> Iterator[Finding]:
    """MESH603."""
    for index, revision in enumerate(context.mesh.istio.revisions):
        for position, name in enumerate(revision.clusters or ()):
            if context.index(name) is None:
                yield error(
                    "MESH603",
                    f"istio.revisions[{index}].clusters[{position}]",
                    f"no cluster is called {quoted(name)}, so {_named(revision.name)} would be missing where it is "
                    "meant to be",
                    "write the name of a cluster, or leave `clusters` out for all of them",
                )


def cluster_without(context: Context) -> Iterator[Finding]:
    """MESH604."""
    without = tuple(c for c in context.mesh.clusters if not revisions(context.mesh, c.name))
    if without:
        yield error(
            "MESH604",
            "istio.revisions",
            f"no revision is for {clusters_named(without)}, so there would be no control plane",
            "add them to `clusters` of a revision, or leave `clusters` out of one",
        )


def of_gateways(context: Context) -> Iterator[Finding]:
    """MESH606. A tag does too: the proxy is injected by the webhook that its label names. An external control plane's
    gateway is injected by another Istio, of whose revisions nothing is known here."""
    for place, cluster, gateway in context.gateways():
        known = {*_names(context, cluster), *dict(tags(context.mesh, cluster))}
        if gateway.revision is not None and gateway.revision not in known and cluster.role != "external":
            yield error(
                "MESH606",
                f"{place}.revision",
                f'{_named(gateway.revision)} is neither a revision nor a tag of "{cluster.name}", so nobody injects '
                "the gateway's proxy and its pods wait for an image called auto",
                f"use one of {', '.join(_named(name) for name in sorted(known))}, or leave it out for the default",
            )


def remote(context: Context) -> Iterator[Finding]:
    """MESH607 (istio#34867)."""
    mesh = context.mesh
    for _, cluster in context.clusters():
        server = control_plane(mesh, cluster)
        missing = sorted(_names(context, cluster) - _names(context, server))
        if runs_istiod(server) and missing:
            yield error(
                "MESH607",
                "istio.revisions",
                f'"{cluster.name}" would ask "{server.name}" for {" and ".join(map(_named, missing))}, which does not '
                "run there; revisions of a remote are those of its control plane",
                f'give "{cluster.name}" only revisions that "{server.name}" has, or add it there first',
            )


def skew(context: Context) -> Iterator[Finding]:
    """MESH608 (istio#50459: TLS between 1.19 and 1.20)."""
    known = [(parsed, place) for place, text in versions(context) if (parsed := parse(text))]
    if not known:
        return
    (oldest, place), (newest, _) = min(known), max(known)
    distance = apart(oldest, newest)
    if distance > 1:
        jump = "" if distance <= LONGEST_JUMP else f", and not even a canary upgrade jumps more than {LONGEST_JUMP}"
        yield warning(
            "MESH608",
            place,
            f"{'.'.join(map(str, oldest))} and {'.'.join(map(str, newest))} are more than one minor version apart"
            f"{jump}; proxies of both talk to each other as long as this lasts, which Istio does not test",
            "go up one minor version at a time, in all clusters, before the next one",
        )


def newer_than_base(context: Context) -> Iterator[Finding]:
    """MESH609. Helm and istioctl say the same: base first (https://istio.io/latest/docs/setup/upgrade/helm/)."""
    istio = context.mesh.istio
    base = parse(istio.version)
    if base is None or istio.install == "none" or istio.crds == "none":
        return
    for place, text in versions(context):
        version = parse(text)
        if version and version[:2] > base[:2]:
            yield warning(
                "MESH609",
                place,
                f"{text} is newer than the CRDs, which are of `istio.version` {istio.version}: the API server drops "
                "the fields they do not know without a word",
                f"set `istio.version` to {text}; newer CRDs serve an older istiod too",
            )


def tag_target(context: Context) -> Iterator[Finding]:
    """MESH610."""
    known = {revision.name for revision in all_revisions(context.mesh)}
    for place, tag, revision, clusters in _tags(context):
        lacking = tuple(c for c in clusters if revision not in _names(context, c))
        if revision not in known:
            where = "is no revision"
        elif lacking:
            where = f"is no revision of {clusters_named(lacking)}"
        else:
            continue
        yield error(
            "MESH610",
            place,
            f'the tag "{quoted_key(tag)}" points at {_named(revision)}, which {where}; pods in the namespaces that '
            "follow the tag would start without a proxy, or not at all",
            "point it at a revision that is there, or give the clusters this one; `clusters[].tags` moves a tag "
            "cluster by cluster",
        )


def tag_is_revision(context: Context) -> Iterator[Finding]:
    """MESH611."""
    known = {revision.name for revision in all_revisions(context.mesh)}
    for place, tag, _, _ in _tags(context):
        if tag and tag in known:
            why = "namespaces name both by the same label: two webhooks would match, and inject each pod twice"
            what = quoted(tag)
        elif f"revision-tag-{tag}" in known:
            why = f"both would have a Service called istiod-revision-tag-{quoted_key(tag)}"
            what = quoted(f"revision-tag-{tag}")
        else:
            continue
        fix = "give the tag a name of its own, such as prod or canary"
        yield error("MESH611", place, f"{what} is the name of a revision too, and {why}", fix)


def default_tag(context: Context) -> Iterator[Finding]:
    """MESH612 (the tag `default` has the webhooks of istio-injection=enabled, as the unnamed revision has)."""
    for place, tag, _, clusters in _tags(context):
        both = tuple(c for c in clusters if "" in _names(context, c))
        if tag == UNNAMED_REVISION and both:
            yield error(
                "MESH612",
                place,
                f"the tag default and {UNNAMED} of {clusters_named(both)} both inject namespaces with "
                "istio-injection=enabled, so their pods would be injected twice",
                "give all revisions names, or call the tag something else",
            )


def _tags(context: Context) -> Iterator[tuple[str, str, str, tuple[ClusterSettings, ...]]]:
    """Each statement about a tag: its place, the tag, the revision, and the clusters where it holds. None where
    another tool has the tags (MESH406)."""
    if context.mesh.istio.install == "none":
        return
    members = tuple(c for c in context.mesh.clusters if is_member(c))
    for tag, revision in context.mesh.istio.tags.items():
        yield f"istio.tags.{quoted_key(tag)}", tag, revision, tuple(c for c in members if tag not in c.tags)
    for index, cluster in context.clusters():
        for tag, revision in cluster.tags.items():
            here = (cluster,) if is_member(cluster) else ()
            yield at(index, f"tags.{quoted_key(tag)}"), tag, revision, here


def _names(context: Context, cluster: ClusterSettings) -> set[str]:
    return {revision.name for revision in revisions(context.mesh, cluster.name)}


def _named(name: str) -> str:
    return quoted(name) if name else UNNAMED


RULES = (
    duplicate,
    default,
    unknown_cluster,
    cluster_without,
    of_gateways,
    remote,
    skew,
    newer_than_base,
    tag_target,
    tag_is_revision,
    default_tag,
)
