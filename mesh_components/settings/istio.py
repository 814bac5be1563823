"""Istio itself: version, revision, where its charts come from, and what its mesh config says."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mesh_components.settings.base import Settings

DEFAULT_VERSION = "1.30.3"
DEFAULT_REPOSITORY = "https://istio-release.storage.googleapis.com/charts"


class ChartSource(Settings):
    """Where the official charts come from. At most one; the Helm repository of the Istio project when none is given."""

    repository: str | None = None
    """URL of a Helm repository that has the charts `base` and `istiod`."""
    oci: str | None = None
    """OCI address of the folder that has the charts, such as `oci://registry.example/istio/charts`."""
    folder: str | None = None
    """Local folder with one chart each in `base` and `istiod`; relative paths start at the project's folder."""


class AccessLogSettings(Settings):
    """`meshConfig.accessLogFile` and `accessLogEncoding`."""

    file: str = "/dev/stdout"
    encoding: Literal["TEXT", "JSON"] = "TEXT"
    format: str | None = None


class TracingSettings(Settings):
    """Sampling of traces and where they go."""

    sampling: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Percent of the requests."""
    provider: str | None = None
    """Name of an entry of `meshConfig.extensionProviders` that becomes the default tracing provider."""


class ResourceAmounts(Settings):
    """Kubernetes quantities."""

    cpu: str | None = None
    memory: str | None = None


class ProxySettings(Settings):
    """Defaults of every sidecar."""

    requests: ResourceAmounts = ResourceAmounts()
    limits: ResourceAmounts = ResourceAmounts()
    include_ip_ranges: tuple[str, ...] = Field(default=(), alias="includeIPRanges")
    """CIDRs whose outbound traffic is captured; all of it when empty."""
    exclude_ip_ranges: tuple[str, ...] = Field(default=(), alias="excludeIPRanges")
    """CIDRs whose outbound traffic is left alone."""


class MeshConfigSettings(Settings):
    """What people set most of Istio's mesh config; anything else goes through `values`."""

    access_log: AccessLogSettings | None = None
    tracing: TracingSettings | None = None
    proxy: ProxySettings = ProxySettings()
    dns_capture: bool = True
    """Sidecars answer DNS, so that a service which lives only in another cluster has a name here
    (https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/)."""


class ChartValues(Settings):
    """The escape hatch, one a chart: merged last. Keys that the mesh owns are refused (MESH404)."""

    base: dict[str, Any] = Field(default_factory=dict)
    istiod: dict[str, Any] = Field(default_factory=dict)


class IstioSettings(Settings):
    """The control planes."""

    version: str = DEFAULT_VERSION
    revision: str = ""
    """Empty for the default revision; no dots, `1-30-3`."""
    namespace: str = "istio-system"
    """The root namespace."""
    install: Literal["charts", "none"] = "charts"
    """`none` federates control planes that something else installed: certificates, gateways and discovery only."""
    charts: ChartSource = ChartSource()
    crds: Literal["release", "none"] = "release"
    """`release`: one Helm release per cluster that holds nothing but the CRDs and keeps them on destroy."""
    mesh_config: MeshConfigSettings = MeshConfigSettings()
    values: ChartValues = ChartValues()
