"""Add-ons: what shows how a mesh does. Each is optional, comes by its own chart, and has a pinned version.

The versions are those that Istio's own samples of 1.30.3 are rendered from (istio/istio `manifests/addons/gen.sh`), or,
where Istio renders them from no chart, the chart with the version of the program that the sample runs
(https://istio.io/latest/docs/ops/integrations/).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mesh_components.settings.base import Settings
from mesh_components.settings.discovery import TokenSettings
from mesh_components.settings.istio import ChartSource

Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]*(s|m|h|d|w|y)$")]
"""As Prometheus writes it: `15s`, `15d`."""
KialiAuth = Literal["anonymous", "token", "openid", "openshift", "header"]


class AddonSettings(Settings):
    """What all of them have."""

    version: str
    """Of the chart."""
    charts: ChartSource = ChartSource()
    """Where the chart comes from; its project's own repository when left out. A `folder` holds it under its name."""
    values: dict[str, Any] = Field(default_factory=dict)
    """The escape hatch: the chart's own values, merged last. Keys that the mesh owns are refused (MESH886)."""


class FederationSettings(Settings):
    """How one Prometheus gets what those of all clusters have
    (https://istio.io/latest/docs/ops/configuration/telemetry/monitoring-multicluster-prometheus/)."""

    addresses: dict[str, str] = Field(default_factory=dict)
    """URL of a cluster's Prometheus, by the cluster's name. A cluster that is left out is reached through the mesh."""
    match: Annotated[tuple[str, ...], Field(min_length=1)] = ('{job="kubernetes-pods"}',)
    """Selectors of the series that are fetched."""
    interval: Duration = "15s"
    """How often."""


class PrometheusSettings(AddonSettings):
    """Collects metrics (https://istio.io/latest/docs/ops/integrations/prometheus/)."""

    version: str = "28.13.0"
    """Of the chart `prometheus` (https://github.com/prometheus-community/helm-charts)."""
    federation: FederationSettings | None = None
    """Every cluster with workloads has a Prometheus, and one more, in `addons.cluster`, fetches what all of them have.
    Left out: there is one, and it knows the workloads of its own cluster only."""
    retention: Duration = "15d"
    """How long metrics are kept."""
    storage: str | None = None
    """Size of a volume for them, `20Gi`; left out, they go when the pod goes."""


class DashboardSettings(Settings):
    """A dashboard of grafana.com."""

    id: Annotated[int, Field(ge=1)]
    revision: Annotated[int, Field(ge=1)]
    """Without one, it would be another dashboard when somebody uploads one."""


class GrafanaSettings(AddonSettings):
    """Draws metrics and logs (https://istio.io/latest/docs/ops/integrations/grafana/)."""

    version: str = "9.2.2"
    """Of the chart `grafana` (https://github.com/grafana/helm-charts)."""
    anonymous: bool = False
    """Whoever reaches it may look, without a password."""
    admin_secret: str | None = None
    """Name of a Secret of yours beside it, with the keys `admin-user` and `admin-password`; left out, the program makes
    one, with a password that nobody else knows."""
    istio_dashboards: bool = True
    """Istio's own, in the version of the mesh. Grafana fetches them from Istio's repository when it starts."""
    dashboards: dict[str, DashboardSettings] = Field(default_factory=dict)
    """Further ones, by a name."""


class JaegerSettings(AddonSettings):
    """Collects traces of all clusters in one place (https://istio.io/latest/docs/ops/integrations/jaeger/)."""

    version: str = "4.4.7"
    """Of the chart `jaeger` (https://github.com/jaegertracing/helm-charts)."""


class CollectorSettings(AddonSettings):
    """Takes access logs from proxies, and hands them to Loki."""

    version: str = "0.170.0"
    """Of the chart `opentelemetry-collector` (https://github.com/open-telemetry/opentelemetry-helm-charts)."""


class LokiSettings(AddonSettings):
    """Keeps the access logs of all proxies in one place
    (https://istio.io/latest/docs/tasks/observability/logs/otel-provider/)."""

    version: str = "6.53.0"
    """Of the chart `loki` (https://github.com/grafana/loki)."""
    storage: str = "10Gi"
    """Size of its volume."""
    collector: CollectorSettings = CollectorSettings()


class KialiSettings(AddonSettings):
    """Shows the mesh as a picture (https://kiali.io/docs/configuration/multi-cluster/)."""

    version: str = "2.26.0"
    """Of the chart `kiali-server` (https://github.com/kiali/helm-charts)."""
    auth: KialiAuth = "anonymous"
    """Who may look. `anonymous`: whoever reaches it, with Kiali's own rights. In several clusters, Kiali takes
    `anonymous`, `openid` and `openshift`."""
    view_only: bool = True
    """Kiali changes nothing, and its account may not either, in no cluster."""
    tokens: TokenSettings = TokenSettings()
    """With what Kiali authenticates to the other clusters: as its own account there."""


class AddonsSettings(Settings):
    """What of them there is; nothing when left out."""

    cluster: str | None = None
    """Name of the cluster where they are; the first one with workloads when left out."""
    namespace: str | None = None
    """Where they are in it; the root namespace when left out, as in Istio's samples. Another one is made."""
    metrics_url: str | None = None
    """A Prometheus of yours, or what answers as one, with the metrics of all clusters, in the place of `prometheus`."""
    prometheus: PrometheusSettings | None = None
    grafana: GrafanaSettings | None = None
    jaeger: JaegerSettings | None = None
    kiali: KialiSettings | None = None
    loki: LokiSettings | None = None
