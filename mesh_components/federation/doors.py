"""The gateways of a federation."""

from __future__ import annotations

import pulumi

from mesh_components.federation.member import Member, Site
from mesh_components.gateways.ambient import AmbientGateway, AmbientGatewayArgs
from mesh_components.gateways.east_west import EastWestGateway, EastWestGatewayArgs
from mesh_components.gateways.external import (
    ExposeExternalIstiod,
    ExposeExternalIstiodArgs,
    ExternalGateway,
    ExternalGatewayArgs,
)
from mesh_components.topology.plan import ClusterPlan
from mesh_components.trust.server_cert import ServerCertificate, ServerCertificateArgs

_FROM_DOCUMENT = {
    "service_type",
    "external_ips",
    "load_balancer_source_ranges",
    "min_replicas",
    "max_replicas",
    "requests",
    "limits",
    "address",
}


def between_networks(site: Site, member: Member, *after: pulumi.Resource) -> None:
    """The doors through which other networks come in, and remotes to istiod."""
    plan, istio = member.plan, site.mesh.istio
    opts = site.inside(member, *member.ready, *after)
    if plan.east_west:
        stated = plan.settings.east_west
        by_name = plan.exposes_istiod and plan.address_type == "hostname"
        args = EastWestGatewayArgs(
            network=plan.settings.network,
            namespace=istio.namespace,
            revision=plan.gateway_revision,
            hosts=plan.exposed_hosts,
            network_policy=istio.network_policies,
            expose_services=plan.exposes_services,
            expose_istiod=_exposed(plan, istio.revision),
            istiod_host=stated.address if by_name else None,
            annotations=dict(plan.load_balancer.annotations),
            **stated.model_dump(include=_FROM_DOCUMENT),
        )
        member.gateway = EastWestGateway(f"{member.prefix}-eastwest", args, opts)
    if plan.ambient_gateway:
        ambient = AmbientGatewayArgs(
            gateway_name=plan.ambient_gateway,
            network=plan.settings.network,
            namespace=istio.namespace,
            revision=plan.gateway_revision,
            network_policy=istio.network_policies,
            annotations=dict(plan.load_balancer.annotations),
            **plan.settings.east_west.model_dump(include=_FROM_DOCUMENT - {"external_ips"}),
        )
        member.ambient_gateway = AmbientGateway(f"{member.prefix}-ambient-gateway", ambient, opts)


def _exposed(plan: ClusterPlan, default: str) -> tuple[str, ...]:
    """The default revision first: webhooks by URL carry no revision, so they all end at the first."""
    if not plan.exposes_istiod:
        return ()
    return tuple(sorted((item.name for item in plan.revisions), key=lambda name: name != default))


def before_external(site: Site, member: Member) -> None:
    """The gateway in front of an external control plane: its address goes into everything that is served by it."""
    args = ExternalGatewayArgs(
        network_policy=site.mesh.istio.network_policies,
        annotations=dict(member.plan.load_balancer.annotations),
        **member.plan.settings.east_west.model_dump(include=_FROM_DOCUMENT),
    )
    opts = site.inside(member, *member.ready)
    member.external_gateway = ExternalGateway(f"{member.prefix}-gateway", args, opts)


def to_external(site: Site, member: Member, address: pulumi.Output[str]) -> ExposeExternalIstiod:
    """What lets the gateway through to the external istiod, with a certificate for its address."""
    plan, trust = member.plan, site.mesh.trust
    credential: pulumi.Input[str] | None = plan.settings.east_west.credential
    if credential is None:
        args = ServerCertificateArgs(
            root_ca=site.root_ca,
            address=address,
            address_type=plan.address_type,
            organization=trust.organization or site.mesh.id,
            validity_days=trust.intermediate_validity_days,
            algorithm=trust.algorithm,
            serial=trust.intermediate_serials.get(plan.name, 1),
        )
        opts = site.inside(member, *member.ready)
        member.certificate = ServerCertificate(f"{member.prefix}-certificate", args, opts)
        member.trust.append(member.certificate)
        credential = member.certificate.secret_name
    exposed = ExposeExternalIstiodArgs(
        address=address,
        address_type=plan.address_type,
        credential=credential,
        namespace=site.mesh.istio.namespace,
        revision=plan.revisions[0].name,
    )
    after = site.inside(member, *member.ready, member.certificate)
    made = ExposeExternalIstiod(f"{member.prefix}-expose", exposed, after)
    member.trust.append(made)
    return made
