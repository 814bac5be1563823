"""What follows from `visibility`: hosts, scopes and namespaces, for each data plane in its own words.

Pure: settings in, plain data out. istiod decides by the mesh config of the cluster that calls, so every cluster is told
the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.gateway import EastWestSettings
from mesh_components.settings.visibility import LabelSelector, VisibilitySettings
from mesh_components.topology import names
from mesh_components.topology.meshes import SERVICE_DOMAIN, full_host, holds_config
from mesh_components.topology.roles import is_member

EVERY_SERVICE = f"*{SERVICE_DOMAIN}"
"""Of Kubernetes. A bare `*` would be ServiceEntries too, whose endpoints are those of one cluster."""
CLUSTER_SET_DOMAIN = ".svc.clusterset.local"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Label that Kubernetes puts on every namespace."""
GLOBAL_LABEL = "istio.io/global"

_EVERY_GATEWAY_HOST = EastWestSettings().hosts


def by_hosts(visibility: VisibilitySettings) -> bool:
    """Whether sidecars are told by the mesh config which hosts stay in their cluster."""
    return visibility.across == "selective" and visibility.mcs is None


def hosts(visibility: VisibilitySettings) -> tuple[str, ...]:
    """Hosts of what other clusters see, in the order of the document."""
    wildcards = (f"*.{namespace}{SERVICE_DOMAIN}" for namespace in visibility.namespaces)
    return tuple(dict.fromkeys((*map(full_host, visibility.services), *wildcards)))


def sees(visibility: VisibilitySettings, host: str) -> bool:
    """Whether callers in other clusters are sent to the host, as far as names decide it."""
    if visibility.across != "selective":
        return True
    return any(covers(pattern, full_host(host)) for pattern in hosts(visibility))


def covers(pattern: str, host: str) -> bool:
    """Whether a host, which may be a wildcard itself, is among those of a pattern."""
    return host == pattern or (pattern.startswith("*") and host.endswith(pattern.removeprefix("*")))


def gateway_hosts(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[str, ...]:
    """What the east-west gateway lets other networks reach: as the document says, else what is visible."""
    stated, visibility = cluster.east_west.hosts, mesh.visibility
    if stated != _EVERY_GATEWAY_HOST or visibility.across != "selective":
        return stated
    visible = hosts(visibility)
    if visibility.mcs is None or not visibility.mcs.host:
        return visible
    in_set = tuple(host.replace(SERVICE_DOMAIN, CLUSTER_SET_DOMAIN) for host in visible)
    return in_set if visibility.mcs.cluster_local else (*visible, *in_set)


def service_settings(visibility: VisibilitySettings, local: tuple[str, ...]) -> list[dict[str, Any]]:
    """`meshConfig.serviceSettings`. The more specific host wins, so `local` may be part of what is visible
    (istio/istio pilot/pkg/model/cluster_local.go)."""
    kept = (*local, *((EVERY_SERVICE,) if by_hosts(visibility) else ()))
    seen = hosts(visibility) if by_hosts(visibility) else ()
    groups = ((True, kept), (False, seen))
    return [{"settings": {"clusterLocal": is_local}, "hosts": list(group)} for is_local, group in groups if group]


def scopes(visibility: VisibilitySettings, namespace: str) -> list[dict[str, Any]]:
    """`meshConfig.serviceScopeConfigs`, by which ambient decides. A list of ours takes the place of the profile's, so
    Istio's own label is part of it.

    Args:
        visibility: what is seen.
        namespace: the root namespace; istiod is each cluster's own, and so is its API server.
    """
    if visibility.across is None:
        return []
    if visibility.across == "all":
        elsewhere = _expression(NAMESPACE_NAME, "NotIn", "kube-system", namespace)
        not_kept = _expression(GLOBAL_LABEL, "NotIn", "false")
        no_api_server = _expression("component", "NotIn", "apiserver")
        return [
            _scope(
                namespaceSelector={"matchExpressions": [elsewhere]},
                servicesSelector={"matchExpressions": [not_kept, no_api_server]},
            )
        ]
    found = [_scope(servicesSelector={"matchExpressions": [_expression(GLOBAL_LABEL, "In", "true")]})]
    if visibility.namespaces:
        among = _expression(NAMESPACE_NAME, "In", *visibility.namespaces)
        found.append(_scope(namespaceSelector={"matchExpressions": [among]}))
    if visibility.labels:
        found.append(_scope(servicesSelector={"matchLabels": dict(visibility.labels)}))
    return found


def selectors(visibility: VisibilitySettings, namespace: str) -> list[dict[str, Any]]:
    """`meshConfig.discoverySelectors`, the root namespace first: in it are the gateways, and in other clusters the
    label with their network."""
    if not visibility.discovery_selectors:
        return []
    stated = [item.model_dump(mode="json", by_alias=True, exclude_defaults=True)
              for item in visibility.discovery_selectors]  # fmt: skip
    return [{"matchLabels": {NAMESPACE_NAME: namespace}}, *stated]


def gateway_namespaces(*clusters: ClusterSettings) -> tuple[str, ...]:
    """Namespaces of ingress and egress gateways, each once."""
    ingress = (gateway.namespace for cluster in clusters for gateway in cluster.ingress)
    egress = (cluster.egress.namespace for cluster in clusters if cluster.egress is not None)
    return tuple(dict.fromkeys((*ingress, *egress)))


def told(mesh: MeshSettings) -> VisibilitySettings:
    """What istiods are told: where only some namespaces are looked at, those of gateways are among them."""
    stated = mesh.visibility
    if not stated.discovery_selectors:
        return stated
    gateways = tuple(LabelSelector(match_labels={NAMESPACE_NAME: name}) for name in gateway_namespaces(*mesh.clusters))
    return stated.model_copy(update={"discovery_selectors": (*gateways, *stated.discovery_selectors)})


def root_labels(mesh: MeshSettings, cluster: ClusterSettings) -> dict[str, str]:
    """Labels of the root namespace, as far as this program and Kubernetes put them there."""
    return {NAMESPACE_NAME: mesh.istio.namespace, names.NETWORK_LABEL: cluster.network}


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector, in Kubernetes' words, selects what has these labels."""
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or ()
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(item["operator"], labels.get(item["key"]), item.get("values") or ()) for item in expressions
    )


