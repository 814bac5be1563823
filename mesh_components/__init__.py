"""Multicluster Istio meshes as Pulumi components.

Names are imported when they are first used: a program that only attaches clusters never pays for another cloud's SDK.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesh_components.addons.elsewhere import ServiceElsewhere, ServiceElsewhereArgs
    from mesh_components.addons.grafana import Grafana, GrafanaArgs
    from mesh_components.addons.jaeger import Jaeger, JaegerArgs
    from mesh_components.addons.kiali import Kiali, KialiArgs, KialiReader, KialiReaderArgs
    from mesh_components.addons.kiali_secret import KialiRemoteSecret, KialiRemoteSecretArgs
    from mesh_components.addons.loki import LogCollector, LogCollectorArgs, Loki, LokiArgs
    from mesh_components.addons.prometheus import Prometheus, PrometheusArgs
    from mesh_components.addons.telemetry import MeshTelemetry, MeshTelemetryArgs
    from mesh_components.clusters.attached import AttachedCluster, AttachedClusterArgs
    from mesh_components.clusters.cluster import Cluster, ClusterArgs
    from mesh_components.clusters.gke import GkeCluster, GkeClusterArgs
    from mesh_components.clusters.gke_network import GkeNetwork, GkeNetworkArgs
    from mesh_components.clusters.ibm import IbmCluster, IbmClusterArgs
    from mesh_components.clusters.k3s import K3sCluster, K3sClusterArgs
    from mesh_components.clusters.namespace import RootNamespace, RootNamespaceArgs
    from mesh_components.clusters.stack import StackCluster, StackClusterArgs
    from mesh_components.control_plane.ambient import Cni, CniArgs, Ztunnel, ZtunnelArgs
    from mesh_components.control_plane.base import IstioBase, IstioBaseArgs
    from mesh_components.control_plane.external import ExternalIstiod, ExternalIstiodArgs
    from mesh_components.control_plane.istiod import Istiod, IstiodArgs
    from mesh_components.control_plane.remote import RemoteIstiod, RemoteIstiodArgs
    from mesh_components.control_plane.tags import RevisionTag, RevisionTagArgs
    from mesh_components.control_plane.validator import DefaultValidator, DefaultValidatorArgs
    from mesh_components.discovery.account import ReaderAccount, ReaderAccountArgs
    from mesh_components.discovery.bundle import RemoteSecretBundle, RemoteSecretBundleArgs
    from mesh_components.discovery.config_secret import ConfigSecret, ConfigSecretArgs
    from mesh_components.discovery.reader import ReaderToken, ReaderTokenArgs
    from mesh_components.discovery.remote_secret import RemoteSecret, RemoteSecretArgs
    from mesh_components.discovery.requested import RequestedToken, RequestedTokenArgs
    from mesh_components.discovery.source import RemoteSource
    from mesh_components.federation import MeshFederation, MeshFederationArgs
    from mesh_components.gateways.ambient import AmbientGateway, AmbientGatewayArgs
    from mesh_components.gateways.cross_mesh import CrossMeshGateway, CrossMeshGatewayArgs
    from mesh_components.gateways.east_west import EastWestGateway, EastWestGatewayArgs
    from mesh_components.gateways.egress import EgressGateway, EgressGatewayArgs
    from mesh_components.gateways.external import (
        ExposeExternalIstiod,
        ExposeExternalIstiodArgs,
        ExternalGateway,
        ExternalGatewayArgs,
    )
    from mesh_components.gateways.ingress import IngressGateway, IngressGatewayArgs, ServerCredential
    from mesh_components.gateways.waypoint import Waypoint, WaypointArgs
    from mesh_components.services.bookinfo import Bookinfo, BookinfoArgs
    from mesh_components.services.helloworld import HelloWorld, HelloWorldArgs
    from mesh_components.services.policies import MeshPolicies, MeshPoliciesArgs
    from mesh_components.services.team import Team, TeamArgs
    from mesh_components.services.traffic_rules import TrafficRules, TrafficRulesArgs
    from mesh_components.services.virtual_machine import (
        MachineNamespace,
        MachineNamespaceArgs,
        VirtualMachine,
        VirtualMachineArgs,
    )
    from mesh_components.services.visibility import Visibility, VisibilityArgs
    from mesh_components.settings import FindingsError, MeshSettings
    from mesh_components.trust.cacerts import CaCerts, CaCertsArgs
    from mesh_components.trust.cert_manager import CertManagerCaCerts, CertManagerCaCertsArgs
    from mesh_components.trust.mesh_trust import MeshTrust, MeshTrustArgs, OtherMeshArgs
    from mesh_components.trust.root_ca import RootCA, RootCAArgs
    from mesh_components.trust.server_cert import ServerCertificate, ServerCertificateArgs

_ROOMS = {
    "AmbientGateway": "gateways.ambient",
    "AmbientGatewayArgs": "gateways.ambient",
    "AttachedCluster": "clusters.attached",
    "AttachedClusterArgs": "clusters.attached",
    "Bookinfo": "services.bookinfo",
    "BookinfoArgs": "services.bookinfo",
    "CaCerts": "trust.cacerts",
    "CaCertsArgs": "trust.cacerts",
    "CertManagerCaCerts": "trust.cert_manager",
    "CertManagerCaCertsArgs": "trust.cert_manager",
    "Cluster": "clusters.cluster",
    "ClusterArgs": "clusters.cluster",
    "Cni": "control_plane.ambient",
    "CniArgs": "control_plane.ambient",
    "ConfigSecret": "discovery.config_secret",
    "ConfigSecretArgs": "discovery.config_secret",
    "CrossMeshGateway": "gateways.cross_mesh",
    "CrossMeshGatewayArgs": "gateways.cross_mesh",
    "DefaultValidator": "control_plane.validator",
    "DefaultValidatorArgs": "control_plane.validator",
    "EastWestGateway": "gateways.east_west",
    "EastWestGatewayArgs": "gateways.east_west",
    "EgressGateway": "gateways.egress",
    "EgressGatewayArgs": "gateways.egress",
    "ExposeExternalIstiod": "gateways.external",
    "ExposeExternalIstiodArgs": "gateways.external",
    "ExternalGateway": "gateways.external",
    "ExternalGatewayArgs": "gateways.external",
    "ExternalIstiod": "control_plane.external",
    "ExternalIstiodArgs": "control_plane.external",
    "FindingsError": "settings",
    "GkeCluster": "clusters.gke",
    "GkeClusterArgs": "clusters.gke",
    "GkeNetwork": "clusters.gke_network",
    "GkeNetworkArgs": "clusters.gke_network",
    "Grafana": "addons.grafana",
    "GrafanaArgs": "addons.grafana",
    "HelloWorld": "services.helloworld",
    "HelloWorldArgs": "services.helloworld",
    "IbmCluster": "clusters.ibm",
    "IbmClusterArgs": "clusters.ibm",
    "IngressGateway": "gateways.ingress",
    "IngressGatewayArgs": "gateways.ingress",
    "IstioBase": "control_plane.base",
    "IstioBaseArgs": "control_plane.base",
    "Istiod": "control_plane.istiod",
    "IstiodArgs": "control_plane.istiod",
    "Jaeger": "addons.jaeger",
    "JaegerArgs": "addons.jaeger",
    "K3sCluster": "clusters.k3s",
    "K3sClusterArgs": "clusters.k3s",
    "Kiali": "addons.kiali",
    "KialiArgs": "addons.kiali",
    "KialiReader": "addons.kiali",
    "KialiReaderArgs": "addons.kiali",
    "KialiRemoteSecret": "addons.kiali_secret",
    "KialiRemoteSecretArgs": "addons.kiali_secret",
    "LogCollector": "addons.loki",
    "LogCollectorArgs": "addons.loki",
    "Loki": "addons.loki",
    "LokiArgs": "addons.loki",
    "MachineNamespace": "services.virtual_machine",
    "MachineNamespaceArgs": "services.virtual_machine",
    "MeshFederation": "federation",
    "MeshFederationArgs": "federation",
    "MeshPolicies": "services.policies",
    "MeshPoliciesArgs": "services.policies",
    "MeshSettings": "settings",
    "MeshTelemetry": "addons.telemetry",
    "MeshTelemetryArgs": "addons.telemetry",
    "MeshTrust": "trust.mesh_trust",
    "MeshTrustArgs": "trust.mesh_trust",
    "OtherMeshArgs": "trust.mesh_trust",
    "Prometheus": "addons.prometheus",
    "PrometheusArgs": "addons.prometheus",
    "ReaderAccount": "discovery.account",
    "ReaderAccountArgs": "discovery.account",
    "ReaderToken": "discovery.reader",
    "ReaderTokenArgs": "discovery.reader",
    "RemoteIstiod": "control_plane.remote",
    "RemoteIstiodArgs": "control_plane.remote",
    "RemoteSecret": "discovery.remote_secret",
    "RemoteSecretArgs": "discovery.remote_secret",
    "RemoteSecretBundle": "discovery.bundle",
    "RemoteSecretBundleArgs": "discovery.bundle",
    "RemoteSource": "discovery.source",
    "RequestedToken": "discovery.requested",
    "RequestedTokenArgs": "discovery.requested",
    "RevisionTag": "control_plane.tags",
    "RevisionTagArgs": "control_plane.tags",
    "RootCA": "trust.root_ca",
    "RootCAArgs": "trust.root_ca",
    "RootNamespace": "clusters.namespace",
    "RootNamespaceArgs": "clusters.namespace",
    "ServerCertificate": "trust.server_cert",
    "ServerCertificateArgs": "trust.server_cert",
    "ServerCredential": "gateways.ingress",
    "ServiceElsewhere": "addons.elsewhere",
    "ServiceElsewhereArgs": "addons.elsewhere",
    "StackCluster": "clusters.stack",
    "StackClusterArgs": "clusters.stack",
    "Team": "services.team",
    "TeamArgs": "services.team",
    "TrafficRules": "services.traffic_rules",
    "TrafficRulesArgs": "services.traffic_rules",
    "VirtualMachine": "services.virtual_machine",
    "VirtualMachineArgs": "services.virtual_machine",
    "Visibility": "services.visibility",
    "VisibilityArgs": "services.visibility",
    "Waypoint": "gateways.waypoint",
    "WaypointArgs": "gateways.waypoint",
    "Ztunnel": "control_plane.ambient",
    "ZtunnelArgs": "control_plane.ambient",
}

__all__ = [
    "AmbientGateway",
    "AmbientGatewayArgs",
    "AttachedCluster",
    "AttachedClusterArgs",
    "Bookinfo",
    "BookinfoArgs",
    "CaCerts",
    "CaCertsArgs",
    "CertManagerCaCerts",
    "CertManagerCaCertsArgs",
    "Cluster",
    "ClusterArgs",
    "Cni",
    "CniArgs",
    "ConfigSecret",
    "ConfigSecretArgs",
    "CrossMeshGateway",
    "CrossMeshGatewayArgs",
    "DefaultValidator",
    "DefaultValidatorArgs",
    "EastWestGateway",
    "EastWestGatewayArgs",
    "EgressGateway",
    "EgressGatewayArgs",
    "ExposeExternalIstiod",
    "ExposeExternalIstiodArgs",
    "ExternalGateway",
    "ExternalGatewayArgs",
    "ExternalIstiod",
    "ExternalIstiodArgs",
    "FindingsError",
    "GkeCluster",
    "GkeClusterArgs",
    "GkeNetwork",
    "GkeNetworkArgs",
    "Grafana",
    "GrafanaArgs",
    "HelloWorld",
    "HelloWorldArgs",
    "IbmCluster",
    "IbmClusterArgs",
    "IngressGateway",
    "IngressGatewayArgs",
    "IstioBase",
    "IstioBaseArgs",
    "Istiod",
    "IstiodArgs",
    "Jaeger",
    "JaegerArgs",
    "K3sCluster",
    "K3sClusterArgs",
    "Kiali",
    "KialiArgs",
    "KialiReader",
    "KialiReaderArgs",
    "KialiRemoteSecret",
    "KialiRemoteSecretArgs",
    "LogCollector",
    "LogCollectorArgs",
    "Loki",
    "LokiArgs",
    "MachineNamespace",
    "MachineNamespaceArgs",
    "MeshFederation",
    "MeshFederationArgs",
    "MeshPolicies",
    "MeshPoliciesArgs",
    "MeshSettings",
    "MeshTelemetry",
    "MeshTelemetryArgs",
    "MeshTrust",
    "MeshTrustArgs",
    "OtherMeshArgs",
    "Prometheus",
    "PrometheusArgs",
    "ReaderAccount",
    "ReaderAccountArgs",
    "ReaderToken",
    "ReaderTokenArgs",
    "RemoteIstiod",
    "RemoteIstiodArgs",
    "RemoteSecret",
    "RemoteSecretArgs",
    "RemoteSecretBundle",
    "RemoteSecretBundleArgs",
    "RemoteSource",
    "RequestedToken",
    "RequestedTokenArgs",
    "RevisionTag",
    "RevisionTagArgs",
    "RootCA",
    "RootCAArgs",
    "RootNamespace",
    "RootNamespaceArgs",
    "ServerCertificate",
    "ServerCertificateArgs",
    "ServerCredential",
    "ServiceElsewhere",
    "ServiceElsewhereArgs",
    "StackCluster",
    "StackClusterArgs",
    "Team",
    "TeamArgs",
    "TrafficRules",
    "TrafficRulesArgs",
    "VirtualMachine",
    "VirtualMachineArgs",
    "Visibility",
    "VisibilityArgs",
    "Waypoint",
    "WaypointArgs",
    "Ztunnel",
    "ZtunnelArgs",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        message = f"module 'mesh_components' has no attribute {name!r}; it has {', '.join(__all__)}"
        raise AttributeError(message)
    return getattr(import_module(f"mesh_components.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
