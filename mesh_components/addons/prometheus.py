"""Prometheus: the metrics of one cluster, or those that the Prometheus of every cluster has.

Does not own what it is asked by (Grafana, Kiali), nor a way to the Prometheus of another cluster
(`ServiceElsewhere`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pulumi
from pydantic import Field

from mesh_components.addons.args import AddonArgs
from mesh_components.addons.chart import Chart, build
from mesh_components.settings.addons import FederationSettings, PrometheusSettings
from mesh_components.topology.addon_names import PROMETHEUS, PROMETHEUS_PORT, url_of

REPOSITORY = "https://prometheus-community.github.io/helm-charts"
_SETTINGS = PrometheusSettings()
_FEDERATION = FederationSettings()
_JOBS = (
    "prometheus",
    "kubernetes-api-servers",
    "kubernetes-nodes",
    "kubernetes-nodes-cadvisor",
    "kubernetes-service-endpoints",
    "kubernetes-service-endpoints-slow",
    "prometheus-pushgateway",
    "kubernetes-services",
    "kubernetes-pods",
    "kubernetes-pods-slow",
)
"""What the chart has it scrape."""
_OTHERS = ("alertmanager", "kube-state-metrics", "prometheus-node-exporter", "prometheus-pushgateway")
"""Charts that come along with it, and that nothing here needs."""
_CALLED: Mapping[str, str] = {"traffic.sidecar.istio.io/includeOutboundIPRanges": ""}
"""It is called through its sidecar, and scrapes pods past it, at addresses that a sidecar knows no service of
(https://istio.io/latest/docs/ops/integrations/prometheus/#tls-settings)."""
_CALLS: Mapping[str, str] = {"traffic.sidecar.istio.io/excludeInboundPorts": str(PROMETHEUS_PORT)}
"""It calls through its sidecar. Kiali and Grafana have none, and must reach it where plaintext is refused too."""


class PrometheusArgs(AddonArgs):
    """What it is called, and what it fetches."""

    version: str = _SETTINGS.version
    name: str = PROMETHEUS
    """Of its Service and everything else; several can be in a namespace."""
    sources: Mapping[str, str] = Field(default_factory=dict)
    """URL of another Prometheus by the name of its cluster. With any, it fetches from these, and scrapes no pods."""
    match: tuple[str, ...] = _FEDERATION.match
    """Selectors of the series that it fetches."""
    interval: str = _FEDERATION.interval
    retention: str = _SETTINGS.retention
    storage: str | None = None
    """Size of a volume; without one the metrics go when the pod goes."""


class Prometheus(pulumi.ComponentResource):
    """Hand it the cluster's provider through `opts.providers`."""

    url: pulumi.Output[str]
    """Where it answers inside of its cluster, once it is there."""

    def __init__(self, name: str, args: PrometheusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:Prometheus", name, {"version": args.version, "sources": dict(args.sources)}, opts)
        chart = Chart("prometheus", args.version, REPOSITORY, args.name)
        sidecar = (_CALLS if args.sources else _CALLED) if args.plane == "sidecar" else {}
        made = build(self, name, args, chart, values(args), opts, annotations=sidecar, exported=[args.name])
        self.url = made.apply(lambda _: url_of(args.name, args.namespace, PROMETHEUS_PORT))
        self.register_outputs({"url": self.url})


def values(args: PrometheusArgs) -> dict[str, Any]:
    """Values of the chart `prometheus`."""
    size = {"size": args.storage} if args.storage else {}
    return {
        **{chart: {"enabled": False} for chart in _OTHERS},
        "server": {
            "fullnameOverride": args.name,
            "service": {"servicePort": PROMETHEUS_PORT},
            "global": {"scrape_interval": args.interval},
            "retention": args.retention,
            "persistentVolume": {"enabled": bool(args.storage), **size},
        },
        **(_federating(args) if args.sources else {}),
    }


def _federating(args: PrometheusArgs) -> dict[str, Any]:
    """It asks no API server for anything, so it needs no rights."""
    return {
        "rbac": {"create": False},
        "scrapeConfigs": {
            **{job: {"enabled": False} for job in _JOBS},
            **{f"federate-{cluster}": _job(cluster, where, args.match) for cluster, where in args.sources.items()},
        },
    }


def _job(cluster: str, where: str, match: tuple[str, ...]) -> dict[str, Any]:
    """The label `cluster` is ours, since two clusters may have pods of one name; all others are as they were."""
    parts = urlsplit(where)
    return {
        "honor_labels": True,
        "scheme": parts.scheme,
        "metrics_path": f"{parts.path.rstrip('/')}/federate",
        "params": {"match[]": list(match)},
        "static_configs": [{"targets": [parts.netloc], "labels": {"cluster": cluster}}],
    }
