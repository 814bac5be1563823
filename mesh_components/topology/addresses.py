"""The address plan: which ranges a cluster has that is made here.

What the document writes counts. What it leaves out comes from the pool: each cluster has a slot, the one it states or
else the one its name gives. So nothing but a cluster's own entry decides about its ranges, and a cluster that comes or
goes moves no other. Two names may give the same slot; then there is a finding, which names a free slot to write down
(MESH225). A plan that looked for a free slot by itself would have to look at the other clusters, and would move one
when another one goes: only what is written down stays, and the document is where it is written down.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.addresses import AddressSettings

CONTROL_PLANE_PREFIX = 28
"""What GKE wants for a control plane."""


@dataclass(frozen=True)
class AddressPlan:
    """The ranges of one cluster."""

    pods: str
    services: str
    nodes: str
    control_plane: str


@dataclass(frozen=True)
class Slot:
    """A part of the pool."""

    number: int
    pods: IPv4Network
    nodes: IPv4Network
    services: IPv4Network
    control_plane: IPv4Network


def addresses(mesh: MeshSettings, cluster: ClusterSettings) -> AddressPlan:
    """The ranges of a cluster that is made here. Expects a document without error findings."""
    gke = cluster.create.gke if cluster.create else None
    own = ranges_of_slot(mesh.addresses, slot_number(mesh.addresses, cluster))
    return AddressPlan(
        pods=cluster.pod_ranges[0] if cluster.pod_ranges else own.pods,
        services=cluster.service_ranges[0] if cluster.service_ranges else own.services,
        nodes=(gke and gke.node_range) or own.nodes,
        control_plane=(gke and gke.control_plane_range) or own.control_plane,
    )


def ranges_of_slot(settings: AddressSettings, number: int) -> AddressPlan:
    """All ranges of a slot, for programs that make clusters without a document."""
    own = slot(settings, number)
    return AddressPlan(str(own.pods), str(own.services), str(own.nodes), str(own.control_plane))


def takes_from_pool(cluster: ClusterSettings) -> bool:
    """Whether any of its ranges come from the pool. Those of an existing subnet are what they are."""
    gke = cluster.create.gke if cluster.create else None
    if gke is None:
        return False
    written = [gke.control_plane_range]
    if gke.vpc.subnetwork is None:
        written += [gke.node_range, *(cluster.pod_ranges or (None,)), *(cluster.service_ranges or (None,))]
    return not all(written)


def slots(settings: AddressSettings) -> int:
    """How many slots the pool has; none where it is no pool (MESH224)."""
    pool = _pool(settings)
    return 2 ** (settings.cluster_prefix - pool.prefixlen) if pool and pool.prefixlen <= settings.cluster_prefix else 0


def slot_number(settings: AddressSettings, cluster: ClusterSettings) -> int:
    """The cluster's slot: what it states, else what its name gives."""
    if cluster.slot is not None:
        return cluster.slot
    digest = hashlib.sha256(cluster.name.encode()).digest()
    return int.from_bytes(digest[:8], "big") % (slots(settings) or 1)


def slot(settings: AddressSettings, number: int) -> Slot:
    """A slot's ranges: pods have its first half, nodes the third quarter, services the next eighth; the control plane
    has the beginning of what is left."""
    pool = _pool(settings) or ip_network(AddressSettings().pool)
    first = int(pool.network_address) + (number << (32 - settings.cluster_prefix))
    own = IPv4Network((first % 2**32, settings.cluster_prefix))
    pods, rest = own.subnets()
    nodes, last = rest.subnets()
    services, left = last.subnets()
    return Slot(number, pods, nodes, services, next(left.subnets(new_prefix=CONTROL_PLANE_PREFIX)))


def _pool(settings: AddressSettings) -> IPv4Network | None:
    try:
        pool = ip_network(settings.pool)
    except ValueError:
        return None
    return pool if isinstance(pool, IPv4Network) else None