def _holds(operator: str, value: str | None, values: Collection[str]) -> bool:
    """As Kubernetes reads it: what has no such label is not in, and fulfils `NotIn`."""
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) == (operator == "Exists")
    return (value in values) == (operator == "In")


def export_to(visibility: VisibilitySettings) -> dict[str, Any]:
    """`meshConfig.default…ExportTo`."""
    stated = visibility.export_to
    named = {
        "defaultServiceExportTo": stated.services,
        "defaultVirtualServiceExportTo": stated.virtual_services,
        "defaultDestinationRuleExportTo": stated.destination_rules,
    }
    return {key: list(value) for key, value in named.items() if value}


def mcs_environment(visibility: VisibilitySettings) -> dict[str, str]:
    """istiod's, where ServiceExports decide (istio/istio pilot/pkg/features/experimental.go)."""
    mcs = visibility.mcs
    if mcs is None:
        return {}
    switches = {
        "ENABLE_MCS_SERVICE_DISCOVERY": True,
        "ENABLE_MCS_HOST": mcs.host,
        "ENABLE_MCS_CLUSTER_LOCAL": mcs.cluster_local,
        "ENABLE_MCS_AUTO_EXPORT": visibility.across != "selective",
    }
    usual = type(mcs)().api_group
    group = {"MCS_API_GROUP": mcs.api_group} if mcs.api_group != usual else {}
    return {**{key: "true" for key, wanted in switches.items() if wanted}, **group}


def exported(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[tuple[str, str], ...]:
    """Namespace and name of the services with a ServiceExport in the cluster: in each, since it speaks of the endpoints
    there."""
    visibility = mesh.visibility
    if visibility.mcs is None or visibility.across != "selective" or not is_member(cluster):
        return ()
    parts = (full_host(host).removesuffix(SERVICE_DOMAIN).split(".") for host in visibility.services)
    return tuple(dict.fromkeys((namespace, name) for name, namespace in parts))


def sidecars(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Namespaces with a Sidecar in the cluster, and the hosts that it names; that of the root namespace is for all
    others."""
    if not holds_config(cluster):
        return ()
    stated = mesh.visibility.sidecars
    default = ((mesh.istio.namespace, stated.default),) if stated.default else ()
    return (*default, *stated.namespaces.items())


def has_objects(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether the cluster has objects of its own that say who sees what."""
    return bool(sidecars(mesh, cluster) or exported(mesh, cluster))


def _scope(**selected: Any) -> dict[str, Any]:
    return {**selected, "scope": "GLOBAL"}


def _expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}
