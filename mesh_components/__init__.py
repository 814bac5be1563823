"""Multicluster Istio meshes as Pulumi components.

Names are imported when they are first used: a program that only attaches clusters never pays for another cloud's SDK.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesh_components.clusters.attached import AttachedCluster, AttachedClusterArgs
    from mesh_components.clusters.namespace import RootNamespace, RootNamespaceArgs
    from mesh_components.control_plane.istiod import Istiod, IstiodArgs
    from mesh_components.discovery.reader import ReaderToken, ReaderTokenArgs
    from mesh_components.discovery.remote_secret import RemoteSecret, RemoteSecretArgs
    from mesh_components.federation import MeshFederation, MeshFederationArgs
    from mesh_components.gateways.east_west import EastWestGateway, EastWestGatewayArgs
    from mesh_components.settings import FindingsError, MeshSettings
    from mesh_components.trust.cacerts import CaCerts, CaCertsArgs
    from mesh_components.trust.root_ca import RootCA, RootCAArgs

_ROOMS = {
    "AttachedCluster": "clusters.attached",
    "AttachedClusterArgs": "clusters.attached",
    "CaCerts": "trust.cacerts",
    "CaCertsArgs": "trust.cacerts",
    "EastWestGateway": "gateways.east_west",
    "EastWestGatewayArgs": "gateways.east_west",
    "FindingsError": "settings",
    "Istiod": "control_plane.istiod",
    "IstiodArgs": "control_plane.istiod",
    "MeshFederation": "federation",
    "MeshFederationArgs": "federation",
    "MeshSettings": "settings",
    "ReaderToken": "discovery.reader",
    "ReaderTokenArgs": "discovery.reader",
    "RemoteSecret": "discovery.remote_secret",
    "RemoteSecretArgs": "discovery.remote_secret",
    "RootCA": "trust.root_ca",
    "RootCAArgs": "trust.root_ca",
    "RootNamespace": "clusters.namespace",
    "RootNamespaceArgs": "clusters.namespace",
}

__all__ = [
    "AttachedCluster",
    "AttachedClusterArgs",
    "CaCerts",
    "CaCertsArgs",
    "EastWestGateway",
    "EastWestGatewayArgs",
    "FindingsError",
    "Istiod",
    "IstiodArgs",
    "MeshFederation",
    "MeshFederationArgs",
    "MeshSettings",
    "ReaderToken",
    "ReaderTokenArgs",
    "RemoteSecret",
    "RemoteSecretArgs",
    "RootCA",
    "RootCAArgs",
    "RootNamespace",
    "RootNamespaceArgs",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        message = f"module 'mesh_components' has no attribute {name!r}; it has {', '.join(__all__)}"
        raise AttributeError(message)
    return getattr(import_module(f"mesh_components.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
