"""Names: what Istio makes of them are labels, certificate names and keys of Secrets, and each has its own alphabet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.topology.names import UNNAMED_REVISION
from mesh_components.topology.plan import plan
from mesh_components.topology.resources import Resource, resources
from mesh_components.topology.rules.context import Context, at, error, quoted, quoted_key, warning

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""RFC 1123 label (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names)."""

LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""Label value that says something (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)."""

TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")
"""https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md#21-trust-domain"""

SERVICE_HOST = re.compile(r"(\*\.)?([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+svc(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")
"""`reviews.bookinfo.svc.cluster.local`, `*.bookinfo.svc.cluster.local`."""

REVISION_LENGTH = 63 - len("istiod-")
TAG_LENGTH = 63 - len("istiod-revision-tag-")
"""What a Service's name leaves of its 63 characters."""

_ALPHABET = "lower-case letters, digits and inner dashes, at most 63"


def cluster_name(context: Context) -> Iterator[Finding]:
    """MESH101. `istioctl create-remote-secret --name` refuses the same names, GKE's context names among them."""
    for index, cluster in context.clusters():
        if not DNS_LABEL.fullmatch(cluster.name):
            yield error(
                "MESH101",
                at(index, "name"),
                f"{quoted(cluster.name)} is no DNS-1123 label, but it becomes istiod's cluster ID, the key of the "
                "cluster's remote secret and part of object names",
                f"use {_ALPHABET}{_suggestion(cluster.name)}",
            )


def duplicate_name(context: Context) -> Iterator[Finding]:
    """MESH102. istiod keeps the first cluster of an ID and only logs that it ignores the second."""
    first: dict[str, int] = {}
    for index, cluster in context.clusters():
        earlier = first.setdefault(cluster.name, index)
        if earlier != index:
            yield error(
                "MESH102",
                at(index, "name"),
                f"{quoted(cluster.name)} is the name of clusters[{earlier}] too; istiod keeps the first cluster of a "
                "name and ignores the other, and their resources would have the same names here",
                "give each cluster a name of its own",
            )


def network_name(context: Context) -> Iterator[Finding]:
    """MESH103. https://istio.io/latest/docs/reference/config/labels/#TopologyNetwork"""
    for index, cluster in context.clusters():
        if not LABEL_VALUE.fullmatch(cluster.network):
            yield error(
                "MESH103",
                at(index, "network"),
                f"{quoted(cluster.network)} cannot be the value of the label topology.istio.io/network, which the root "
                "namespace, the pods and the east-west gateway carry",
                "use letters, digits, and inner dashes, dots and underscores, 1 to 63 of them",
            )


def revision(context: Context) -> Iterator[Finding]:
    """MESH104. Revisions and tags end the names of Services, which are DNS labels
    (https://istio.io/latest/docs/setup/upgrade/canary/)."""
    istio = context.mesh.istio
    revisions = {"istio.revision": istio.revision}
    revisions |= {f"istio.revisions[{index}].name": item.name for index, item in enumerate(istio.revisions)}
    for place, name in revisions.items():
        if name == UNNAMED_REVISION:
            yield error(
                "MESH104",
                place,
                f"{quoted(name)} is the word that charts and labels have for the revision without a name",
                "leave the name empty, or use another one",
            )
        elif name:
            yield from _part_of_name(place, name, "revision", REVISION_LENGTH)
    tags = {f"istio.tags.{quoted_key(tag)}": tag for tag in istio.tags}
    for index, cluster in context.clusters():
        tags |= {at(index, f"tags.{quoted_key(tag)}"): tag for tag in cluster.tags}
    for place, tag in tags.items():
        yield from _part_of_name(place, tag, "tag", TAG_LENGTH)


