"""What follows from the add-ons: where each is, who reaches whom, and by which names.

All of them are in one cluster, `home`. What comes from other clusters comes through the mesh: traces and access logs
from proxies to their collectors, and to the federating Prometheus what the Prometheus of each cluster has. A service
that is called from another cluster must be known there too, so it has a Service without pods in every cluster that
calls it (https://istio.io/latest/docs/ops/configuration/traffic-management/multicluster/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.addons import AddonSettings, KialiSettings
from mesh_components.settings.discovery import TokenSettings
from mesh_components.topology import names
from mesh_components.topology.addon_names import (
    GRAFANA,
    GRAFANA_ADMIN,
    GRAFANA_PORT,
    JAEGER,
    JAEGER_QUERY_PORT,
    KIALI,
    LOG_COLLECTOR,
    LOKI,
    LOKI_PORT,
    OTLP_PORT,
    PROMETHEUS,
    PROMETHEUS_PORT,
    Plane,
    url_of,
)
from mesh_components.topology.meshes import SERVICE_DOMAIN, holds_config
from mesh_components.topology.roles import config_holder, is_member, members


@dataclass(frozen=True)
class StandIn:
    """A Service without pods: what it stands for is in another cluster, and the mesh leads there."""

    name: str
    port: int
    protocol: str
    """Of the application, as Kubernetes says it (`appProtocol`)."""


def stated(mesh: MeshSettings) -> Mapping[str, AddonSettings]:
    """The add-ons that there are, by their keys."""
    asked = mesh.addons
    found = {
        PROMETHEUS: asked.prometheus,
        GRAFANA: asked.grafana,
        JAEGER: asked.jaeger,
        KIALI: asked.kiali,
        LOKI: asked.loki,
    }
    return {key: settings for key, settings in found.items() if settings is not None}


def parts(mesh: MeshSettings) -> tuple[str, ...]:
    """What there is in one place: the add-ons, and the collector that comes with Loki."""
    found = tuple(stated(mesh))
    return (*found, LOG_COLLECTOR) if LOKI in found else found


def kiali_tokens(mesh: MeshSettings) -> TokenSettings:
    """With what Kiali reads clusters."""
    return (mesh.addons.kiali or KialiSettings()).tokens


def home(mesh: MeshSettings) -> ClusterSettings | None:
    """The cluster where they are; None where the document names one that it does not have (MESH880), or none could
    be one."""
    if mesh.addons.cluster is None:
        return next(iter(members(mesh)), None)
    return next((cluster for cluster in mesh.clusters if cluster.name == mesh.addons.cluster), None)


def is_home(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether they are in this cluster."""
    found = home(mesh)
    return bool(stated(mesh)) and found is not None and found.name == cluster.name


def namespace(mesh: MeshSettings) -> str:
    """Where they are, the same in all clusters."""
    return mesh.addons.namespace or mesh.istio.namespace


