"""Virtual machines and the mesh: that somebody serves them, and that both find the way to the other
(https://istio.io/latest/docs/setup/install/virtual-machine/). What is said of each is in `machine_groups`."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.settings.virtual_machines import VirtualMachineSettings
from mesh_components.topology import virtual_machines as machines
from mesh_components.topology.names import is_ip
from mesh_components.topology.plan import address_type, needs_east_west, several_networks
from mesh_components.topology.revisions import revisions
from mesh_components.topology.roles import config_holder, members
from mesh_components.topology.rules.context import Context, error, quoted, warning
from mesh_components.topology.rules.machine_groups import at, listed
from mesh_components.topology.visibility import NAMESPACE_NAME, covers, gateway_hosts, sees, selectors, selects


def cluster(context: Context) -> Iterator[Finding]:
    """MESH955."""
    for index, machine in listed(context):
        home = machines.cluster_of(context.mesh, machine)
        if home is None:
            yield error(
                "MESH955",
                at(index, "cluster"),
                f"the mesh has no cluster {quoted(machine.cluster)}, so nothing says whose istiod serves the machine",
                "name one of `clusters`",
            )
        elif home.role == "external":
            yield error(
                "MESH955",
                at(index, "cluster"),
                f'"{home.name}" runs an istiod for other clusters and has no workloads of the mesh',
                "name a cluster with workloads",
            )


def external(context: Context) -> Iterator[Finding]:
    """MESH956. A machine's token is for its first minutes; then it shows its certificate, to whoever ends TLS
    (istio/istio pkg/istio-agent/agent.go, GetKeyCertsForXDS)."""
    for index, machine in listed(context):
        home, server = machines.cluster_of(context.mesh, machine), machines.server_of(context.mesh, machine)
        if home is not None and server is not None and server.role == "external" and home is not server:
            yield error(
                "MESH956",
                at(index, "cluster"),
                f'the istiod of "{home.name}" is the external one in "{server.name}", and the gateway in front of it '
                "ends TLS: istiod would never see the certificate by which a machine is known once its token has "
                "ended, and the machine would fall out of the mesh",
                "let the machine belong to a cluster whose control plane is a primary",
            )


def ambient(context: Context) -> Iterator[Finding]:
    """MESH957. What a machine runs is a sidecar's proxy; the ambient gateway exposes no istiod."""
    if context.mesh.virtual_machines and context.mesh.istio.data_plane == "ambient":
        yield error(
            "MESH957",
            "istio.dataPlane",
            "a machine runs the proxy of a sidecar and comes in by the gateway for sidecars; in an ambient mesh there "
            "is none, and the ambient gateway exposes no istiod",
            "set `istio.dataPlane: mixed`, or take the machines out",
        )


def no_way_in(context: Context) -> Iterator[Finding]:
    """MESH958."""
    mesh = context.mesh
    for index, machine in listed(context):
        server = machines.server_of(mesh, machine)
        if server is None or server.role != "primary" or machine.istiod_address or mesh.istio.data_plane == "ambient":
            continue
        gateway = server.east_west
        position = context.index(server.name)
        if not needs_east_west(mesh, server):
            yield error(
                "MESH958",
                f"clusters[{position}].eastWest.enabled",
                f'"{machine.name}" reaches istiod through the gateway of "{server.name}", and there is none',
                "leave `eastWest.enabled` out; or write `istiodAddress` at the machine, where port 15012 of that "
                "istiod is reached otherwise",
            )
        elif gateway.service_type != "LoadBalancer" and not (gateway.address or gateway.external_ips):
            yield error(
                "MESH958",
                f"clusters[{position}].eastWest.serviceType",
                f'"{machine.name}" reaches istiod at the address of the gateway of "{server.name}", and a Service of '
                f"type {gateway.service_type} gets none from a load balancer",
                f"use LoadBalancer, or write `eastWest.externalIps`; or `{at(index, 'istiodAddress')}`",
            )