def _part_of_name(place: str, name: str, what: str, longest: int) -> Iterator[Finding]:
    prefix = "istiod-" if what == "revision" else "istiod-revision-tag-"
    if not DNS_LABEL.fullmatch(name) or len(name) > longest:
        problem = f"is longer than {longest} characters" if DNS_LABEL.fullmatch(name) else "is no DNS-1123 label"
        yield error(
            "MESH104",
            place,
            f"{quoted(name)} {problem}; the {what} becomes part of a Service's name, {prefix}<{what}>",
            f"use lower-case letters, digits and inner dashes, at most {longest}{_suggestion(name, longest)}",
        )


def mesh_id(context: Context) -> Iterator[Finding]:
    """MESH105, the mesh id."""
    value = context.mesh.id
    if not LABEL_VALUE.fullmatch(value):
        yield error(
            "MESH105",
            "id",
            f"{quoted(value)} cannot be a mesh ID: every proxy carries it, and the root certificate names it",
            "use letters, digits, and inner dashes, dots and underscores, 1 to 63 of them",
        )


def trust_domain(context: Context) -> Iterator[Finding]:
    """MESH105, the trust domain: it is the host part of every identity."""
    value = context.mesh.trust_domain
    if not TRUST_DOMAIN.fullmatch(value):
        yield error(
            "MESH105",
            "trustDomain",
            f"{quoted(value)} cannot stand in spiffe://<trust domain>/ns/…, so no workload would get a certificate "
            "that its peers accept",
            "use lower-case letters, digits, dots, dashes and underscores, without scheme or port, such as example.org",
        )


def cluster_count(context: Context) -> Iterator[Finding]:
    """MESH106."""
    count = len(context.mesh.clusters)
    if count == 0:
        yield error(
            "MESH106", "clusters", "the mesh has no clusters, so there is nothing to build", "name at least two"
        )
    elif count == 1:
        yield warning(
            "MESH106",
            "clusters",
            "the mesh has one cluster, so there is nobody to federate it with",
            "add the second one, or go on: it can join later without touching this one",
        )


def namespace(context: Context) -> Iterator[Finding]:
    """MESH107."""
    value = context.mesh.istio.namespace
    if not DNS_LABEL.fullmatch(value):
        yield error(
            "MESH107",
            "istio.namespace",
            f"{quoted(value)} cannot be the name of a namespace, so the root namespace could not be made",
            f"use {_ALPHABET}, such as istio-system",
        )


def cluster_local(context: Context) -> Iterator[Finding]:
    """MESH108. istiod compares these with the full names of services."""
    for index, host in enumerate(context.mesh.istio.mesh_config.cluster_local_hosts):
        if host != "*" and not SERVICE_HOST.fullmatch(host):
            yield error(
                "MESH108",
                f"istio.meshConfig.clusterLocalHosts[{index}]",
                f"{quoted(host)} is no full name of services, so no service would be cluster-local because of it",
                "write `*.<namespace>.svc.cluster.local`, or `<service>.<namespace>.svc.cluster.local`",
            )


def same_resource(context: Context) -> Iterator[Finding]:
    """MESH109. Pulumi knows a resource by its type and its name (https://www.pulumi.com/docs/iac/concepts/resources/names/)."""
    if len({cluster.name for cluster in context.mesh.clusters}) < len(context.mesh.clusters):
        return  # MESH102
    first: dict[tuple[str, str], Resource] = {}
    told: set[frozenset[str]] = set()
    for item in resources(plan(context.mesh), brought=context.brought):
        earlier = first.setdefault((item.type, item.name), item)
        between = frozenset((earlier.cluster, item.cluster))
        if earlier.what == item.what or between in told:
            continue
        told.add(between)
        yield error(
            "MESH109",
            at(context.index(item.cluster) or 0, "name"),
            f"{earlier.what} and {item.what} would both be called {quoted(item.name)}, and no two resources of one "
            "type have one name",
            "call one of the clusters something else",
        )


def _suggestion(value: str, longest: int = 63) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", value.lower())[:longest].strip("-")
    return f', such as "{slug}"' if slug else ""


RULES = (
    cluster_name,
    duplicate_name,
    network_name,
    revision,
    mesh_id,
    trust_domain,
    cluster_count,
    namespace,
    cluster_local,
    same_resource,
)
