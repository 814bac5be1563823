"""A virtual machine as Kubernetes and Istio know it, as plain data
(https://istio.io/latest/docs/setup/install/virtual-machine/)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_components.kubernetes import Plain
from mesh_components.settings.virtual_machines import VirtualMachineSettings
from mesh_components.topology import virtual_machines as machines
from mesh_components.topology.machine_bundle import listening

_GOES_AT_ONCE = {"pulumi.com/deletionPropagationPolicy": "background"}
"""As in `gateways.expose`."""


def namespace(name: str, labels: Mapping[str, str]) -> Plain:
    """Where the group, its account and its entries are."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels) or None}}


def account(name: str, namespace: Any) -> Plain:
    """The machines' identity, for which tokens are requested."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def group(machine: VirtualMachineSettings, network: str) -> Plain:
    """What istiod makes the entries from of machines that come by themselves."""
    probe = machine.probe.model_dump(mode="json", by_alias=True, exclude_none=True) if machine.probe else None
    spec = {
        "metadata": {"labels": machines.labels(machine)},
        "template": {"serviceAccount": machines.account(machine), "network": network, **_endpoint(machine)},
        "probe": probe,
    }
    return _networking("WorkloadGroup", machine.name, machine.namespace, spec)


def entry(machine: VirtualMachineSettings, network: str, address: str) -> Plain:
    """One machine that is entered beforehand."""
    spec = {
        "address": address,
        "labels": machines.labels(machine),
        "serviceAccount": machines.account(machine),
        "network": network,
        **_endpoint(machine),
    }
    return _networking("WorkloadEntry", entry_name(machine, address), machine.namespace, spec)


def entry_name(machine: VirtualMachineSettings, address: str) -> str:
    """As istiod would call it, without the network."""
    return f"{machine.name}-{in_a_name(address)}"


def in_a_name(address: str) -> str:
    """An IP as part of a name."""
    return address.replace(":", "-")


def service(machine: VirtualMachineSettings) -> Plain:
    """What the mesh calls: a host, and whichever machines carry the labels."""
    spec = {
        "hosts": [machines.host(machine)],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [
            {"number": port.number, "name": port.name, "protocol": port.protocol, "targetPort": port.target_port}
            for port in machine.ports
        ],
        "workloadSelector": {"labels": {machines.APP: machines.labels(machine)[machines.APP]}},
    }
    return _networking("ServiceEntry", machine.name, machine.namespace, spec)


def _endpoint(machine: VirtualMachineSettings) -> dict[str, Any]:
    where = machine.locality
    return {
        "ports": listening(machine) or None,
        "locality": "/".join(part for part in (where.region, where.zone) if part) if where else None,
    }


def _networking(kind: str, name: str, namespace: Any, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "annotations": _GOES_AT_ONCE},
        "spec": spec,
    }