def no_ip(context: Context) -> Iterator[Finding]:
    """MESH959. The file `hosts` is appended to the machine's /etc/hosts; istioctl leaves it empty for a host name
    (istio/istio istioctl/pkg/workload/workload.go)."""
    for index, machine in listed(context):
        server = machines.server_of(context.mesh, machine)
        if machine.istiod_address is not None:
            if not is_ip(machine.istiod_address):
                yield error(
                    "MESH959",
                    at(index, "istiodAddress"),
                    f"{quoted(machine.istiod_address)} is no IP, and the machine finds istiod by its /etc/hosts",
                    "write an IP at which port 15012 of istiod, or of its gateway, is reached",
                )
        elif server is not None and server.role == "primary" and address_type(server) == "hostname":
            yield error(
                "MESH959",
                at(index, "istiodAddress"),
                f'the gateway of "{server.name}" is reached at a host name, and the machine finds istiod by its '
                "/etc/hosts, which takes an IP",
                "write an IP of that load balancer that stays; or have the load balancer get one (an NLB with Elastic "
                "IPs on AWS, a VPC NLB on IBM Cloud), and say `eastWest.addressType: ip`",
            )


def revision(context: Context) -> Iterator[Finding]:
    """MESH963."""
    for index, machine in listed(context):
        server = machines.server_of(context.mesh, machine)
        wanted = machines.revision(context.mesh, machine)
        here = [item.name for item in revisions(context.mesh, server.name)] if server else [wanted]
        if wanted not in here:
            known = ", ".join(quoted(name) if name else "the one without a name" for name in here) or "none"
            tagged = wanted in {**context.mesh.istio.tags, **(server.tags if server else {})}
            why = "a tag has no name in istiod's certificate" if tagged else "nobody would answer"
            yield error(
                "MESH963",
                at(index, "revision"),
                f'"{server.name if server else ""}" has no revision {quoted(wanted)} ({known}); {why}',
                "name a revision of that cluster",
            )


def unseen(context: Context) -> Iterator[Finding]:
    """MESH967. What other clusters see, what a gateway lets in, and which namespaces istiod looks at."""
    mesh = context.mesh
    for index, machine in listed(context):
        host = machines.host(machine)
        if not machines.has_service(machine):
            continue
        if not sees(mesh.visibility, host):
            yield warning(
                "MESH967",
                "visibility.services",
                f'other clusters do not see {quoted(host)}, so only callers in "{machine.cluster}" get there',
                f"add {machine.namespace} to `visibility.namespaces`",
            )
        elif several_networks(mesh):
            yield from _shut(context, index, machine, host)
        labels = {NAMESPACE_NAME: machine.namespace, **machine.namespace_labels}
        looked_at = selectors(mesh.visibility, mesh.istio.namespace)
        if machine.create_namespace and looked_at and not any(selects(selector, labels) for selector in looked_at):
            yield warning(
                "MESH967",
                "visibility.discoverySelectors",
                f"none of the selectors selects the namespace {quoted(machine.namespace)}, so istiod does not "
                "know what is in it",
                f"give it labels that one of them wants, in `{at(index, 'namespaceLabels')}`",
            )


def _shut(context: Context, index: int, machine: VirtualMachineSettings, host: str) -> Iterator[Finding]:
    """A gateway lets in the hosts that it names, whatever is behind it."""
    mesh = context.mesh
    near = [c for c in members(mesh) if c.network == machines.network(mesh, machine) and needs_east_west(mesh, c)]
    for door in near:
        holder = config_holder(mesh, door)
        passes = gateway_hosts(mesh, holder) if holder else ()
        if holder is not None and not any(covers(pattern, host) for pattern in passes):
            yield warning(
                "MESH967",
                at(index, "host"),
                f'other networks come to the machine through the gateway of "{door.name}", which lets in '
                f"{', '.join(map(quoted, passes)) or 'nothing'} and not {quoted(host)}",
                f'add it to `eastWest.hosts` of "{holder.name}", or leave `host` out',
            )
            return


def no_name(context: Context) -> Iterator[Finding]:
    """MESH968. There is no Service, so Kubernetes' DNS knows nothing of the host
    (https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/)."""
    served = [index for index, machine in listed(context) if machines.has_service(machine)]
    if served and not context.mesh.istio.mesh_config.dns_capture:
        yield warning(
            "MESH968",
            "istio.meshConfig.dnsCapture",
            f"the host of virtualMachines[{served[0]}] is in no DNS: without DNS capture programs in pods get no "
            "address for it, and never get as far as their proxy",
            "leave `dnsCapture` out; or make a Service of the same name in every cluster",
        )


RULES = (cluster, external, ambient, no_way_in, no_ip, revision, unseen, no_name)
