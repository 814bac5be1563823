"""One cluster with what is built in it, and what all builders share."""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi

from mesh_components.clusters.cluster import Cluster
from mesh_components.clusters.namespace import RootNamespace, RootNamespaceArgs
from mesh_components.control_plane.args import TrustedMesh
from mesh_components.discovery.account import ReaderAccount
from mesh_components.discovery.token import Token
from mesh_components.federation import trust
from mesh_components.federation.args import MeshFederationArgs
from mesh_components.federation.clusters import Networks, cluster_of
from mesh_components.gateways.ambient import AmbientGateway
from mesh_components.gateways.cross_mesh import CrossMeshGateway
from mesh_components.gateways.east_west import EastWestGateway
from mesh_components.gateways.external import ExternalGateway
from mesh_components.gateways.ingress import IngressGateway
from mesh_components.services.policies import MeshPolicies
from mesh_components.settings import MeshSettings
from mesh_components.topology.plan import ClusterPlan, Topology, several_networks
from mesh_components.trust.gate import RotationGate
from mesh_components.trust.root_ca import RootCA
from mesh_components.trust.server_cert import ServerCertificate


@dataclass(frozen=True)
class Site:
    """What every builder of one federation shares."""

    name: str
    args: MeshFederationArgs
    topology: Topology
    root_ca: RootCA
    gate: RotationGate | None
    """Refuses a phase of a rotation out of turn, before anything else in a cluster."""
    renderer: pulumi.ProviderResource | None
    """Renders the charts; None where something else installs Istio."""
    parent: pulumi.Resource
    networks: Networks
    """The VPCs that are made here, by network of the mesh."""
    trusted: tuple[TrustedMesh, ...] = ()
    """Other meshes."""

    @property
    def mesh(self) -> MeshSettings:
        """The document."""
        return self.args.mesh

    @property
    def several_networks(self) -> bool:
        """Whether the mesh has more than one network."""
        return several_networks(self.mesh)

    def inside(self, member: Member, *after: pulumi.Resource | None) -> pulumi.ResourceOptions:
        """Options of what is built in a cluster, after what it has to wait for: the gate of a rotation is part of that,
        so a phase out of turn is in no cluster, not even where nobody previewed."""
        made = [resource for resource in (*after, self.gate) if resource is not None]
        return member.cluster.inside(*made, parent=self.parent)


@dataclass
class Member:
    """One cluster with what was built in it; filled phase by phase."""

    prefix: str
    """Beginning of the names of all its resources."""
    plan: ClusterPlan
    cluster: Cluster
    namespace: RootNamespace
    cacerts: pulumi.Resource | None = None
    trust: list[pulumi.Resource] = field(default_factory=list)
    """Everything in it that changes with a phase of a rotation."""
    renewed: list[pulumi.Output[str]] = field(default_factory=list)
    """When its signing certificates end, where something in the cluster renews them."""
    planes: list[pulumi.Resource] = field(default_factory=list)
    """Its control planes with what they need: what gateways and credentials come after."""
    gateway: EastWestGateway | None = None
    ambient_gateway: AmbientGateway | None = None
    external_gateway: ExternalGateway | None = None
    cross_mesh_gateway: CrossMeshGateway | None = None
    ingress: dict[str, IngressGateway] = field(default_factory=dict)
    """By their names."""
    policies: MeshPolicies | None = None
    certificate: ServerCertificate | None = None
    token: Token | None = None
    kiali_token: Token | None = None
    reader: ReaderAccount | None = None
    """The rights of who reads this cluster without a token."""
    credentials: list[pulumi.Resource] = field(default_factory=list)
    """The secrets with which the istiod that serves this cluster reads it."""

    @property
    def ready(self) -> list[pulumi.Resource]:
        """What comes first in every cluster."""
        return [self.namespace, *self.planes]


def member(site: Site, item: ClusterPlan) -> Member:
    """Phase one of a cluster: the way in, the root namespace, the signing certificate."""
    prefix = f"{site.name}-{item.name}"
    cluster = site.args.clusters.get(item.name) or cluster_of(site.args, site.networks, prefix, item, site.parent)
    namespace = RootNamespace(
        f"{prefix}-namespace",
        RootNamespaceArgs(
            network=item.settings.network if item.role != "external" else None,
            namespace=site.mesh.istio.namespace,
            create=item.creates_namespace,
            controlled_by=item.controlled_by,
        ),
        cluster.inside(parent=site.parent),
    )
    made = Member(prefix=prefix, plan=item, cluster=cluster, namespace=namespace)
    if item.signs:
        made.cacerts = trust.cacerts(site, made, f"{prefix}-trust", site.mesh.istio.namespace, namespace)
    return made
