"""Other meshes in a federation: what is trusted of them, what they may call, and what this mesh says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from mesh_components.control_plane.args import TrustedMesh
from mesh_components.federation.args import MeshFederationArgs
from mesh_components.gateways.cross_mesh import CrossMeshGateway, CrossMeshGatewayArgs
from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.facts import ExportFact, GatewayFact, MeshFacts, RootFact
from mesh_components.settings.meshes import OtherMesh
from mesh_components.topology import meshes, names
from mesh_components.topology.rules.facts import same_root
from mesh_components.trust.mesh_trust import MeshTrust, MeshTrustArgs, OtherMeshArgs, checked
from mesh_components.trust.pem import certificates, fingerprint
from mesh_components.trust.root_ca import RootCA

if TYPE_CHECKING:
    from mesh_components.federation.member import Member, Site

_FROM_DOCUMENT = {
    "service_type",
    "annotations",
    "load_balancer_source_ranges",
    "min_replicas",
    "max_replicas",
    "address",
}


def trusted(args: MeshFederationArgs, root_ca: RootCA) -> tuple[TrustedMesh, ...]:
    """The other meshes as istiod is told of them."""
    found = []
    for other in _others(args):
        facts = checked(other, args.mesh.id)
        pulumi.Output.all(facts, root_ca.root_cert_pem).apply(lambda both: _warn_of_same_root(*both))
        found.append(
            TrustedMesh(
                name=other.mesh.name,
                trust_domain=other.mesh.trust_domain,
                roots_pem=facts.apply(lambda facts: facts.bundle),
                alias=other.mesh.alias,
            )
        )
    return tuple(found)


def between_meshes(site: Site, member: Member, *after: pulumi.Resource) -> None:
    """What is said of other meshes where configuration is, and the door through which they come in."""
    mesh, plan = site.mesh, member.plan
    if not (meshes.federated(mesh) and meshes.holds_config(plan.settings)):
        return
    opts = site.inside(member, *member.ready, *after)
    others = [_in_cluster(mesh, plan.settings, other) for other in _others(site.args)]
    if others:
        args = MeshTrustArgs(
            mesh_id=mesh.id, meshes=tuple(others), exports=mesh.exports, namespace=mesh.istio.namespace
        )
        MeshTrust(f"{member.prefix}-meshes", args, opts)
    if plan.cross_mesh_gateway and mesh.exports:
        door = CrossMeshGatewayArgs(
            hosts=tuple(export.host for export in mesh.exports),
            namespace=mesh.istio.namespace,
            revision=plan.gateway_revision,
            network_policy=mesh.istio.network_policies,
            **plan.settings.cross_mesh.model_dump(include=_FROM_DOCUMENT),
        )
        member.cross_mesh_gateway = CrossMeshGateway(f"{member.prefix}-crossmesh", door, opts)


def outputs(site: Site, members: dict[str, Member]) -> dict[str, Any]:
    """What a mesh that speaks of others says to them, and to whoever installs its Istio. None of it is secret."""
    if not meshes.federated(site.mesh):
        return {}
    doors = {
        name: made.cross_mesh_gateway.address for name, made in members.items() if made.cross_mesh_gateway is not None
    }
    facts = pulumi.Output.all(site.root_ca.root_cert_pem, pulumi.Output.from_input(doors)).apply(
        lambda known: public_facts(site.mesh, *known).document()
    )
    pems = [pulumi.Output.from_input(mesh.roots_pem) for mesh in site.trusted]
    roots = [{"pem": pem, "trustDomains": [mesh.trust_domain]} for mesh, pem in zip(site.trusted, pems, strict=True)]
    # Where a root comes from a secret setting, Pulumi takes its certificate for one too.
    return {"publicFacts": pulumi.Output.unsecret(facts), **({"caCertificates": roots} if roots else {})}


def public_facts(mesh: MeshSettings, roots: str, doors: dict[str, str | None]) -> MeshFacts:
    """What a mesh says of itself, with its roots (PEM) and the addresses of its gateways by cluster."""
    settings = {cluster.name: cluster for cluster in mesh.clusters}
    return MeshFacts(
        mesh=mesh.id,
        trust_domain=mesh.trust_domain,
        roots=tuple(RootFact(pem=pem, sha256=fingerprint(pem)) for pem in certificates(roots)),
        gateways=tuple(
            GatewayFact(
                cluster=name,
                network=settings[name].network,
                address=address,
                port=names.MTLS_PORT,
                locality=_locality(settings[name]),
            )
            for name, address in doors.items()
            if address
        ),
        exports=tuple(
            ExportFact(
                host=meshes.full_host(export.host), ports=export.ports, accounts=export.accounts, meshes=export.meshes
            )
            for export in mesh.exports
        ),
    )


def _others(args: MeshFederationArgs) -> list[OtherMeshArgs]:
    return [OtherMeshArgs(mesh=other, facts=args.facts_of(index)) for index, other in enumerate(args.mesh.meshes)]


def _in_cluster(mesh: MeshSettings, cluster: ClusterSettings, other: OtherMeshArgs) -> OtherMeshArgs:
    wanted: OtherMesh = other.mesh.model_copy(update={"imports": meshes.imports_in(mesh, cluster, other.mesh)})
    return other.model_copy(update={"mesh": wanted})


def _locality(cluster: ClusterSettings) -> str | None:
    where = cluster.locality
    return "/".join(part for part in (where.region, where.zone) if part) if where else None


def _warn_of_same_root(facts: MeshFacts, own: str) -> None:
    ours = {fingerprint(pem) for pem in certificates(own)}
    if ours.intersection(root.sha256 for root in facts.roots):
        pulumi.log.warn(str(same_root("meshes", facts.mesh, "this mesh")))
