"""A virtual machine as Kubernetes and Istio know it. Pure: settings in, objects out
(https://istio.io/latest/docs/setup/install/virtual-machine/)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_components.istio import Metadata, ServiceEntry, WorkloadEntry, WorkloadGroup
from mesh_components.istio.service_entry import ServiceEntrySpec, ServicePort
from mesh_components.istio.shared import LabelSelector, WorkloadEntrySpec
from mesh_components.istio.workload_group import ObjectMeta, ReadinessProbe, WorkloadGroupSpec, WorkloadTemplate
from mesh_components.kubernetes import GOES_AT_ONCE, Plain
from mesh_components.settings.virtual_machines import VirtualMachineSettings
from mesh_components.topology import virtual_machines as machines
from mesh_components.topology.machine_bundle import listening


def namespace(name: str, labels: Mapping[str, str]) -> Plain:
    """Where the group, its account and its entries are."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels) or None}}


def account(name: str, namespace: Any) -> Plain:
    """The machines' identity, for which tokens are requested."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def group(machine: VirtualMachineSettings, network: str) -> WorkloadGroup:
    """What istiod makes the entries from of machines that come by themselves."""
    spec = WorkloadGroupSpec(
        metadata=ObjectMeta(labels=machines.labels(machine)),
        template=WorkloadTemplate(**_endpoint(machine, network)),
        probe=_probe(machine),
    )
    return WorkloadGroup(metadata=_metadata(machine, machine.name), spec=spec)


def entry(machine: VirtualMachineSettings, network: str, address: str) -> WorkloadEntry:
    """One machine that is entered beforehand."""
    spec = WorkloadEntrySpec(address=address, labels=machines.labels(machine), **_endpoint(machine, network))
    return WorkloadEntry(metadata=_metadata(machine, f"{machine.name}-{in_a_name(address)}"), spec=spec)


def service(machine: VirtualMachineSettings) -> ServiceEntry:
    """What the mesh calls: a host, and whichever machines carry the label."""
    spec = ServiceEntrySpec(
        hosts=[machines.host(machine)],
        location="MESH_INTERNAL",
        resolution="STATIC",
        ports=[ServicePort(**port.model_dump()) for port in machine.ports],
        workload_selector=LabelSelector(labels={machines.APP: machines.labels(machine)[machines.APP]}),
    )
    return ServiceEntry(metadata=_metadata(machine, machine.name), spec=spec)


def in_a_name(address: str) -> str:
    """An IP as part of a name."""
    return address.replace(":", "-")


def _endpoint(machine: VirtualMachineSettings, network: str) -> dict[str, Any]:
    where = machine.locality
    return {
        "service_account": machines.account(machine),
        "network": network,
        "ports": listening(machine) or None,
        "locality": "/".join(part for part in (where.region, where.zone) if part) if where else None,
    }


def _probe(machine: VirtualMachineSettings) -> ReadinessProbe | None:
    stated = machines.probe(machine)
    return ReadinessProbe.model_validate(stated, by_alias=True, by_name=False) if stated else None


def _metadata(machine: VirtualMachineSettings, name: str) -> Metadata:
    return Metadata(name=name, namespace=machine.namespace, annotations=GOES_AT_ONCE)
