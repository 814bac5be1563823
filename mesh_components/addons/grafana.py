"""Grafana: dashboards over metrics, logs and traces. Owns what its chart has, and the password of its administrator
where nobody else brings one. Does not own what it draws from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pydantic import Field

from mesh_components.addons.args import AddonArgs
from mesh_components.addons.chart import Chart, build
from mesh_components.addons.random_text import RandomText
from mesh_components.component import child_options
from mesh_components.kubernetes import KubernetesObject, encode
from mesh_components.settings.addons import DashboardSettings, GrafanaSettings
from mesh_components.settings.istio import DEFAULT_VERSION
from mesh_components.topology.addon_names import GRAFANA, GRAFANA_ADMIN, GRAFANA_PORT, url_of

REPOSITORY = "https://grafana.github.io/helm-charts"
_DASHBOARDS = "https://raw.githubusercontent.com/istio/istio/{version}/manifests/addons/dashboards/{file}.json"
_ISTIO: Mapping[str, str] = {
    "mesh": "istio-mesh-dashboard.gen",
    "service": "istio-service-dashboard",
    "workload": "istio-workload-dashboard",
    "performance": "istio-performance-dashboard",
    "control-plane": "pilot-dashboard.gen",
    "ztunnel": "ztunnel-dashboard.gen",
    "extension": "istio-extension-dashboard",
}
"""Istio's own, by the names of their files at the tag of a version."""
_SETTINGS = GrafanaSettings()
_MORE = "mesh"
_USER = "admin"


class GrafanaArgs(AddonArgs):
    """What it draws, and who may look."""

    version: str = _SETTINGS.version
    metrics_url: str
    logs_url: str | None = None
    tracing_url: str | None = None
    anonymous: bool = _SETTINGS.anonymous
    """Whoever reaches it may look."""
    admin_secret: str | None = None
    """Name of a Secret beside it with `admin-user` and `admin-password`; left out, this makes one."""
    istio_version: str | None = DEFAULT_VERSION
    """Of Istio's dashboards; None for none."""
    dashboards: Mapping[str, DashboardSettings] = Field(default_factory=dict)
    """Of grafana.com, by a name."""


class Grafana(pulumi.ComponentResource):
    """Hand it the cluster's provider through `opts.providers`."""

    url: pulumi.Output[str]
    """Where it answers inside of its cluster, once it is there."""
    admin_secret: str
    """Name of the Secret with its administrator's password."""

    def __init__(self, name: str, args: GrafanaArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:Grafana", name, {"version": args.version, "anonymous": args.anonymous}, opts)
        self.admin_secret = args.admin_secret or GRAFANA_ADMIN
        after = [] if args.admin_secret else [self._administrator(name, args, opts)]
        inside = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=after))
        chart = Chart("grafana", args.version, REPOSITORY, GRAFANA)
        made = build(self, name, args, chart, values(args, self.admin_secret), inside)
        self.url = made.apply(lambda _: url_of(GRAFANA, args.namespace, GRAFANA_PORT))
        self.register_outputs({"url": self.url})

    def _administrator(self, name: str, args: GrafanaArgs, opts: pulumi.ResourceOptions | None) -> pulumi.Resource:
        password = RandomText(f"{name}-password", child_options(self, opts))
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": GRAFANA_ADMIN, "namespace": args.namespace},
            "data": pulumi.Output.secret({"admin-user": encode(_USER), "admin-password": encode(password.text)}),
        }
        return KubernetesObject(f"{name}-admin", manifest, child_options(self, opts))


def values(args: GrafanaArgs, admin_secret: str) -> dict[str, Any]:
    """Values of the chart `grafana`. A password in them would be in clear, and another one at every rendering."""
    shown = {"istio": _istio(args.istio_version), _MORE: _from_grafana(args.dashboards)}
    dashboards = {folder: found for folder, found in shown.items() if found}
    return {
        "fullnameOverride": GRAFANA,
        "rbac": {"create": False},
        "testFramework": {"enabled": False},
        "service": {"port": GRAFANA_PORT},
        "admin": {"existingSecret": admin_secret, "userKey": "admin-user", "passwordKey": "admin-password"},
        "grafana.ini": _ini(args),
        "datasources": {"datasources.yaml": {"apiVersion": 1, "datasources": _datasources(args)}},
        "dashboardProviders": {
            "dashboardproviders.yaml": {"apiVersion": 1, "providers": [_provider(folder) for folder in dashboards]}
        },
        "dashboards": dashboards,
        # The chart's own options take dashboards from whoever answers in the name of a server.
        "defaultCurlOptions": "-sfL",
    }


def _ini(args: GrafanaArgs) -> dict[str, Any]:
    quiet = {"analytics": {"reporting_enabled": False, "check_for_updates": False}}
    return {**quiet, "auth.anonymous": {"enabled": True, "org_role": "Viewer"}} if args.anonymous else quiet


def _datasources(args: GrafanaArgs) -> list[dict[str, Any]]:
    urls = {"prometheus": args.metrics_url, "loki": args.logs_url, "jaeger": args.tracing_url}
    return [
        {"name": kind.capitalize(), "uid": kind, "type": kind, "url": where, "access": "proxy", "isDefault": not number}
        for number, (kind, where) in enumerate(urls.items())
        if where is not None
    ]


def _provider(folder: str) -> dict[str, Any]:
    path = {"path": f"/var/lib/grafana/dashboards/{folder}"}
    return {"name": folder, "folder": folder.capitalize(), "orgId": 1, "type": "file", "options": path}


def _istio(version: str | None) -> dict[str, Any]:
    if version is None:
        return {}
    return {name: {"url": _DASHBOARDS.format(version=version, file=file)} for name, file in _ISTIO.items()}


def _from_grafana(wanted: Mapping[str, DashboardSettings]) -> dict[str, Any]:
    return {
        name: {"gnetId": item.id, "revision": item.revision, "datasource": "Prometheus"}
        for name, item in wanted.items()
    }
