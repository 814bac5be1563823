"""Virtual machines: workloads of the mesh that run outside of Kubernetes.

Owns what the mesh knows of them. Does not own the machines, or the bundle with which one comes in: that holds a token,
and `mesh vm bundle` writes it when a machine is about to start. The gateway through which they reach istiod has to
expose it (`EastWestGateway`, `expose_istiod`).
"""

from __future__ import annotations

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, child_options
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.istio import IstioResource
from mesh_components.kubernetes import KubernetesObject
from mesh_components.services import machine_objects as objects
from mesh_components.settings.virtual_machines import VirtualMachineSettings
from mesh_components.topology import virtual_machines as machines


class MachineNamespaceArgs(ComponentArgs):
    """A namespace of machines, and who they are in it."""

    namespace: str
    create: bool = True
    """False where it exists already."""
    labels: dict[str, str] = Field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    """Service accounts to make."""


class MachineNamespace(pulumi.ComponentResource):
    """One per namespace and cluster; hand it the cluster's provider through `opts.providers`."""

    def __init__(self, name: str, args: MachineNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:MachineNamespace", name, {"namespace": args.namespace}, opts)
        made = []
        if args.create:
            manifest = objects.namespace(args.namespace, args.labels)
            made.append(KubernetesObject(f"{name}-namespace", manifest, child_options(self, opts)))
        for account in args.accounts:
            identity = objects.account(account, args.namespace)
            KubernetesObject(f"{name}-account-{account}", identity, child_options(self, opts, *made))
        self.register_outputs({})


class VirtualMachineArgs(ComponentArgs):
    """Who the machines are, and which part of what the mesh knows of them belongs into this cluster."""

    machine: VirtualMachineSettings
    network: str
    """Where they are."""
    group: bool = True
    """False in a cluster where the istiod that serves them does not read its configuration."""
    service: bool = True
    """The ServiceEntry, where the machines have ports."""


class VirtualMachine(pulumi.ComponentResource):
    """A group of machines in one cluster; hand it the cluster's provider through `opts.providers`. Their namespace and
    their account have to be there (`MachineNamespace`)."""

    host: str | None
    """By which the mesh calls them; None where this cluster has no service of theirs."""

    def __init__(self, name: str, args: VirtualMachineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:VirtualMachine", name, {"machine": args.machine.name}, opts)
        patient = pulumi.ResourceOptions.merge(child_options(self, opts), retry_while_unserved(name))
        for role, manifest in _objects(args).items():
            KubernetesObject(f"{name}-{role}", manifest, patient)
        called = args.service and machines.has_service(args.machine)
        self.host = machines.host(args.machine) if called else None
        self.register_outputs({"host": self.host})


def _objects(args: VirtualMachineArgs) -> dict[str, IstioResource]:
    machine = args.machine
    made: dict[str, IstioResource] = {}
    if args.group:
        made["group"] = objects.group(machine, args.network)
        for address in () if machine.auto_registration else machine.addresses:
            made[f"entry-{objects.in_a_name(address)}"] = objects.entry(machine, args.network, address)
    if args.service and machines.has_service(machine):
        made["service"] = objects.service(machine)
    return made
