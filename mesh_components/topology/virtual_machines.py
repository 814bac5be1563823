"""What follows from virtual machines: which istiod serves them, by which door they come in, and what lies where.

Istio reads a machine's group where its configuration is, and asks the cluster that the machine claims to be of whose
token it shows (`getKubeClient` in Istio's security/pkg/server/ca/authenticate/kubeauth/kube_jwt.go). So with a remote,
the account is there and the group in its primary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.virtual_machines import VirtualMachineSettings
from mesh_components.topology.meshes import SERVICE_DOMAIN, holds_config
from mesh_components.topology.roles import config_holder, control_plane

DEFAULT_ACCOUNT = "default"
"""Kubernetes makes it in every namespace."""
APP = "app"


@dataclass(frozen=True)
class NamespacePart:
    """A namespace of machines in one cluster."""

    name: str
    create: bool
    labels: Mapping[str, str]
    accounts: tuple[str, ...]
    """Those that are made in it, sorted."""


@dataclass(frozen=True)
class MachinePart:
    """What one cluster has of a group of machines."""

    machine: VirtualMachineSettings
    group: bool
    """True: the istiod that serves them reads its configuration here."""
    service: bool


def cluster_of(mesh: MeshSettings, machine: VirtualMachineSettings) -> ClusterSettings | None:
    """The cluster that they belong to; None where it is not in the document (MESH955)."""
    return next((cluster for cluster in mesh.clusters if cluster.name == machine.cluster), None)


def server_of(mesh: MeshSettings, machine: VirtualMachineSettings) -> ClusterSettings | None:
    """The cluster whose istiod serves them, and through whose gateway they reach it."""
    cluster = cluster_of(mesh, machine)
    return None if cluster is None else control_plane(mesh, cluster)


def machines_of(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[VirtualMachineSettings, ...]:
    """The machines that come to this cluster's istiod."""
    return tuple(machine for machine in mesh.virtual_machines if server_of(mesh, machine) == cluster)


def machine_networks(mesh: MeshSettings) -> tuple[str, ...]:
    """The networks that machines say they are in."""
    return tuple(machine.network for machine in mesh.virtual_machines if machine.network is not None)


def network(mesh: MeshSettings, machine: VirtualMachineSettings) -> str:
    """The network they are in."""
    cluster = cluster_of(mesh, machine)
    return machine.network or (cluster.network if cluster else "")


def account(machine: VirtualMachineSettings) -> str:
    """Their service account."""
    return machine.account or machine.name


def labels(machine: VirtualMachineSettings) -> dict[str, str]:
    """Labels of the machines."""
    return {APP: machine.name, **machine.labels}


def host(machine: VirtualMachineSettings) -> str:
    """Host of the service behind which they are."""
    return machine.host or f"{labels(machine)[APP]}.{machine.namespace}{SERVICE_DOMAIN}"


def probe(machine: VirtualMachineSettings) -> dict[str, Any] | None:
    """How it is found out whether they are well, in Istio's words."""
    return machine.probe.model_dump(mode="json", by_alias=True, exclude_none=True) if machine.probe else None


def has_service(machine: VirtualMachineSettings) -> bool:
    """Whether a ServiceEntry is made."""
    return machine.service and bool(machine.ports)


def revision(mesh: MeshSettings, machine: VirtualMachineSettings) -> str:
    """Revision of the istiod that serves them."""
    return mesh.istio.revision if machine.revision is None else machine.revision


def machine_parts(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[MachinePart, ...]:
    """What this cluster has of each group. The service is wherever configuration is: an istiod reads the entries of
    machines in all clusters, and ServiceEntries in its own only
    (Istio's pilot/pkg/serviceregistry/kube/controller/multicluster.go)."""
    parts = (
        MachinePart(
            machine,
            group=_holder(mesh, machine) == cluster,
            service=has_service(machine) and holds_config(cluster),
        )
        for machine in mesh.virtual_machines
    )
    return tuple(part for part in parts if part.group or part.service)


def namespace_parts(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[NamespacePart, ...]:
    """The namespaces of machines that this cluster has, sorted."""
    configured = [part.machine for part in machine_parts(mesh, cluster)]
    here = [machine for machine in mesh.virtual_machines if machine.cluster == cluster.name]
    found = {machine.name: machine for machine in (*configured, *here)}.values()
    return tuple(_namespace(name, found, here) for name in sorted({machine.namespace for machine in found}))


def _namespace(
    name: str, machines: Iterable[VirtualMachineSettings], here: Iterable[VirtualMachineSettings]
) -> NamespacePart:
    inside = [machine for machine in machines if machine.namespace == name]
    made = {account(machine) for machine in here if machine.namespace == name and machine.create_account}
    stated = {key: value for machine in inside for key, value in machine.namespace_labels.items()}
    return NamespacePart(
        name=name,
        create=any(machine.create_namespace for machine in inside),
        labels=dict(sorted(stated.items())),
        accounts=tuple(sorted(made - {DEFAULT_ACCOUNT})),
    )


def _holder(mesh: MeshSettings, machine: VirtualMachineSettings) -> ClusterSettings | None:
    cluster = cluster_of(mesh, machine)
    return None if cluster is None else config_holder(mesh, cluster)
