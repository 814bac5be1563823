"""A GKE cluster that this program makes: what a person says of it. Names and addresses that follow from that are in
`topology.gke`; what Google calls its properties is in `clusters.gke_objects`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mesh_components.settings.base import Settings


class GkeVpcSettings(Settings):
    """The VPC. Left out: one is made for each `network` of the mesh, with a NAT for each region."""

    network: str | None = None
    """An existing VPC, `projects/PROJECT/global/networks/NAME`. Its NAT is its owner's."""
    subnetwork: str | None = None
    """An existing subnet in it, `projects/PROJECT/regions/REGION/subnetworks/NAME`. Left out: one is made."""
    pod_range_name: str | None = None
    """Of the existing subnet: name of the secondary range for pods."""
    service_range_name: str | None = None
    """Of the existing subnet: name of the secondary range for services."""


class AuthorizedNetworkSettings(Settings):
    """Addresses that may come to the API server."""

    cidr: str
    name: str
    """What it is, for those who read the list."""


class GkeNodePoolSettings(Settings):
    """Nodes of one kind."""

    name: str = "default"
    machine_type: str = "e2-standard-4"
    min_nodes: Annotated[int, Field(ge=0)] = 1
    """In each zone."""
    max_nodes: Annotated[int, Field(ge=1)] = 3
    """In each zone."""
    disk_size_gb: Annotated[int, Field(ge=10)] = 100
    spot: bool = False
    """Nodes that cost less and may go at any time."""
    zones: tuple[str, ...] = ()
    """Those of the location when left out."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Kubernetes labels of the nodes."""


class GkeSettings(Settings):
    """One private, VPC-native cluster with Workload Identity."""

    project: str
    location: str
    """A region, `europe-west3`, or a zone, `europe-west3-a`."""
    name: str | None = None
    """What GKE calls it; the cluster's name when left out."""
    vpc: GkeVpcSettings = GkeVpcSettings()
    node_range: str | None = None
    """CIDR of the nodes; from the address plan when left out."""
    control_plane_range: str | None = None
    """A /28 for the control plane; from the address plan when left out."""
    channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    """Release channel."""
    dataplane_v2: bool = True
    """False: the older data plane, with kube-proxy."""
    endpoint: Literal["ip", "dns"] = "ip"
    """How this program comes to the API server: by its IP, or by its DNS endpoint, which Google's IAM guards and which
    needs no authorized networks. Peers come by IP, since they have a Kubernetes token and nothing of Google's."""
    private_endpoint: bool = False
    """The API server has no public address: this program and the peers have to run inside of the VPC, or reach it."""
    authorized_networks: tuple[AuthorizedNetworkSettings, ...] = ()
    """Who may come to the API server by IP; everyone with credentials when empty. Peers that are made here too are
    added."""
    node_pools: tuple[GkeNodePoolSettings, ...] = (GkeNodePoolSettings(),)
    node_service_account: str | None = None
    """E-mail address of the nodes' service account; the project's default when left out."""
    deletion_protection: bool = True
    """GKE refuses to delete the cluster; set it to false and apply before you destroy."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Of the cluster, for Google's bills."""
    fleet: str | None = None
    """Project of the fleet that the cluster joins; none when left out."""
