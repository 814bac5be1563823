"""What a picture shows beside clusters: machines outside of Kubernetes, and other meshes. Pure: no Pulumi."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mesh_components.topology.meshes import exports_to, full_host
from mesh_components.topology.plan import Topology
from mesh_components.topology.virtual_machines import network, server_of


@dataclass(frozen=True)
class Machines:
    """A machine outside of Kubernetes, or several that are alike."""

    name: str
    """With its namespace."""
    cluster: str
    network: str
    server: str
    """The cluster whose istiod serves it, through the east-west gateway there."""


@dataclass(frozen=True)
class OtherMesh:
    """Another mesh that this one trusts."""

    name: str
    trust_domain: str
    imports: tuple[str, ...]
    """Hosts of it that are called from here."""
    exports: tuple[str, ...]
    """Hosts of ours that it may call."""
    through: tuple[str, ...]
    """Clusters by whose gateways it comes in."""


def machines(topology: Topology) -> Iterator[Machines]:
    """Those whose cluster is in the document."""
    for machine in topology.mesh.virtual_machines:
        server = server_of(topology.mesh, machine)
        if server is not None:
            name = f"{machine.namespace}/{machine.name}"
            yield Machines(name, machine.cluster, network(topology.mesh, machine), server.name)


def meshes(topology: Topology) -> Iterator[OtherMesh]:
    """With what passes between them and this one."""
    doors = tuple(plan.name for plan in topology.clusters if plan.cross_mesh_gateway)
    for other in topology.mesh.meshes:
        exports = tuple(full_host(export.host) for export in exports_to(topology.mesh, other.name))
        yield OtherMesh(
            other.name,
            other.trust_domain,
            tuple(full_host(wanted.host) for wanted in other.imports),
            exports,
            doors if exports else (),
        )
