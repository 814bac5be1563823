"""What the components of this room are told alike, whatever part their cluster plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, MaybeOutput
from mesh_components.settings.istio import DEFAULT_VERSION, ChartSource, MeshConfigSettings, MeshNetwork
from mesh_components.settings.location import Platform
from mesh_components.settings.visibility import VisibilitySettings

DataPlane = Literal["sidecar", "ambient", "mixed"]


class ChartArgs(ComponentArgs):
    """Of everything that renders a chart."""

    version: str = DEFAULT_VERSION
    namespace: str = "istio-system"
    """The root namespace."""
    platform: Platform = "generic"
    charts: ChartSource = ChartSource()
    values: dict[str, Any] = Field(default_factory=dict)
    """The escape hatch: the chart's own values, merged last."""
    renderer: pulumi.ProviderResource | None = None
    """Renders the charts; left out, the component makes one. Several components can share it."""


class TrustedMesh(ComponentArgs):
    """Another mesh whose workloads are let in, and known by their certificates."""

    name: str
    """Its mesh ID."""
    trust_domain: str
    roots_pem: MaybeOutput[str]
    """Its root, or several."""
    alias: bool = False
    """Policies take its identities for our own of the same name."""


class ControlPlaneArgs(ChartArgs):
    """Of everything that renders the chart `istiod`, in whatever role: who this cluster is, and one revision."""

    mesh_id: str
    cluster_name: str
    """The cluster ID; must equal the key in the remote secrets that peers hold."""
    network: str
    root_cert_pem: MaybeOutput[str]
    """The root bundle, byte for byte as in `cacerts`: the webhooks trust it."""
    trust_domain: str = "cluster.local"
    revision: str = ""
    revisions: tuple[str, ...] = ()
    """All that stand side by side in the cluster of that istiod; this one alone needs no mention."""
    mesh_config: MeshConfigSettings = MeshConfigSettings()
    extension_providers: tuple[Mapping[str, Any], ...] = ()
    """Where proxies send traces and logs, as the mesh config says it; a Telemetry names who gets them."""
    mesh_networks: Mapping[str, MeshNetwork] = Field(default_factory=dict)
    visibility: VisibilitySettings = VisibilitySettings()
    """As far as it is mesh config, or istiod's environment; the same in all clusters of a mesh."""
    data_plane: DataPlane = "sidecar"
    multi_network: bool = False
    """The mesh has several networks: ambient must be told, sidecars find out."""
    multi_root: bool = False
    """istiod and the proxies that it injects take more than one root: what a rotation of the root needs beforehand."""
    trusted: tuple[TrustedMesh, ...] = ()
    """Other meshes. Roots other than ours reach proxies only with `multi_root`."""
    cni: bool = False
    """Istio's CNI plugin sets up the pods, so that sidecars come without an init container."""
