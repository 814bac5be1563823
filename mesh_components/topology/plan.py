"""What follows from a document: which cluster has which part, who reads whom, which doors are needed.

Everything that is counted or named is decided here; components build what is decided and do not decide themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.location import AddressType
from mesh_components.settings.traffic import TrafficSettings
from mesh_components.topology import names
from mesh_components.topology.applications import Application, applications, stated
from mesh_components.topology.edges import Edge, edges
from mesh_components.topology.load_balancers import LoadBalancer, load_balancer
from mesh_components.topology.meshes import holds_config, needs_cross_mesh_gateway
from mesh_components.topology.outside import EgressPlan, IngressPlan, egress, ingresses, namespaces
from mesh_components.topology.revisions import Revision, revisions, tags
from mesh_components.topology.roles import control_plane, is_member, members, runs_istiod, served_by
from mesh_components.topology.virtual_machines import machine_networks, machines_of
from mesh_components.topology.visibility import gateway_hosts
from mesh_components.topology.waypoints import WaypointPlan, runs_ambient, waypoints


@dataclass(frozen=True)
class ClusterPlan:
    """One cluster's part."""

    settings: ClusterSettings
    control_plane: str
    """Name of the cluster whose istiod serves this one: its own, but for remotes and config clusters."""
    creates_namespace: bool
    """False: the root namespace exists already and only gets its labels."""
    controlled_by: str
    """Cluster ID that the root namespace names as `controlPlaneClusters`; empty where it names none."""
    signs: bool
    """True: an istiod runs here and signs, so it needs `cacerts`."""
    revisions: tuple[Revision, ...]
    """Control planes installed here, or reached from here, in the order of the document."""
    tags: tuple[tuple[str, str], ...]
    """Tags and the revisions they point at, sorted."""
    serves_remotes: bool
    """True: istiod serves other clusters too (`externalIstiod`)."""
    brings_shared: bool
    """True: what a cluster has once comes with this mesh, and not with another one: CRDs, default validator, CNI
    plugin."""
    adopts_crds: bool
    """True: CRDs come as objects and are kept when the mesh goes, so a mesh made anew may find them there."""
    cni: bool
    ambient: bool
    """True: ztunnel runs here."""
    east_west: bool
    """True: there is a gateway for sidecars, and for remotes on their way to istiod."""
    ambient_gateway: str
    """Name of the Gateway for ambient; empty where there is none."""
    gateway_revision: str
    cross_mesh_gateway: bool
    """True: there is a gateway for other meshes."""
    exposes_services: bool
    """True: the configuration that lets other networks in is applied here."""
    exposed_hosts: tuple[str, ...]
    """Which services it lets them reach."""
    exposes_istiod: bool
    """True: remotes or virtual machines reach istiod through the gateway."""
    load_balancer: LoadBalancer
    """Of its gateway between networks, or of the one in front of an external control plane."""
    source: bool
    """True: an istiod elsewhere reads services here, so the cluster needs a reader's token."""
    applications: tuple[Application, ...]
    """Its part of the sample applications."""
    traffic: tuple[TrafficSettings, ...]
    """Services whose requests are led by configuration that is here."""
    waypoints: tuple[WaypointPlan, ...]
    ingress: tuple[IngressPlan, ...]
    egress: EgressPlan | None
    outside_namespaces: tuple[str, ...]
    """Namespaces that are made for the ways in and out."""

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.settings.name

    @property
    def role(self) -> Literal["primary", "remote", "external", "config"]:
        """The cluster's role."""
        return self.settings.role

    @property
    def address_type(self) -> AddressType:
        """What its gateway's address is."""
        return self.load_balancer.address_type


@dataclass(frozen=True)
class Topology:
    """The whole mesh, decided."""

    mesh: MeshSettings
    clusters: tuple[ClusterPlan, ...]
    edges: tuple[Edge, ...]
    """Ordered pairs, sorted; none has itself."""

    def cluster(self, name: str) -> ClusterPlan:
        """The cluster of that name. Raises KeyError."""
        for plan in self.clusters:
            if plan.name == name:
                return plan
        raise KeyError(name)


def plan(mesh: MeshSettings) -> Topology:
    """Decide the mesh. Expects a document without error findings (`topology.findings`)."""
    decided = edges(mesh)
    sources = {edge.source for edge in decided if not edge.config}
    return Topology(
        mesh=mesh,
        clusters=tuple(_cluster(mesh, cluster, cluster.name in sources) for cluster in mesh.clusters),
        edges=decided,
    )


def networks(mesh: MeshSettings) -> tuple[str, ...]:
    """The networks with workloads of the mesh, each once, in the order of the document; clusters first."""
    return tuple(dict.fromkeys((*(cluster.network for cluster in members(mesh)), *machine_networks(mesh))))


def several_networks(mesh: MeshSettings) -> bool:
    """Whether requests have to pass from one network to another."""
    return len(networks(mesh)) > 1


