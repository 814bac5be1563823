"""Who sees what: names that can be used, means that the data plane has, and nothing that is promised and hidden.

Facts: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/ and Istio's source, where it is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mesh_components.settings import Finding
from mesh_components.settings.gateway import EastWestSettings
from mesh_components.settings.visibility import ExportToSettings, LabelSelector
from mesh_components.topology import meshes, visibility
from mesh_components.topology.rules.context import Context, at, error, quoted, quoted_key, warning
from mesh_components.topology.rules.names import DNS_LABEL

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_SERVICE = re.compile(rf"{_LABEL}\.{_LABEL}(\.svc\.cluster\.local)?")
_EGRESS = re.compile(rf"(\.|\*|~|{_LABEL})/(\*|(\*\.)?({_LABEL}\.)*{_LABEL})")
_PLACE = "visibility"


def pointless(context: Context) -> Iterator[Finding]:
    """MESH850."""
    stated = context.mesh.visibility
    if stated.across == "selective":
        return
    for key in ("services", "namespaces", "labels"):
        if getattr(stated, key):
            why = "`across` is `all`" if stated.across else "`across` is not set"
            yield warning(
                "MESH850",
                f"{_PLACE}.{key}",
                f"this says what is visible, and nothing is selected, since {why}",
                "set `visibility.across: selective`, or take it out",
            )


def names(context: Context) -> Iterator[Finding]:
    """MESH851."""
    stated = context.mesh.visibility
    for index, host in enumerate(stated.services):
        if not _SERVICE.fullmatch(host):
            why = f"{quoted(host)} is no service of Kubernetes"
            yield error(
                "MESH851", f"{_PLACE}.services[{index}]", why, "write `<service>.<namespace>`, without wildcards"
            )
    for index, namespace in enumerate(stated.namespaces):
        if not DNS_LABEL.fullmatch(namespace):
            yield _no_namespace(f"{_PLACE}.namespaces[{index}]", namespace)
    for key, entries in (
        ("services", stated.export_to.services),
        ("virtualServices", stated.export_to.virtual_services),
        ("destinationRules", stated.export_to.destination_rules),
    ):
        yield from _export_to(f"{_PLACE}.exportTo.{key}", entries)


def _export_to(place: str, entries: tuple[str, ...]) -> Iterator[Finding]:
    for index, entry in enumerate(entries):
        if entry not in (".", "*") and not DNS_LABEL.fullmatch(entry):
            yield _no_namespace(f"{place}[{index}]", entry)
    if "*" in entries and len(entries) > 1:
        yield error(
            "MESH851", place, "`*` is all namespaces, and others beside it mean nothing", "leave `*` or the others"
        )


def sidecar_hosts(context: Context) -> Iterator[Finding]:
    """MESH851, of Sidecars."""
    root, stated = context.mesh.istio.namespace, context.mesh.visibility.sidecars
    for namespace in stated.namespaces:
        place = f"{_PLACE}.sidecars.namespaces.{quoted_key(namespace)}"
        if not DNS_LABEL.fullmatch(namespace):
            yield _no_namespace(place, namespace)
        if namespace == root and stated.default:
            why = f"the Sidecar of {quoted(root)}, the root namespace, is the one that `default` makes"
            yield error("MESH851", place, why, "say it in `visibility.sidecars.default`")
    named = {
        "default": stated.default,
        **{f"namespaces.{quoted_key(n)}": hosts for n, hosts in stated.namespaces.items()},
    }
    for key, hosts in named.items():
        for index, host in enumerate(hosts):
            if not _EGRESS.fullmatch(host):
                yield error(
                    "MESH851",
                    f"{_PLACE}.sidecars.{key}[{index}]",
                    f"{quoted(host)} is no host of a Sidecar; istiod's webhook refuses it",
                    "write `<namespace>/<host>`: `./*`, `istio-system/*`, `shop/cart.shop.svc.cluster.local`",
                )
        if not hosts and key != "default":
            why = "a Sidecar without hosts changes nothing"
            yield error("MESH851", f"{_PLACE}.sidecars.{key}", why, "name hosts, or `~/*` for none; or take it out")


def selectors(context: Context) -> Iterator[Finding]:
    """MESH851, of label selectors."""
    for index, selector in enumerate(context.mesh.visibility.discovery_selectors):
        problem = _problem(selector)
        if problem:
            place = f"{_PLACE}.discoverySelectors[{index}]"
            yield error("MESH851", place, f"the selector {problem}", "write `matchLabels` or `matchExpressions`")


def _problem(selector: LabelSelector) -> str | None:
    if not selector.match_labels and not selector.match_expressions:
        return "is empty, so it selects every namespace"
    for item in selector.match_expressions:
        if item.operator in ("In", "NotIn") and not item.values:
            return f"has the operator {item.operator} without `values`"
        if item.operator in ("Exists", "DoesNotExist") and item.values:
            return f"has the operator {item.operator}, which takes no `values`"
    return None


def means(context: Context) -> Iterator[Finding]:
    """MESH852. Sidecars know hosts, ambient knows labels (istio/istio pilot/pkg/serviceregistry/ambient/services.go),
    and a ServiceExport is for one service."""
    stated, plane = context.mesh.visibility, context.mesh.istio.data_plane
    if stated.labels and plane == "sidecar":
        yield _other_means(
            "labels", "sidecars know services by their hosts, and not by labels", "name services or namespaces"
        )
    if stated.services and plane == "ambient":
        yield _other_means(
            "services",
            "ambient knows services by labels of theirs or of their namespaces, and not by name",
            'label the Service `istio.io/global: "true"` in every cluster, or name a namespace',
        )
    if stated.mcs is None:
        return
    if plane != "sidecar":
        yield _other_means("mcs", "ambient does not ask ServiceExports", "leave `mcs` out, or use sidecars")
    if stated.namespaces and stated.across == "selective":
        yield _other_means("namespaces", "a ServiceExport is for one service, and for no namespace", "name services")
    if stated.mcs.cluster_local and not stated.mcs.host:
        yield _other_means(
            "mcs.clusterLocal",
            "with `clusterLocal` no other name than that of `host` leads to other clusters, and there is none",
            "set `mcs.host: true` too",
        )


def half_seen(context: Context) -> Iterator[Finding]:
    """MESH852, where both data planes are."""
    stated = context.mesh.visibility
    if context.mesh.istio.data_plane != "mixed" or stated.across != "selective":
        return
    for key, reads, other in (("services", "sidecars", "ambient"), ("labels", "ambient", "sidecars")):
        if getattr(stated, key):
            yield warning(
                "MESH852",
                f"{_PLACE}.{key}",
                f"only callers with {reads} are sent to other clusters for these: {other} cannot be told so",
                "name the namespaces, which both understand, or give the Services `istio.io/global` and name them too",
            )


def hidden_export(context: Context) -> Iterator[Finding]:
    """MESH854. A gateway for other meshes sends requests where a caller in its cluster would be sent."""
    mesh = context.mesh
    several = sum(meshes.holds_config(cluster) for cluster in mesh.clusters) > 1
    for index, export in enumerate(mesh.exports):
        if several and not visibility.sees(mesh.visibility, export.host):
            yield error(
                "MESH854",
                f"exports[{index}].host",
                f"other meshes may call {quoted(export.host)}, and it is not visible across clusters: those who come "
                "in at a cluster without pods of it get no answer",
                f"add {quoted(export.host)} to `visibility.services`, or its namespace to `visibility.namespaces`",
            )


def shut_out(context: Context) -> Iterator[Finding]:
    """MESH855."""
    mesh = context.mesh
    if mesh.visibility.across != "selective" or mesh.istio.data_plane == "ambient":
        return
    for index, cluster in context.clusters():
        let_in = cluster.east_west.hosts
        lost = [host for host in visibility.hosts(mesh.visibility) if not _any_covers(let_in, host)]
        if lost and meshes.holds_config(cluster) and let_in != EastWestSettings().hosts:
            yield error(
                "MESH855",
                at(index, "eastWest.hosts"),
                f"{', '.join(map(quoted, lost))} is visible to other clusters, and the east-west gateway lets nobody "
                "reach it",
                "leave `eastWest.hosts` out: they follow from `visibility`",
            )


def both(context: Context) -> Iterator[Finding]:
    """MESH856. The more specific host wins (istio/istio pilot/pkg/model/cluster_local.go)."""
    mesh = context.mesh
    if not visibility.by_hosts(mesh.visibility):
        return
    seen = visibility.hosts(mesh.visibility)
    for index, host in enumerate(mesh.istio.mesh_config.cluster_local_hosts):
        if host in seen:
            yield error(
                "MESH856",
                f"istio.meshConfig.clusterLocalHosts[{index}]",
                f"{quoted(host)} is to stay in each cluster here, and is visible across clusters in `visibility`",
                "take it out in one of the two places",
            )


def root_left_out(context: Context) -> Iterator[Finding]:
    """MESH857. Selectors of `visibility` have the root namespace with them; those in chart values may not."""
    mesh = context.mesh
    place = "istio.values.istiod.meshConfig.discoverySelectors"
    stated = (mesh.istio.values.istiod.get("meshConfig") or {}).get("discoverySelectors")
    if not isinstance(stated, list) or not stated:
        return
    for cluster in mesh.clusters:
        labels = visibility.root_labels(mesh, cluster)
        if not any(isinstance(item, dict) and visibility.selects(item, labels) for item in stated):
            yield error(
                "MESH857",
                place,
                f"no selector selects {quoted(mesh.istio.namespace)}, the root namespace: istiod would see neither its "
                "gateways nor the networks of other clusters",
                "say it in `visibility.discoverySelectors`, which adds that namespace",
            )
            return


def unseen_imports(context: Context) -> Iterator[Finding]:
    """MESH858. Imports are ServiceEntries in the root namespace."""
    mesh = context.mesh
    default, root = mesh.visibility.sidecars.default, mesh.istio.namespace
    wanted = [item for other in mesh.meshes for item in other.imports]
    if not default or not wanted:
        return
    lost = [meshes.called(item) for item in wanted if not _let_through(default, root, meshes.called(item))]
    if lost:
        yield warning(
            "MESH858",
            f"{_PLACE}.sidecars.default",
            f"{', '.join(map(quoted, lost))} is imported from another mesh, and sidecars are not told of it: it is a "
            f"ServiceEntry in {quoted(root)}",
            f"add `{root}/*`",
        )


def decided_elsewhere(context: Context) -> Iterator[Finding]:
    """MESH859."""
    if context.mesh.istio.install == "charts":
        return
    stated = context.mesh.visibility
    parts = (
        ("across", stated.across, "`serviceSettings`, or `serviceScopeConfigs` of ambient"),
        ("mcs", stated.mcs, "`ENABLE_MCS_SERVICE_DISCOVERY` in istiod's environment"),
        ("exportTo", stated.export_to != ExportToSettings(), "`defaultServiceExportTo` and its like"),
        ("discoverySelectors", stated.discovery_selectors, "`discoverySelectors`"),
    )
    for key, said, what in parts:
        if said:
            yield warning(
                "MESH859",
                f"{_PLACE}.{key}",
                f"with `istio.install: none` another tool makes the mesh config, and this does not reach it: {what}",
                "set it there too, in every cluster",
            )


def _let_through(hosts: Iterable[str], namespace: str, host: str) -> bool:
    parts = (entry.split("/", 1) for entry in hosts if "/" in entry)
    return any(where in ("*", namespace) and visibility.covers(pattern, host) for where, pattern in parts)


def _any_covers(patterns: Iterable[str], host: str) -> bool:
    # A gateway's host may name namespaces, `sample/*.local`.
    return any(visibility.covers(pattern.rpartition("/")[2], host) for pattern in patterns)


def _no_namespace(place: str, namespace: str) -> Finding:
    return error(
        "MESH851",
        place,
        f"{quoted(namespace)} is no name of a namespace",
        "use lower-case letters, digits and inner dashes, at most 63",
    )


def _other_means(key: str, why: str, fix: str) -> Finding:
    return error("MESH852", f"{_PLACE}.{key}", why, fix)


RULES = (
    pointless,
    names,
    sidecar_hosts,
    selectors,
    means,
    half_seen,
    hidden_export,
    shut_out,
    both,
    root_left_out,
    unseen_imports,
    decided_elsewhere,
)
