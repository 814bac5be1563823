"""Who sees which services: other clusters, other namespaces, and istiod itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mesh_components.settings.base import Settings


class LabelRequirement(Settings):
    """One requirement of a label selector, in Kubernetes' words."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()


class LabelSelector(Settings):
    """What is selected carries all of it
    (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors)."""

    match_labels: dict[str, str] = Field(default_factory=dict)
    match_expressions: tuple[LabelRequirement, ...] = ()


class McsSettings(Settings):
    """The Multi-Cluster Services API of Kubernetes. Clusters have its CRDs already."""

    host: bool = False
    """Exported services also have the name `<service>.<namespace>.svc.clusterset.local`."""
    cluster_local: bool = False
    """`<service>.<namespace>.svc.cluster.local` stays in the caller's cluster; needs `host`."""
    api_group: str = "multicluster.x-k8s.io"
    """`net.gke.io` where Google brings the API."""


class ExportToSettings(Settings):
    """Which namespaces see what says nothing of it itself: `.` its own, `*` all, or names
    (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig)."""

    services: tuple[str, ...] = ()
    virtual_services: tuple[str, ...] = ()
    destination_rules: tuple[str, ...] = ()


class SidecarScopeSettings(Settings):
    """What a sidecar is told of the mesh, which costs memory for every service
    (https://istio.io/latest/docs/reference/config/networking/sidecar/). Hosts are `<namespace>/<host>`: `./*`,
    `istio-system/*`."""

    default: tuple[str, ...] = ()
    """For every namespace that has nothing of its own."""
    namespaces: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By namespace."""


class VisibilitySettings(Settings):
    """What is seen from where."""

    across: Literal["all", "selective"] | None = None
    """Which services callers in other clusters are sent to. Left out: as Istio does it, all with sidecars, and with
    ambient those that carry `istio.io/global: "true"`."""
    services: tuple[str, ...] = ()
    """Of `selective`, the services: `helloworld.sample`, or the full name. Not for ambient, which knows labels."""
    namespaces: tuple[str, ...] = ()
    """Of `selective`, namespaces with all their services."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Of `selective` with ambient, labels of Services, beside `istio.io/global`."""
    mcs: McsSettings | None = None
    """Sidecars: say it by ServiceExports, and not by hosts of the mesh config."""
    export_to: ExportToSettings = ExportToSettings()
    sidecars: SidecarScopeSettings = SidecarScopeSettings()
    discovery_selectors: tuple[LabelSelector, ...] = ()
    """Namespaces that istiod looks at, of all clusters that it reads; all when empty. The root namespace is added."""
