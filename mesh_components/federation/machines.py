"""Virtual machines in a federation: what each cluster has of them, as `topology.virtual_machines` decided."""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.federation.member import Member, Site
from mesh_components.services.virtual_machine import (
    MachineNamespace,
    MachineNamespaceArgs,
    VirtualMachine,
    VirtualMachineArgs,
)
from mesh_components.topology import virtual_machines as machines


def virtual_machines(site: Site, member: Member, *after: pulumi.Resource) -> None:
    """Their namespaces and accounts, and what is configured of them."""
    mesh, cluster = site.mesh, member.plan.settings
    homes: dict[str, pulumi.Resource] = {}
    for part in machines.namespace_parts(mesh, cluster):
        home = MachineNamespaceArgs(
            namespace=part.name, create=part.create, labels=dict(part.labels), accounts=part.accounts
        )
        opts = site.inside(member, *member.ready)
        homes[part.name] = MachineNamespace(f"{member.prefix}-machines-{part.name}", home, opts)
    for item in machines.machine_parts(mesh, cluster):
        args = VirtualMachineArgs(
            machine=item.machine,
            network=machines.network(mesh, item.machine),
            group=item.group,
            service=item.service,
        )
        opts = site.inside(member, *member.ready, homes[item.machine.namespace], *after)
        VirtualMachine(f"{member.prefix}-machine-{item.machine.name}", args, opts)


def outputs(site: Site) -> dict[str, Any]:
    """What a bundle is made from, beside the document and the gateways. None of it is secret."""
    if not site.mesh.virtual_machines:
        return {}
    # Where a root comes from a secret setting, Pulumi takes its certificate for one too.
    return {"rootCertificates": pulumi.Output.unsecret(pulumi.Output.from_input(site.root_ca.root_cert_pem))}
