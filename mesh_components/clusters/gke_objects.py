"""What GKE clusters and their VPCs consist of, as arguments of `pulumi_gcp`. Pure functions on plain data; values that
another resource gives are passed in.

Sources: https://cloud.google.com/kubernetes-engine/docs/how-to/private-clusters,
https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips, and for the webhook's port istio#19532.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pulumi

from mesh_components.settings.gke import GkeNodePoolSettings, GkeSettings
from mesh_components.topology.addresses import AddressPlan
from mesh_components.topology.gke import region
from mesh_components.topology.names import WEBHOOK_PORT

Args = dict[str, Any]

POD_RANGE, SERVICE_RANGE = "pods", "services"
EVERYWHERE = "0.0.0.0/0"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


def network(name: str, project: str) -> Args:
    """A VPC without the subnets that Google would make by itself, one in every region of the world."""
    return {"name": name, "project": project, "auto_create_subnetworks": False, "routing_mode": "GLOBAL"}


def nat(name: str, project: str, region_: str, router: Any, address: Any) -> Args:
    """The way out of private nodes, by an address that others can let in."""
    return {
        "name": name,
        "project": project,
        "region": region_,
        "router": router,
        "nat_ip_allocate_option": "MANUAL_ONLY",
        "nat_ips": [address],
        "source_subnetwork_ip_ranges_to_nat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
        # One address has 64512 ports, and a node takes more of them only when it needs them.
        "enable_dynamic_port_allocation": True,
        "enable_endpoint_independent_mapping": False,
        "min_ports_per_vm": 64,
        "max_ports_per_vm": 4096,
    }


def subnet(name: str, settings: GkeSettings, plan: AddressPlan, vpc: Any) -> Args:
    """A subnet of the cluster's own, with secondary ranges for pods and services."""
    return {
        "name": name,
        "project": settings.project,
        "region": region(settings.location),
        "network": vpc,
        "ip_cidr_range": plan.nodes,
        "private_ip_google_access": True,
        "secondary_ip_ranges": [
            {"range_name": POD_RANGE, "ip_cidr_range": plan.pods},
            {"range_name": SERVICE_RANGE, "ip_cidr_range": plan.services},
        ],
    }


def cluster(
    name: str,
    settings: GkeSettings,
    plan: AddressPlan,
    vpc: Any,
    subnetwork: Any,
    labels: Mapping[str, str],
    authorized: Mapping[str, Any],
) -> Args:
    """The cluster, without nodes: those are in pools of their own, which are changed without it."""
    made: Args = {
        "name": name,
        "project": settings.project,
        "location": settings.location,
        "network": vpc,
        "subnetwork": subnetwork,
        "networking_mode": "VPC_NATIVE",
        "ip_allocation_policy": {
            "cluster_secondary_range_name": settings.vpc.pod_range_name or POD_RANGE,
            "services_secondary_range_name": settings.vpc.service_range_name or SERVICE_RANGE,
        },
        "private_cluster_config": {
            "enable_private_nodes": True,
            "enable_private_endpoint": settings.private_endpoint,
            "master_ipv4_cidr_block": plan.control_plane,
            "master_global_access_config": {"enabled": True},
        },
        "workload_identity_config": {"workload_pool": f"{settings.project}.svc.id.goog"},
        "release_channel": {"channel": settings.channel},
        "datapath_provider": "ADVANCED_DATAPATH" if settings.dataplane_v2 else "LEGACY_DATAPATH",
        "remove_default_node_pool": True,
        "initial_node_count": 1,
        "deletion_protection": settings.deletion_protection,
        "resource_labels": {key: label(value) for key, value in {**labels, **settings.labels}.items()},
    }
    if settings.authorized_networks or settings.private_endpoint:
        blocks = [{"cidr_block": item.cidr, "display_name": item.name} for item in settings.authorized_networks]
        blocks += [{"cidr_block": cidr, "display_name": peer} for peer, cidr in sorted(authorized.items())]
        made["master_authorized_networks_config"] = {"cidr_blocks": blocks}
    if settings.endpoint == "dns":
        made["control_plane_endpoints_config"] = {"dns_endpoint_config": {"allow_external_traffic": True}}
    if settings.fleet is not None:
        made["fleet"] = {"project": settings.fleet}
    return made