def makes_namespace(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether the namespace is made in this cluster."""
    if namespace(mesh) == mesh.istio.namespace:
        return False
    return is_home(mesh, cluster) or collects(mesh, cluster) or read_by_kiali(mesh, cluster) or _calls(mesh, cluster)


def federates(mesh: MeshSettings) -> bool:
    """Whether one Prometheus fetches what those of all clusters have."""
    return mesh.addons.prometheus is not None and mesh.addons.prometheus.federation is not None


def collects(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether the cluster has a Prometheus of its own beside the one that fetches from all."""
    return federates(mesh) and is_member(cluster)


def collector(cluster: str) -> str:
    """Name of the Prometheus of one cluster. No other service of the mesh has it, so it stands for that one alone."""
    return f"{PROMETHEUS}-{cluster}"


def sources(mesh: MeshSettings) -> Mapping[str, str]:
    """Where the federating Prometheus fetches, by cluster."""
    if mesh.addons.prometheus is None or mesh.addons.prometheus.federation is None:
        return {}
    stated = mesh.addons.prometheus.federation.addresses
    return {
        cluster.name: stated.get(cluster.name) or url(mesh, collector(cluster.name), PROMETHEUS_PORT)
        for cluster in members(mesh)
    }


def through_mesh(mesh: MeshSettings) -> tuple[ClusterSettings, ...]:
    """The clusters whose Prometheus is fetched from through the mesh."""
    if mesh.addons.prometheus is None or mesh.addons.prometheus.federation is None:
        return ()
    stated = mesh.addons.prometheus.federation.addresses
    return tuple(c for c in members(mesh) if c.name not in stated and not is_home(mesh, c))


def metrics_url(mesh: MeshSettings) -> str | None:
    """Where the metrics of the mesh are asked for; None where there are none."""
    if mesh.addons.metrics_url is not None or mesh.addons.prometheus is None:
        return mesh.addons.metrics_url
    return url(mesh, PROMETHEUS, PROMETHEUS_PORT)


def logs_url(mesh: MeshSettings) -> str | None:
    """Where logs are asked for, and handed to."""
    return url(mesh, LOKI, LOKI_PORT) if mesh.addons.loki is not None else None


def tracing_url(mesh: MeshSettings) -> str | None:
    """Where traces are asked for."""
    return url(mesh, JAEGER, JAEGER_QUERY_PORT) if mesh.addons.jaeger is not None else None


def grafana_url(mesh: MeshSettings) -> str | None:
    """Where Grafana answers."""
    return url(mesh, GRAFANA, GRAFANA_PORT) if mesh.addons.grafana is not None else None


def read_by_kiali(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether Kiali reads this cluster from another one."""
    return mesh.addons.kiali is not None and not is_home(mesh, cluster)


def stand_ins(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[StandIn, ...]:
    """Services without pods in this cluster: what its proxies, or its Prometheus, call in others."""
    if is_home(mesh, cluster):
        return tuple(StandIn(collector(c.name), PROMETHEUS_PORT, "http") for c in through_mesh(mesh))
    return tuple(StandIn(name, OTLP_PORT, "grpc") for name in receivers(mesh)) if _calls(mesh, cluster) else ()


def receivers(mesh: MeshSettings) -> tuple[str, ...]:
    """The services to which the proxies of all clusters send."""
    traces = (JAEGER,) if mesh.addons.jaeger is not None else ()
    return (*traces, LOG_COLLECTOR) if mesh.addons.loki is not None else traces


def hosts_across(mesh: MeshSettings) -> tuple[str, ...]:
    """The services that are called in a cluster from another one, in full."""
    called = [collector(cluster.name) for cluster in through_mesh(mesh)]
    if len(members(mesh)) > 1:
        called += receivers(mesh)
    return tuple(host(mesh, name) for name in called)


def plane(mesh: MeshSettings, *, in_mesh: bool) -> Plane:
    """What carries the requests of an add-on's pod. In ambient it costs nothing to be in the mesh; a sidecar is for
    those alone that are called from other clusters, or call there: gateways between networks let nothing else in."""
    if mesh.istio.data_plane == "ambient":
        return "ambient"
    return "sidecar" if in_mesh and len(members(mesh)) > 1 else "none"


def providers(mesh: MeshSettings) -> tuple[Mapping[str, Any], ...]:
    """What the mesh config says of the services to which proxies send
    (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ExtensionProvider)."""
    found: list[Mapping[str, Any]] = []
    for name in receivers(mesh):
        where: dict[str, Any] = {"service": host(mesh, name), "port": OTLP_PORT}
        if name == JAEGER:
            found.append({"name": name, "opentelemetry": where})
        else:
            found.append({"name": name, "envoyOtelAls": {**where, "logFormat": {"labels": dict(_LOGGED)}}})
    return tuple(found)


def has_telemetry(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether the cluster holds what tells proxies to send."""
    return holds_config(cluster) and bool(receivers(mesh))


def access_log_providers(mesh: MeshSettings) -> tuple[str, ...]:
    """Who gets access logs, by the names of their providers. With one that is named the mesh config's own log is off,
    so where the document asks for that too, it is named beside it: Istio calls it `envoy`
    (`AccessLogging` in Istio's pilot/pkg/model/telemetry.go)."""
    if mesh.addons.loki is None:
        return ()
    return (LOG_COLLECTOR,) if mesh.istio.mesh_config.access_log is None else ("envoy", LOG_COLLECTOR)


def silent(mesh: MeshSettings, cluster: ClusterSettings) -> Mapping[str, Mapping[str, str]]:
    """Labels of the workloads that take traces and logs, where configuration for them is read."""
    where = home(mesh)
    holder = config_holder(mesh, where) if where is not None else None
    if holder is None or holder.name != cluster.name:
        return {}
    return {name: {"app.kubernetes.io/instance": name} for name in receivers(mesh)}


def grafana_secret(mesh: MeshSettings) -> str | None:
    """The Secret with Grafana's password; None where it asks for none, or there is no Grafana."""
    grafana = mesh.addons.grafana
    return None if grafana is None or grafana.anonymous else grafana.admin_secret or GRAFANA_ADMIN


def host(mesh: MeshSettings, name: str) -> str:
    """A service of the add-ons, in full."""
    return names.service_host(name, namespace(mesh))


def url(mesh: MeshSettings, name: str, port: int) -> str:
    """The same as a URL."""
    return url_of(name, namespace(mesh), port)


def short(host: str) -> str:
    """`jaeger.istio-system`."""
    return host.removesuffix(SERVICE_DOMAIN)


def _calls(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    return is_member(cluster) and bool(receivers(mesh)) and not is_home(mesh, cluster)


_LOGGED: Mapping[str, str] = {
    "cluster": "%ENVIRONMENT(ISTIO_META_CLUSTER_ID)%",
    "namespace": "%ENVIRONMENT(POD_NAMESPACE)%",
    "pod": "%ENVIRONMENT(POD_NAME)%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "duration": "%DURATION%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
}
"""What an entry of the access log carries beside its text (https://www.envoyproxy.io/docs/envoy/latest/configuration/
observability/access_log/usage)."""
