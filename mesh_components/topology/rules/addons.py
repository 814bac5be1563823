"""Add-ons: whether they can be where they are placed, are pinned, are closed, and are the mesh's to configure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mesh_components.settings import Finding
from mesh_components.settings.addons import AddonSettings
from mesh_components.topology import addon_names, addons
from mesh_components.topology.meshes import full_host
from mesh_components.topology.roles import is_member
from mesh_components.topology.rules.applications import RESERVED
from mesh_components.topology.rules.context import Context, at, error, quoted, quoted_key, warning
from mesh_components.topology.rules.names import DNS_LABEL
from mesh_components.topology.visibility import NAMESPACE_NAME, selectors, selects

_PINNED = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
"""A whole version as Helm takes it for one, and for no range (https://helm.sh/docs/chart_template_guide/)."""

_POD = "the way that pods go into the mesh"
_OWNED: Mapping[str, Mapping[str, str]] = {
    addon_names.PROMETHEUS: {
        "server.fullnameOverride": "the name by which others find it",
        "server.service.servicePort": "the port by which others find it",
        "server.podLabels": _POD,
        "server.retention": "`addons.prometheus.retention`",
        "server.persistentVolume.enabled": "`addons.prometheus.storage`",
        "server.persistentVolume.size": "`addons.prometheus.storage`",
    },
    addon_names.GRAFANA: {
        "fullnameOverride": "the name by which others find it",
        "service.port": "the port by which others find it",
        "adminPassword": "`addons.grafana.adminSecret`, since values are in clear",
        "admin": "`addons.grafana.adminSecret`",
    },
    addon_names.JAEGER: {"fullnameOverride": "the name by which proxies find it"},
    addon_names.LOKI: {"fullnameOverride": "the name by which others find it"},
    "loki.collector": {"fullnameOverride": "the name by which proxies find it", "mode": "`addons.loki`"},
    addon_names.KIALI: {
        "auth.strategy": "`addons.kiali.auth`",
        "clustering": "the clusters of the mesh",
        "deployment.instance_name": "the name of its account in every cluster",
        "deployment.remote_cluster_resources_only": "where it is",
        "deployment.view_only_mode": "`addons.kiali.viewOnly`",
        "external_services.prometheus.url": "`addons.metricsUrl`",
        "kubernetes_config.cluster_name": "`addons.cluster`",
        "login_token": "the program, since values are in clear",
    },
}
"""Keys that follow from the document, or that others rely on, by add-on."""

_OPEN: Mapping[str, tuple[tuple[str, ...], ...]] = {
    addon_names.GRAFANA: (("service", "type"), ("ingress", "enabled"), ("route", "main", "enabled")),
    addon_names.KIALI: (("deployment", "service_type"), ("deployment", "ingress", "enabled")),
    addon_names.PROMETHEUS: (
        ("server", "service", "type"),
        ("server", "ingress", "enabled"),
        ("server", "route", "main", "enabled"),
    ),
    addon_names.JAEGER: (("jaeger", "service", "type"), ("jaeger", "ingress", "enabled")),
    addon_names.LOKI: (("singleBinary", "service", "type"), ("ingress", "enabled")),
}
"""Where the charts open what they run to the world."""
_INSIDE = ("ClusterIP", "", False, None)


def charts(context: Context) -> Iterator[tuple[str, str, AddonSettings]]:
    """What comes by a chart: its key, its place in the document, and what is said of it."""
    for key, settings in addons.stated(context.mesh).items():
        yield key, f"addons.{key}", settings
    if context.mesh.addons.loki is not None:
        yield "loki.collector", "addons.loki.collector", context.mesh.addons.loki.collector


def place(context: Context) -> Iterator[Finding]:
    """MESH880."""
    stated = context.mesh.addons.cluster
    if stated is None or not addons.stated(context.mesh):
        return
    index = context.index(stated)
    if index is None:
        yield error(
            "MESH880",
            "addons.cluster",
            f"no cluster is called {quoted(stated)}, so the add-ons would be nowhere",
            "write the name of a cluster",
        )
    elif not is_member(context.mesh.clusters[index]):
        yield error(
            "MESH880",
            "addons.cluster",
            f"{quoted(stated)} has an istiod for other clusters and is no part of the mesh: proxies do not reach what "
            "is there, and nothing injects a sidecar",
            "choose a cluster with workloads",
        )


def metrics(context: Context) -> Iterator[Finding]:
    """MESH881 (https://kiali.io/docs/configuration/p8s-jaeger-grafana/prometheus/)."""
    mesh = context.mesh
    if addons.metrics_url(mesh) is None:
        for key in (addon_names.KIALI, addon_names.GRAFANA):
            if key in addons.stated(mesh):
                yield error(
                    "MESH881",
                    f"addons.{key}",
                    f"{key.capitalize()} shows what a Prometheus collects, and there is none",
                    "add `addons.prometheus`, or name one of yours in `addons.metricsUrl`",
                )
    elif mesh.addons.metrics_url is not None and mesh.addons.prometheus is not None:
        yield warning(
            "MESH881",
            "addons.metricsUrl",
            "Kiali and Grafana ask this address, and nobody asks the Prometheus that is made too",
            "take out `addons.metricsUrl`, or `addons.prometheus`",
        )


def pinned(context: Context) -> Iterator[Finding]:
    """MESH884 (https://helm.sh/docs/helm/helm_install/)."""
    for _, where, settings in charts(context):
        if settings.charts.folder is None and not _PINNED.fullmatch(settings.version):
            yield error(
                "MESH884",
                f"{where}.version",
                f"{quoted(settings.version)} is no whole version: Helm takes the newest that fits, so the same "
                "document is another mesh tomorrow",
                "write a whole version, such as 1.2.3",
            )


def sources(context: Context) -> Iterator[Finding]:
    """MESH893."""
    for key, where, settings in charts(context):
        stated = settings.charts.stated
        if len(stated) > 1:
            yield error(
                "MESH893",
                f"{where}.charts",
                f"the chart comes from one place, and this names {len(stated)}: {', '.join(stated)}",
                "keep one of them",
            )
        folder, chart = settings.charts.folder, CHARTS[key]
        if folder is not None and context.holds_chart is not None and not context.holds_chart(folder, chart):
            yield error(
                "MESH893",
                f"{where}.charts.folder",
                f"{quoted(folder)} holds no chart {chart}, so nothing can be rendered",
                f"name the folder that has the chart in `{chart}`; a chart is a folder with a Chart.yaml",
            )


CHARTS: Mapping[str, str] = {
    addon_names.PROMETHEUS: "prometheus",
    addon_names.GRAFANA: "grafana",
    addon_names.JAEGER: "jaeger",
    addon_names.KIALI: "kiali-server",
    addon_names.LOKI: "loki",
    "loki.collector": "opentelemetry-collector",
}
"""Names of the charts, by add-on."""


def closed(context: Context) -> Iterator[Finding]:
    """MESH885. Who has no password may be let in by nothing but the network."""
    for key, why in _without_password(context).items():
        settings = addons.stated(context.mesh)[key]
        for path in _OPEN[key]:
            if _at_path(settings.values, path) not in _INSIDE:
                yield error(
                    "MESH885",
                    f"addons.{key}.values.{'.'.join(path)}",
                    f"this opens {key.capitalize()} to whoever reaches the cluster, and {why}",
                    _CLOSE[key],
                )
        yield from _let_in(context, key, why)


def _let_in(context: Context, key: str, why: str) -> Iterator[Finding]:
    ours = addons.host(context.mesh, key)
    for index, cluster in context.clusters():
        for number, gateway in enumerate(cluster.ingress):
            for position, host in enumerate(gateway.hosts):
                for route, item in enumerate(host.routes):
                    if full_host(item.service) == ours:
                        yield error(
                            "MESH885",
                            at(index, f"ingress[{number}].hosts[{position}].routes[{route}].service"),
                            f"this leads the world to {key.capitalize()}, and {why}",
                            _CLOSE[key],
                        )


def _without_password(context: Context) -> dict[str, str]:
    mesh = context.mesh.addons
    asks_nobody = "it asks nobody who they are"
    found = {addon_names.PROMETHEUS: asks_nobody, addon_names.JAEGER: asks_nobody, addon_names.LOKI: asks_nobody}
    if mesh.grafana is not None and mesh.grafana.anonymous:
        found[addon_names.GRAFANA] = "`addons.grafana.anonymous` lets everybody look"
    if mesh.kiali is not None and mesh.kiali.auth == "anonymous":
        found[addon_names.KIALI] = (
            "`addons.kiali.auth: anonymous` lets everybody in, with the rights of Kiali in all clusters"
        )
    return {key: why for key, why in found.items() if key in addons.stated(context.mesh)}


_REACH = "reach it by `kubectl port-forward`, or put something in front of it that asks for a login"
_CLOSE: Mapping[str, str] = {
    addon_names.PROMETHEUS: _REACH,
    addon_names.JAEGER: _REACH,
    addon_names.LOKI: _REACH,
    addon_names.GRAFANA: "take out `anonymous`, or close it again",
    addon_names.KIALI: "set `auth: openid` or another one that asks, or close it again",
}


def owned(context: Context) -> Iterator[Finding]:
    """MESH886."""
    for key, where, settings in charts(context):
        for path, owner in _OWNED[key].items():
            if _says(settings.values, tuple(path.split("."))):
                yield error(
                    "MESH886",
                    f"{where}.values.{path}",
                    f"this follows from {owner}; values are merged last, so what relies on it would not find it",
                    "take it out",
                )
    mesh_config = context.mesh.istio.values.istiod.get("meshConfig")
    if addons.providers(context.mesh) and isinstance(mesh_config, Mapping) and "extensionProviders" in mesh_config:
        yield error(
            "MESH886",
            "istio.values.istiod.meshConfig.extensionProviders",
            "lists are replaced and not merged, so the providers of the add-ons would be gone, and proxies would send "
            "nothing",
            "take it out; what the add-ons need is entered by themselves",
        )


def space(context: Context) -> Iterator[Finding]:
    """MESH891."""
    stated = context.mesh.addons.namespace
    if stated is None or not addons.stated(context.mesh):
        return
    if not DNS_LABEL.fullmatch(stated) or stated in RESERVED:
        why = "is there already" if stated in RESERVED else "is no DNS-1123 label"
        yield error(
            "MESH891",
            "addons.namespace",
            f"{quoted(stated)} {why}, and the namespace comes and goes with the add-ons",
            "give them a namespace of their own, or leave it out for the root namespace",
        )
    if addons.hosts_across(context.mesh) and not _looked_at(context, stated):
        yield warning(
            "MESH891",
            "addons.namespace",
            f"no discovery selector selects {quoted(stated)}, so istiod does not know the services there and proxies "
            "send nothing",
            f"add a selector with `{NAMESPACE_NAME}: {quoted_key(stated)}`, or leave the namespace out",
        )


def _looked_at(context: Context, namespace: str) -> bool:
    """Whether istiods look at the namespace."""
    root = context.mesh.istio.namespace
    asked = selectors(context.mesh.visibility, root)
    return not asked or namespace == root or any(selects(item, {NAMESPACE_NAME: namespace}) for item in asked)


def _at_path(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree


def _says(tree: Any, path: tuple[str, ...]) -> bool:
    """Whether values say something there, or erase it by what they put in the place of a parent."""
    for key in path:
        if not isinstance(tree, Mapping):
            return True
        if key not in tree:
            return False
        tree = tree[key]
    return True


RULES = (place, metrics, pinned, sources, closed, owned, space)