def needs_east_west(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether the cluster has a gateway for sidecars and remotes: as the document says, else where there are several
    networks, or remotes or virtual machines that come to this cluster's istiod."""
    if mesh.istio.data_plane == "ambient" or not is_member(cluster):
        return False
    needed = several_networks(mesh) or bool(served_by(mesh, cluster) or machines_of(mesh, cluster))
    return needed if cluster.east_west.enabled is None else cluster.east_west.enabled


def needs_ambient_gateway(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether the cluster has a gateway for ambient: as the document says, else where there are several networks."""
    if mesh.istio.data_plane == "sidecar" or not is_member(cluster):
        return False
    enabled = cluster.east_west.enabled
    return several_networks(mesh) if enabled is None else enabled


def needs_cni(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether Istio's CNI plugin runs in the cluster: as the document says, else with ambient, and where the cluster or
    another one of the same istiod is on OpenShift.

    Whether sidecars come with an init container is decided by the istiod that injects them, for all that it serves.
    """
    if not is_member(cluster) or mesh.istio.cni is not None:
        return is_member(cluster) and bool(mesh.istio.cni)
    server = control_plane(mesh, cluster)
    group = (member for member in (server, *served_by(mesh, server)) if is_member(member))
    return mesh.istio.data_plane != "sidecar" or any(member.platform == "openshift" for member in group)


def address_type(cluster: ClusterSettings) -> AddressType:
    """What the address of the cluster's gateway is: as the document says, else the platform's habit."""
    return load_balancer(cluster.cloud or cluster.platform, cluster.east_west).address_type


def gateway_ports(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[int, ...]:
    """Where the cluster's gateways are called from outside."""
    sidecars = (names.MTLS_PORT, names.ISTIOD_PORT, names.WEBHOOK_PORT)
    if cluster.role == "external":
        return (names.STATUS_PORT, names.ISTIOD_PORT, names.WEBHOOK_PORT)
    plane = mesh.istio.data_plane
    ambient = (names.HBONE_PORT,) if plane != "sidecar" else ()
    return (names.STATUS_PORT, *(sidecars if plane != "ambient" else ()), *ambient)


def _cluster(mesh: MeshSettings, cluster: ClusterSettings, source: bool) -> ClusterPlan:
    istio = mesh.istio
    default = "create" if istio.install == "charts" else "patch"
    server = control_plane(mesh, cluster)
    east_west = needs_east_west(mesh, cluster)
    serves = bool(served_by(mesh, cluster))
    exposed = gateway_hosts(mesh, cluster)
    revision = istio.revision if cluster.east_west.revision is None else cluster.east_west.revision
    return ClusterPlan(
        settings=cluster,
        control_plane=server.name,
        creates_namespace=(cluster.namespace or default) == "create",
        controlled_by=_controlled_by(mesh, cluster, server),
        signs=runs_istiod(cluster),
        revisions=revisions(mesh, cluster.name),
        tags=tags(mesh, cluster) if is_member(cluster) else (),
        serves_remotes=serves,
        brings_shared=istio.tenancy != "guest",
        adopts_crds=_keeps_crds(mesh, cluster),
        cni=needs_cni(mesh, cluster),
        ambient=runs_ambient(mesh, cluster),
        east_west=east_west,
        ambient_gateway=_ambient_gateway(mesh, cluster),
        gateway_revision=revision,
        cross_mesh_gateway=needs_cross_mesh_gateway(mesh, cluster),
        exposes_services=(
            holds_config(cluster)
            and east_west
            and (several_networks(mesh) or bool(cluster.east_west.enabled))
            and bool(exposed)
        ),
        exposes_istiod=cluster.role == "primary" and (serves or bool(machines_of(mesh, cluster))),
        exposed_hosts=exposed,
        load_balancer=load_balancer(cluster.cloud or cluster.platform, cluster.east_west, gateway_ports(mesh, cluster)),
        source=source,
        applications=applications(mesh, cluster),
        traffic=mesh.traffic if holds_config(cluster) else (),
        waypoints=_waypoints(mesh, cluster, revision),
        ingress=ingresses(cluster, revision),
        egress=egress(cluster, revision),
        outside_namespaces=namespaces(mesh, cluster),
    )


def _waypoints(mesh: MeshSettings, cluster: ClusterSettings, revision: str) -> tuple[WaypointPlan, ...]:
    """A namespace of an application or a team says itself that it has a waypoint."""
    says = {settings.namespace for _, settings in stated(mesh)} | {n for team in mesh.teams for n in team.namespaces}
    return tuple(
        WaypointPlan(item, revision if item.revision is None else item.revision, patches=item.namespace not in says)
        for item in waypoints(mesh, cluster)
    )


def _keeps_crds(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    istio = mesh.istio
    gateway_api = istio.gateway_api is not None and cluster.gateway_api and is_member(cluster)
    return (
        istio.install == "charts"
        and istio.tenancy != "guest"
        and (gateway_api or (istio.crds == "objects" and istio.keep_crds))
    )


def _controlled_by(mesh: MeshSettings, cluster: ClusterSettings, server: ClusterSettings) -> str:
    """A remote names the cluster ID of the istiod that may write to it; an external istiod goes by the name of its
    config cluster, and writes there by other rights."""
    if cluster.role != "remote":
        return ""
    if server.role == "primary":
        return server.name
    return next((c.name for c in served_by(mesh, server) if c.role == "config"), "")


def _ambient_gateway(mesh: MeshSettings, cluster: ClusterSettings) -> str:
    # One name in every data plane: istiod calls the proxy's objects after the Gateway, and while a mesh moves from
    # sidecars to ambient it leaves those of a gateway of ours with the same name alone.
    return names.AMBIENT_GATEWAY if needs_ambient_gateway(mesh, cluster) else ""
