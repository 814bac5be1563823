"""The document: one mesh."""

from __future__ import annotations

from mesh_components.settings.addons import AddonsSettings
from mesh_components.settings.addresses import AddressSettings
from mesh_components.settings.applications import ApplicationsSettings
from mesh_components.settings.base import Settings
from mesh_components.settings.cluster import ClusterSettings
from mesh_components.settings.discovery import DiscoverySettings
from mesh_components.settings.istio import IstioSettings
from mesh_components.settings.meshes import ExportSettings, OtherMesh
from mesh_components.settings.tenancy import PolicySettings, TeamSettings
from mesh_components.settings.traffic import TrafficSettings
from mesh_components.settings.trust import TrustSettings
from mesh_components.settings.virtual_machines import VirtualMachineSettings
from mesh_components.settings.visibility import VisibilitySettings
from mesh_components.settings.waypoints import WaypointSettings


class MeshSettings(Settings):
    """One mesh: its clusters, its control planes and its trust."""

    id: str
    """Mesh ID, equal in all clusters (`global.meshID`)."""
    trust_domain: str = "cluster.local"
    """The trust domain of all workload identities, `spiffe://<trust domain>/ns/…`."""
    istio: IstioSettings = IstioSettings()
    trust: TrustSettings = TrustSettings()
    discovery: DiscoverySettings = DiscoverySettings()
    addresses: AddressSettings = AddressSettings()
    meshes: tuple[OtherMesh, ...] = ()
    """Other meshes that this one trusts."""
    exports: tuple[ExportSettings, ...] = ()
    """Services that other meshes may call."""
    applications: ApplicationsSettings = ApplicationsSettings()
    """Istio's sample applications, to see the mesh work."""
    addons: AddonsSettings = AddonsSettings()
    """What shows how the mesh does: Prometheus, Grafana, Jaeger, Kiali, Loki."""
    virtual_machines: tuple[VirtualMachineSettings, ...] = ()
    """Machines outside of Kubernetes that are in the mesh."""
    visibility: VisibilitySettings = VisibilitySettings()
    teams: tuple[TeamSettings, ...] = ()
    """Who shares the mesh."""
    policies: PolicySettings = PolicySettings()
    traffic: tuple[TrafficSettings, ...] = ()
    """How requests to services are led."""
    waypoints: tuple[WaypointSettings, ...] = ()
    """Of namespaces that ambient carries: who leads their requests there."""
    clusters: tuple[ClusterSettings, ...]
