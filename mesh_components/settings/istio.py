"""Istio itself: version, revision, where its charts come from, and what its mesh config says."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mesh_components.settings.base import ResourceAmounts, Settings

DEFAULT_VERSION = "1.30.3"
DEFAULT_REPOSITORY = "https://blob.istio.io/istio-release/charts"


class ChartSource(Settings):
    """Where the official charts come from. At most one; the Helm repository of the Istio project when none is given."""

    repository: str | None = None
    """URL of a Helm repository that has the charts."""
    oci: str | None = None
    """OCI address of the folder that has the charts, such as `oci://registry.example/istio/charts`."""
    folder: str | None = None
    """Local folder with one chart each in `base`, `istiod`, `cni` and `ztunnel`, as far as they are used; relative
    paths start at the project's folder."""

    @property
    def stated(self) -> tuple[str, ...]:
        """Which of the sources are named."""
        return tuple(key for key in ("repository", "oci", "folder") if getattr(self, key) is not None)


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
    outbound_traffic_policy: Literal["ALLOW_ANY", "REGISTRY_ONLY"] | None = None
    """Whether sidecars let workloads call hosts that nobody declared; Istio's default, ALLOW_ANY, when left out."""
    tracing: TracingSettings | None = None
    proxy: ProxySettings = ProxySettings()
    dns_capture: bool = True
    """Sidecars answer DNS, so that a service which lives only in another cluster has a name here
    (https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/)."""
    cluster_local_hosts: tuple[str, ...] = ()
    """Hosts that callers reach in their own cluster only, `*.ns.svc.cluster.local`
    (https://istio.io/latest/docs/ops/configuration/traffic-management/multicluster/)."""


class ChartValues(Settings):
    """The escape hatch, one a chart: merged last. Keys that the mesh owns are refused (MESH404)."""

    base: dict[str, Any] = Field(default_factory=dict)
    istiod: dict[str, Any] = Field(default_factory=dict)
    cni: dict[str, Any] = Field(default_factory=dict)
    ztunnel: dict[str, Any] = Field(default_factory=dict)


class PilotSettings(Settings):
    """istiod's own size. With two or more replicas it gets a PodDisruptionBudget and is spread over zones."""

    min_replicas: Annotated[int, Field(ge=1)] = 1
    max_replicas: Annotated[int, Field(ge=1)] = 5
    requests: ResourceAmounts = ResourceAmounts()
    limits: ResourceAmounts = ResourceAmounts()


class RevisionSettings(Settings):
    """One control plane beside others (https://istio.io/latest/docs/setup/upgrade/canary/)."""

    name: str
    """Empty for the default revision; no dots."""
    version: str | None = None
    """Version of its istiod; `istio.version` when left out."""
    clusters: tuple[str, ...] | None = None
    """Names of the clusters that have it; all when left out."""


class NetworkEndpoints(Settings):
    """Which endpoints are in a network. One of the two."""

    from_registry: str | None = None
    """Name of a cluster."""
    from_cidr: str | None = None


class NetworkGateway(Settings):
    """A gateway of a network. One of address and service."""

    address: str | None = None
    """IP or host name."""
    registry_service_name: str | None = None
    """Full name of a Service, `istio-eastwestgateway.istio-system.svc.cluster.local`."""
    port: Annotated[int, Field(ge=1, le=65535)] = 15443


class MeshNetwork(Settings):
    """One network of `meshNetworks` (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshNetworks)."""

    endpoints: tuple[NetworkEndpoints, ...] = ()
    gateways: tuple[NetworkGateway, ...]


class IstioSettings(Settings):
    """The control planes."""

    version: str = DEFAULT_VERSION
    """Of the CRDs and `base`, and of every revision that does not say otherwise."""
    revision: str = ""
    """The default revision; empty for the one without a name; no dots, `1-30-3`."""
    revisions: tuple[RevisionSettings, ...] = ()
    """Control planes side by side. Left out: one, `revision` at `version`."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Revision by tag: namespaces carry `istio.io/rev: <tag>` and follow where the tag points."""
    namespace: str = "istio-system"
    """The root namespace."""
    tenancy: Literal["alone", "host", "guest"] = "alone"
    """`host`: other meshes are in the same clusters, and this one brings what a cluster has once. `guest`: another one
    brings that."""
    install: Literal["charts", "none"] = "charts"
    """`none` federates control planes that something else installed: certificates, gateways and discovery only."""
    data_plane: Literal["sidecar", "ambient", "mixed"] = "sidecar"
    """`mixed` has sidecars and ambient in one mesh, and both kinds of east-west gateway."""
    cni: bool | None = None
    """Istio's CNI plugin instead of an init container. Left out: with ambient; and on OpenShift, with all clusters
    of the same istiod."""
    gateway_api: str | None = None
    """File with the CRDs of the Gateway API (its `standard-install.yaml`), which ambient needs; relative paths start at
    the project's folder. Left out: the clusters have them."""
    charts: ChartSource = ChartSource()
    crds: Literal["release", "objects", "none"] = "release"
    """`release`: one Helm release per cluster that holds nothing but the CRDs. `objects`: one resource each. `none`:
    something else brings them."""
    keep_crds: bool = True
    """Destroy leaves the CRDs, and with them all that was made of them. False needs `crds: objects`."""
    pilot: PilotSettings = PilotSettings()
    network_policies: bool = False
    """NetworkPolicies for istiod, the gateways, the CNI plugin and ztunnel."""
    mesh_config: MeshConfigSettings = MeshConfigSettings()
    mesh_networks: dict[str, MeshNetwork] = Field(default_factory=dict)
    """Gateways that istiod cannot discover, by network. Seldom needed: an east-west gateway announces itself."""
    values: ChartValues = ChartValues()