def node_pool(pool: GkeNodePoolSettings, settings: GkeSettings, cluster_id: Any, tag: str) -> Args:
    """A pool that grows and shrinks by itself. The number it begins with is looked at once, when it is made."""
    node: Args = {
        "machine_type": pool.machine_type,
        "disk_size_gb": pool.disk_size_gb,
        "spot": pool.spot,
        "oauth_scopes": SCOPES,
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
        "labels": dict(pool.labels),
        "tags": [tag],
    }
    if settings.node_service_account is not None:
        node["service_account"] = settings.node_service_account
    made: Args = {
        "name": pool.name,
        "project": settings.project,
        "location": settings.location,
        "cluster": cluster_id,
        "initial_node_count": max(pool.min_nodes, 1),
        "autoscaling": {"min_node_count": pool.min_nodes, "max_node_count": pool.max_nodes},
        "management": {"auto_repair": True, "auto_upgrade": True},
        "node_config": node,
    }
    if pool.zones:
        made["node_locations"] = list(pool.zones)
    return made


def webhook_firewall(name: str, project: str, vpc: Any, plan: AddressPlan, tag: str) -> Args:
    """The control plane comes to istiod's webhook. GKE's own rule opens 443 and 10250 only, and without this one no pod
    of the mesh would be made: injection would time out (istio#19532)."""
    return _firewall(name, project, vpc, [plan.control_plane], [tag], [("tcp", [WEBHOOK_PORT])])


def east_west_firewall(
    name: str, project: str, vpc: Any, sources: tuple[str, ...], tag: str, ports: tuple[int, ...]
) -> Args:
    """Others come to the gateway's load balancer, which passes their own addresses on to the nodes."""
    return _firewall(name, project, vpc, list(sources) or [EVERYWHERE], [tag], [("tcp", list(ports))])


def pods_firewall(name: str, project: str, vpc: Any, pod_ranges: list[str], tags: list[str]) -> Args:
    """Pods of clusters in one VPC reach each other: the flat network that the mesh takes it for."""
    return _firewall(name, project, vpc, pod_ranges, tags, [("tcp", []), ("udp", []), ("icmp", [])])


def kubeconfig(server: str, certificate_authority: str | None) -> str:
    """For this program: no credentials in it, Google's plugin gets them
    (https://cloud.google.com/kubernetes-engine/docs/how-to/cluster-access-for-kubectl). istiod would refuse it.

    Args:
        server: URL of the API server.
        certificate_authority: base64 of its PEM; None where public authorities sign, as for DNS endpoints.
    """
    access = {"server": server}
    if certificate_authority is not None:
        access["certificate-authority-data"] = certificate_authority
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "gke-gcloud-auth-plugin",
        "installHint": "gcloud components install gke-gcloud-auth-plugin",
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "gke", "cluster": access}],
            "contexts": [{"name": "gke", "context": {"cluster": "gke", "user": "gke"}}],
            "current-context": "gke",
            "users": [{"name": "gke", "user": {"exec": plugin}}],
        }
    )


def label(text: str) -> str:
    """The text as the value of a label of Google's."""
    return re.sub(r"[^a-z0-9_-]", "-", text.lower())[:63]


def _firewall(
    name: str, project: str, vpc: Any, sources: list[str], tags: list[str], allowed: list[tuple[str, list[int]]]
) -> Args:
    allows: list[Args] = [
        {"protocol": protocol, **({"ports": [str(port) for port in ports]} if ports else {})}
        for protocol, ports in allowed
    ]
    return {
        "name": name,
        "project": project,
        "network": vpc,
        "direction": "INGRESS",
        "source_ranges": sources,
        "target_tags": tags,
        "allows": allows,
    }


def address_range(address: pulumi.Output[str]) -> pulumi.Output[str]:
    """One address as a range."""
    return pulumi.Output.concat(address, "/32")
