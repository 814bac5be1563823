"""What follows for clusters on GKE that are made here: their VPCs, names, tags and regions. Pure.

A `network` of the mesh is a VPC: clusters whose pods reach each other directly are in one, and all others are not. So
the document does not say which VPCs there are; it follows from the networks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.gke import GkeSettings
from mesh_components.topology.addresses import addresses

NAME_LENGTH = 40
"""Of a cluster or a node pool of GKE; so that names made from one fit into the 63 characters of a firewall rule."""

_LOCATION = re.compile(r"([a-z]+-[a-z]+[0-9]+)(-[a-z])?")


@dataclass(frozen=True)
class Vpc:
    """One VPC that clusters of this document share."""

    network: str
    """The mesh's name of it."""
    project: str
    existing: str | None
    """Where the document names one; then router, NAT and subnets of others in it are not ours."""
    regions: tuple[str, ...]
    pod_ranges: tuple[tuple[str, str], ...]
    """Names and pod ranges of the clusters in it that are made here."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Network tags of all nodes in it that are made here."""
        return tuple(name for name, _ in self.pod_ranges)


def gke(cluster: ClusterSettings) -> GkeSettings | None:
    """What the document says of a GKE cluster to be made; None for other clusters."""
    return cluster.create.gke if cluster.create else None


def gke_name(cluster: ClusterSettings) -> str:
    """What GKE calls it."""
    found = gke(cluster)
    return (found and found.name) or cluster.name


def gke_subnet(cluster: ClusterSettings) -> str | None:
    """The existing subnet that it goes into; its ranges are what they are."""
    found = gke(cluster)
    return found.vpc.subnetwork if found else None


def vpc_of(cluster: ClusterSettings) -> str:
    """What tells one VPC from another: the existing one, or the network of the mesh that one is made for."""
    found = gke(cluster)
    return (found and found.vpc.network) or cluster.network


def region(location: str) -> str:
    """The region of a region or a zone; as it is where it is neither."""
    match = _LOCATION.fullmatch(location)
    return match[1] if match else location


def is_location(text: str) -> bool:
    """Whether it is written as a region or a zone."""
    return bool(_LOCATION.fullmatch(text))


def identifier(cluster: ClusterSettings) -> str:
    """What makes it this cluster and no other; plain, so that no preview has to guess."""
    found = gke(cluster)
    return f"gke/{found.project}/{found.location}/{gke_name(cluster)}" if found else ""


def vpcs(mesh: MeshSettings) -> tuple[Vpc, ...]:
    """The VPCs, in the order of the document."""
    members: dict[str, list[ClusterSettings]] = {}
    for cluster in mesh.clusters:
        if gke(cluster):
            members.setdefault(cluster.network, []).append(cluster)
    return tuple(_vpc(mesh, network, clusters) for network, clusters in members.items())


def _vpc(mesh: MeshSettings, network: str, clusters: list[ClusterSettings]) -> Vpc:
    stated = [found for cluster in clusters if (found := gke(cluster))]
    return Vpc(
        network=network,
        project=stated[0].project,
        existing=next((item.vpc.network for item in stated if item.vpc.network), None),
        regions=tuple(dict.fromkeys(region(item.location) for item in stated)),
        pod_ranges=tuple((gke_name(cluster), addresses(mesh, cluster).pods) for cluster in clusters),
    )
