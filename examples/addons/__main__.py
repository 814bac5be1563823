"""Look at a mesh of two clusters that runs already: metrics and traces in one place, and Kiali, which reads both.

`charts` names a folder with the charts, else each comes from its project's repository.
"""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    Grafana,
    GrafanaArgs,
    Jaeger,
    JaegerArgs,
    Kiali,
    KialiArgs,
    KialiReader,
    KialiReaderArgs,
    KialiRemoteSecret,
    KialiRemoteSecretArgs,
    LogCollector,
    LogCollectorArgs,
    Loki,
    LokiArgs,
    MeshTelemetry,
    MeshTelemetryArgs,
    Prometheus,
    PrometheusArgs,
    ReaderToken,
    ReaderTokenArgs,
    RemoteSource,
    ServiceElsewhere,
    ServiceElsewhereArgs,
)
from mesh_components.settings.istio import ChartSource

METRICS = "http://prometheus.istio-system.svc.cluster.local:9090"
TRACES = "http://jaeger.istio-system.svc.cluster.local:16686"
LOGS = "http://loki.istio-system.svc.cluster.local:3100"

config = pulumi.Config()
clusters = {
    name: AttachedCluster(name, AttachedClusterArgs(kubeconfig=Path(config.require(f"{name}Kubeconfig")).read_text()))
    for name in ("east", "west")
}
east, west = clusters["east"].inside(), clusters["west"].inside()
charts = ChartSource(folder=config.get("charts"))

# Each cluster's own metrics. What is called from another cluster is in the mesh, by a sidecar.
for name, cluster in clusters.items():
    own = PrometheusArgs(name=f"prometheus-{name}", plane="sidecar", charts=charts)
    Prometheus(f"prometheus-{name}", own, cluster.inside())

# Those of both, in east. There, the Prometheus of west is a Service without pods, and the mesh leads on.
ServiceElsewhere("west-metrics", ServiceElsewhereArgs(name="prometheus-west", port=9090), east)
sources = {name: f"http://prometheus-{name}.istio-system.svc.cluster.local:9090" for name in clusters}
Prometheus("prometheus", PrometheusArgs(sources=sources, plane="sidecar", charts=charts), east)

# Traces and access logs of both. istiod's `extensionProviders` say where these two are.
Jaeger("jaeger", JaegerArgs(plane="sidecar", charts=charts), east)
Loki("loki", LokiArgs(charts=charts), east)
LogCollector("access-logs", LogCollectorArgs(logs_url=LOGS, plane="sidecar", charts=charts), east)
for receiver in ("jaeger", "mesh-access-logs"):
    ServiceElsewhere(f"to-{receiver}", ServiceElsewhereArgs(name=receiver, port=4317, protocol="grpc"), west)
for name, cluster in clusters.items():
    telemetry = MeshTelemetryArgs(tracing="jaeger", access_logs=("mesh-access-logs",))
    MeshTelemetry(f"telemetry-{name}", telemetry, cluster.inside())

grafana = Grafana("grafana", GrafanaArgs(metrics_url=METRICS, logs_url=LOGS, tracing_url=TRACES, charts=charts), east)

# Kiali in east reads west as its own account there.
account = KialiReader("kiali-in-west", KialiReaderArgs(charts=charts), west)
token = ReaderToken("kiali-token", ReaderTokenArgs(account="kiali"), clusters["west"].inside(account))
secret = KialiRemoteSecret(
    "kiali-reads-west",
    KialiRemoteSecretArgs(
        source_name="west",
        source=RemoteSource(token=token, api_server=clusters["west"].api_server),
        reader=clusters["east"],
    ),
)
kiali = Kiali(
    "kiali",
    KialiArgs(
        cluster_name="east",
        clusters=("west",),
        metrics_url=METRICS,
        tracing_url=TRACES,
        grafana_url="http://grafana.istio-system.svc.cluster.local:3000",
        grafana_secret=grafana.admin_secret,
        charts=charts,
    ),
    clusters["east"].inside(secret),
)

pulumi.export("kiali", kiali.ready)
