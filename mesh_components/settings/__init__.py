"""What a person writes: pydantic models of plain data. Knows nothing of Pulumi.

Names are imported when they are used: whoever uses a component alone does not wait for the models of a whole document.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesh_components.settings.cluster import ClusterSettings
    from mesh_components.settings.discovery import DiscoverySettings
    from mesh_components.settings.document import parse
    from mesh_components.settings.findings import Finding, FindingsError, Severity
    from mesh_components.settings.istio import IstioSettings
    from mesh_components.settings.mesh import MeshSettings
    from mesh_components.settings.place import KubeconfigSettings
    from mesh_components.settings.trust import TrustSettings

_ROOMS = {
    "ClusterSettings": "cluster",
    "DiscoverySettings": "discovery",
    "Finding": "findings",
    "FindingsError": "findings",
    "IstioSettings": "istio",
    "KubeconfigSettings": "place",
    "MeshSettings": "mesh",
    "Severity": "findings",
    "TrustSettings": "trust",
    "parse": "document",
}
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


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        message = f"module 'mesh_components.settings' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"mesh_components.settings.{_ROOMS[name]}"), name)
