"""The ways between the mesh and the world outside: ingress and egress gateways of a federation."""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.clusters.namespace import RootNamespace, RootNamespaceArgs
from mesh_components.federation.member import Member, Site
from mesh_components.gateways.egress import EgressGateway, EgressGatewayArgs
from mesh_components.gateways.ingress import IngressGateway, IngressGatewayArgs, ServerCredential
from mesh_components.settings.ingress import IngressHost, IngressSettings
from mesh_components.topology import material
from mesh_components.topology.outside import IngressPlan, tls_place

_SIZE = {"namespace", "min_replicas", "max_replicas", "requests", "limits"}
_INGRESS = _SIZE | {"service_type", "external_ips", "load_balancer_source_ranges", "address", "api"}


def ways(site: Site, member: Member, *after: pulumi.Resource) -> None:
    """The ways into a cluster from outside of the mesh, and out of it."""
    plan = member.plan
    spaces = [_namespace(site, member, name) for name in plan.outside_namespaces]
    opts = site.inside(member, *member.ready, *spaces, *after)
    for number, ingress in enumerate(plan.ingress):
        args = _ingress(site, member, number, ingress)
        member.ingress[ingress.settings.name] = IngressGateway(f"{member.prefix}{ingress.suffix}", args, opts)
    if plan.egress is not None:
        stated = plan.egress.settings
        egress = EgressGatewayArgs(
            gateway=stated.gateway,
            gateway_name=stated.name,
            hosts=stated.hosts,
            revision=plan.egress.revision,
            network_policy=site.mesh.istio.network_policies,
            **stated.model_dump(include=_SIZE),
        )
        EgressGateway(f"{member.prefix}{plan.egress.suffix}", egress, opts)


def addresses(members: dict[str, Member]) -> dict[str, Any]:
    """Addresses of the ingress gateways by cluster and name, where there are any."""
    found = {
        cluster: {name: made.address for name, made in member.ingress.items()}
        for cluster, member in members.items()
        if member.ingress
    }
    return {"ingress": found} if found else {}


def _namespace(site: Site, member: Member, namespace: str) -> RootNamespace:
    args = RootNamespaceArgs(network=None, namespace=namespace)
    return RootNamespace(f"{member.prefix}-{namespace}", args, site.inside(member))


def _ingress(site: Site, member: Member, number: int, ingress: IngressPlan) -> IngressGatewayArgs:
    stated = ingress.settings
    index = [cluster.name for cluster in site.mesh.clusters].index(member.plan.name)
    given = {
        host.host: credential
        for position, host in enumerate(stated.hosts)
        if (credential := _credential(site, tls_place(index, number, position), host)) is not None
    }
    return IngressGatewayArgs(
        gateway_name=stated.name,
        ports=stated.ports,
        hosts=stated.hosts,
        credentials=given,
        revision=ingress.revision,
        annotations=dict(ingress.load_balancer.annotations),
        node_ports=_node_ports(stated),
        network_policy=site.mesh.istio.network_policies,
        **stated.model_dump(include=_INGRESS),
    )


def _credential(site: Site, place: str, host: IngressHost) -> ServerCredential | None:
    if host.tls is None or host.tls.certificate is None:
        return None
    texts = {key: material.text(site.args.texts, f"{place}.{key}") for key in ("certificate", "key")}
    for key, text in texts.items():
        if text is None:
            raise pulumi.RunError(f"nothing says what {place}.{key} names: hand it over in `texts`")
    return ServerCredential(certificate_pem=texts["certificate"] or "", key_pem=pulumi.Output.secret(texts["key"]))


def _node_ports(stated: IngressSettings) -> dict[int, int]:
    pairs = ((getattr(stated.ports, key), getattr(stated.node_ports, key)) for key in ("http", "https"))
    return {port: node_port for port, node_port in pairs if port is not None and node_port is not None}
