"""Loki: the access logs of all proxies in one place, and the collector that takes them from proxies.

Envoy speaks OTLP over gRPC and Loki over HTTP, so there is a collector between them, as in Istio's own sample
(https://istio.io/latest/docs/tasks/observability/logs/otel-provider/). Does not own what makes proxies send
(`MeshTelemetry`, and the mesh config).
"""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.addons.args import AddonArgs
from mesh_components.addons.chart import Chart, build
from mesh_components.settings.addons import CollectorSettings, LokiSettings
from mesh_components.topology.addon_names import LOG_COLLECTOR, LOKI, LOKI_PORT, url_of

REPOSITORY = "https://grafana.github.io/helm-charts"
COLLECTOR_REPOSITORY = "https://open-telemetry.github.io/opentelemetry-helm-charts"
_SETTINGS = LokiSettings()
_OFF: dict[str, Any] = {"enabled": False}
_NOT_USED = ("jaeger-compact", "jaeger-grpc", "jaeger-thrift", "zipkin")
"""Ports of the collector."""


class LokiArgs(AddonArgs):
    """How much it keeps."""

    version: str = _SETTINGS.version
    storage: str = _SETTINGS.storage
    """Size of its volume."""


class LogCollectorArgs(AddonArgs):
    """Where it hands the logs to."""

    version: str = CollectorSettings().version
    logs_url: str
    """Of Loki."""


class Loki(pulumi.ComponentResource):
    """All of it in one pod, with the logs on one volume; hand it the cluster's provider through `opts.providers`."""

    url: pulumi.Output[str]
    """Where it answers inside of its cluster, once it is there."""

    def __init__(self, name: str, args: LokiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:Loki", name, {"version": args.version}, opts)
        chart = Chart("loki", args.version, REPOSITORY, LOKI)
        made = build(self, name, args, chart, values(args), opts)
        self.url = made.apply(lambda _: url_of(LOKI, args.namespace, LOKI_PORT))
        self.register_outputs({"url": self.url})


class LogCollector(pulumi.ComponentResource):
    """Takes access logs from proxies by OTLP; hand it the cluster's provider through `opts.providers`."""

    ready: pulumi.Output[str]
    """Name of its Service, once it is there."""

    def __init__(self, name: str, args: LogCollectorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:LogCollector", name, {"version": args.version}, opts)
        chart = Chart("opentelemetry-collector", args.version, COLLECTOR_REPOSITORY, LOG_COLLECTOR)
        self.ready = build(self, name, args, chart, collector_values(args), opts, exported=[LOG_COLLECTOR])
        self.register_outputs({"ready": self.ready})


def values(args: LokiArgs) -> dict[str, Any]:
    """Values of the chart `loki`: the least of its three shapes. Its caches alone would ask for 10 GB."""
    return {
        "fullnameOverride": LOKI,
        "deploymentMode": "SingleBinary",
        "singleBinary": {"replicas": 1, "persistence": {"size": args.storage}},
        **{part: {"replicas": 0} for part in ("read", "write", "backend")},
        "loki": {
            "auth_enabled": False,
            "commonConfig": {"replication_factor": 1},
            "storage": {"type": "filesystem"},
            "schemaConfig": {"configs": [_SCHEMA]},
        },
        **dict.fromkeys(("chunksCache", "resultsCache", "gateway", "lokiCanary", "test"), _OFF),
    }


_SCHEMA = {
    "from": "2024-04-01",
    "store": "tsdb",
    "object_store": "filesystem",
    "schema": "v13",
    "index": {"prefix": "index_", "period": "24h"},
}
"""How Loki lays out what it keeps; the date lies before anything that it will ever be sent."""


def collector_values(args: LogCollectorArgs) -> dict[str, Any]:
    """Values of the chart `opentelemetry-collector`. What is None is taken out of the chart's own configuration."""
    return {
        "fullnameOverride": LOG_COLLECTOR,
        "mode": "deployment",
        "image": {"repository": "otel/opentelemetry-collector-k8s"},
        "ports": dict.fromkeys(_NOT_USED, _OFF),
        "config": {
            "receivers": {"jaeger": None, "prometheus": None, "zipkin": None},
            "exporters": {"debug": None, "otlphttp": {"endpoint": f"{args.logs_url}/otlp"}},
            "service": {
                "pipelines": {
                    "traces": None,
                    "metrics": None,
                    "logs": {"receivers": ["otlp"], "exporters": ["otlphttp"]},
                }
            },
        },
    }
