"""What a person writes: pydantic models of plain data. Knows nothing of Pulumi."""

from mesh_components.settings.cluster import ClusterSettings, KubeconfigSettings
from mesh_components.settings.discovery import DiscoverySettings
from mesh_components.settings.document import parse
from mesh_components.settings.findings import Finding, FindingsError, Severity
from mesh_components.settings.istio import IstioSettings
from mesh_components.settings.mesh import MeshSettings
from mesh_components.settings.trust import TrustSettings

__all__ = [
    "ClusterSettings",
    "DiscoverySettings",
    "Finding",
    "FindingsError",
    "IstioSettings",
    "KubeconfigSettings",
    "MeshSettings",
    "Severity",
    "TrustSettings",
    "parse",
]
