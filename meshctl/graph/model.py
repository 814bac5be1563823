"""What a picture of a mesh shows: networks, clusters and their parts, and the links between them. Pure: no Pulumi.

All is taken from `topology.plan`; only who may call whom, and through which gateways, is worked out here, from the
edges of discovery: a workload calls what its istiod knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mesh_components.topology import names
from mesh_components.topology.plan import ClusterPlan, Topology, several_networks
from mesh_components.topology.revisions import Revision
from mesh_components.topology.roles import is_member
from mesh_components.topology.tokens import handed_out_elsewhere
from meshctl.graph import beside
from meshctl.graph.beside import Machines, OtherMesh

Plane = Literal["sidecar", "ambient"]
GatewayKind = Literal["east-west", "ambient", "external", "ingress", "egress", "cross-mesh"]
TITLES: Mapping[GatewayKind, str] = {
    "east-west": "east-west gateway",
    "ambient": "ambient gateway",
    "external": "ingress gateway",
    "ingress": "ingress gateway",
    "egress": "egress gateway",
    "cross-mesh": "cross-mesh gateway",
}
OUTSIDE: tuple[GatewayKind, ...] = ("ingress", "egress", "cross-mesh")
"""Those between the mesh and what is not of it."""
GATEWAY_OF: dict[Plane, GatewayKind] = {"sidecar": "east-west", "ambient": "ambient"}
"""The kind of gateway through which requests of a data plane come in from other networks."""
PORT_OF: dict[Plane, int] = {"sidecar": names.MTLS_PORT, "ambient": names.HBONE_PORT}


@dataclass(frozen=True)
class Gateway:
    """One way into a cluster."""

    kind: GatewayKind
    name: str
    """Of its Service."""
    ports: tuple[int, ...]
    """Those that are used, without the one for health checks."""
    namespace: str = ""
    """Where it is not the root namespace."""


@dataclass(frozen=True)
class Cluster:
    """One cluster and what is in it."""

    name: str
    network: str
    role: str
    platform: str
    locality: str
    control_plane: str
    """Name of the cluster whose istiod serves this one."""
    istiods: tuple[Revision, ...]
    """Those that run here; without a version where something else installs them."""
    tags: tuple[tuple[str, str], ...]
    planes: tuple[Plane, ...]
    """Data planes of its workloads; none in an external control plane's cluster."""
    cni: bool
    gateways: tuple[Gateway, ...]

    def gateway(self, kind: GatewayKind) -> Gateway | None:
        """The gateway of that kind, if it has one."""
        return next((gateway for gateway in self.gateways if gateway.kind == kind), None)


@dataclass(frozen=True)
class Network:
    """Clusters whose pods reach each other directly."""

    name: str
    clusters: tuple[Cluster, ...]


@dataclass(frozen=True)
class Discovery:
    """`reader`'s istiod reads `source`'s API server, with a kubeconfig that it holds in a Secret."""

    reader: str
    source: str
    secret: str
    """Name of the Secret in the reader's cluster; empty where kubeconfigs are mounted."""
    config: bool
    """True: of an external control plane, the cluster that holds its configuration."""


@dataclass(frozen=True)
class Control:
    """`cluster` is served by the istiod of `server`, which it reaches through a gateway there."""

    cluster: str
    server: str
    gateway: GatewayKind
    ports: tuple[int, ...]


@dataclass(frozen=True)
class Calls:
    """Workloads of `caller` call services of `target`."""

    caller: str
    target: str
    plane: Plane
    port: int
    """Of the gateway; 0 where pods are reached directly."""
    through: tuple[str, ...]
    """Clusters whose gateways lead there: all of the target's network. Empty where pods are reached directly."""


@dataclass(frozen=True)
class Graph:
    """The whole picture."""

    mesh: str
    trust_domain: str
    version: str
    """Of Istio; empty where something else installs it."""
    bundled: bool
    """True: a reader holds one Secret for all its sources."""
    mounted: bool
    """True: something else mounts a folder of kubeconfigs, and there are no Secrets."""
    outside: tuple[Cluster, ...]
    """Clusters of external control planes: no workload of the mesh runs there."""
    networks: tuple[Network, ...]
    signs: tuple[str, ...]
    """Clusters whose istiod signs with an intermediate of the mesh's root."""
    discovery: tuple[Discovery, ...]
    control: tuple[Control, ...]
    calls: tuple[Calls, ...]
    machines: tuple[Machines, ...] = ()
    meshes: tuple[OtherMesh, ...] = ()

    def clusters(self) -> tuple[Cluster, ...]:
        """All clusters in the order of the picture: external control planes first, then network by network."""
        return (*self.outside, *(cluster for network in self.networks for cluster in network.clusters))


def graph(topology: Topology) -> Graph:
    """What the picture of a mesh shows."""
    mesh = topology.mesh
    members = [plan for plan in topology.clusters if is_member(plan.settings)]
    made = {plan.name: _cluster(topology, plan) for plan in topology.clusters}
    networks = tuple(dict.fromkeys(plan.settings.network for plan in members))
    return Graph(
        mesh=mesh.id,
        trust_domain=mesh.trust_domain,
        version=mesh.istio.version if mesh.istio.install == "charts" else "",
        bundled=mesh.discovery.secrets == "bundled",
        mounted=handed_out_elsewhere(mesh),
        outside=tuple(cluster for name, cluster in made.items() if not is_member(topology.cluster(name).settings)),
        networks=tuple(
            Network(name, tuple(made[plan.name] for plan in members if plan.settings.network == name))
            for name in networks
        ),
        signs=tuple(plan.name for plan in topology.clusters if plan.signs),
        discovery=tuple(_discovery(topology)),
        control=tuple(_control(made)),
        calls=tuple(_calls(topology, made)),
        machines=tuple(beside.machines(topology)),
        meshes=tuple(beside.meshes(topology)),
    )


def _cluster(topology: Topology, plan: ClusterPlan) -> Cluster:
    settings = plan.settings
    place = settings.locality
    planes: tuple[Plane, ...] = ("ambient",) if topology.mesh.istio.data_plane == "ambient" else ("sidecar",)
    if topology.mesh.istio.data_plane == "mixed":
        planes = ("sidecar", "ambient")
    return Cluster(
        name=plan.name,
        network=settings.network,
        role=settings.role,
        platform=settings.platform,
        locality="" if place is None else "/".join(part for part in (place.region, place.zone) if part),
        control_plane=plan.control_plane,
        istiods=tuple(_known(topology, revision) for revision in plan.revisions) if plan.signs else (),
        tags=plan.tags,
        planes=planes if is_member(settings) else (),
        cni=plan.cni,
        gateways=tuple(_gateways(topology, plan)),
    )


def _known(topology: Topology, revision: Revision) -> Revision:
    """Without the version of what something else installs: the document does not decide it."""
    return revision if topology.mesh.istio.install == "charts" else Revision(revision.name, "")


def _gateways(topology: Topology, plan: ClusterPlan) -> Iterator[Gateway]:
    istiod = (names.ISTIOD_PORT, names.WEBHOOK_PORT)
    if plan.role == "external":
        yield Gateway("external", names.INGRESS_GATEWAY, istiod, names.LOCAL_NAMESPACE)
    several = several_networks(topology.mesh)
    if plan.east_west:
        ports = (*((names.MTLS_PORT,) if several else ()), *(istiod if plan.exposes_istiod else ()))
        yield Gateway("east-west", names.EAST_WEST_GATEWAY, ports)
    if plan.ambient_gateway:
        yield Gateway("ambient", plan.ambient_gateway, (names.HBONE_PORT,))
    for ingress in plan.ingress:
        stated = ingress.settings
        # istiod calls the Service of a Gateway after it and its class.
        service = f"{stated.name}-istio" if stated.api == "gateway-api" else stated.name
        yield Gateway(
            "ingress", service, tuple(filter(None, (stated.ports.http, stated.ports.https))), stated.namespace
        )
    if plan.egress and plan.egress.settings.gateway:
        yield Gateway("egress", plan.egress.settings.name, (), plan.egress.settings.namespace)
    if plan.cross_mesh_gateway:
        yield Gateway("cross-mesh", names.CROSS_MESH_GATEWAY, (names.MTLS_PORT,))


def _discovery(topology: Topology) -> Iterator[Discovery]:
    how = topology.mesh.discovery.secrets
    for edge in topology.edges:
        remote = {"bundled": names.BUNDLED_SECRET, "mounted": ""}.get(how, names.remote_secret(edge.source))
        yield Discovery(edge.reader, edge.source, names.CONFIG_SECRET if edge.config else remote, edge.config)


def _control(made: dict[str, Cluster]) -> Iterator[Control]:
    for cluster in made.values():
        server = made[cluster.control_plane]
        kind: GatewayKind = "external" if server.role == "external" else "east-west"
        if server is not cluster and server.gateway(kind):
            yield Control(cluster.name, server.name, kind, (names.ISTIOD_PORT, names.WEBHOOK_PORT))


def _calls(topology: Topology, made: dict[str, Cluster]) -> Iterator[Calls]:
    known = {(edge.reader, edge.source) for edge in topology.edges}
    for caller in made.values():
        for target in made.values():
            server = caller.control_plane
            if caller is target or (target.name != server and (server, target.name) not in known):
                continue
            yield from (calls for plane in caller.planes for calls in _way(made, caller, target, plane))


def _way(made: dict[str, Cluster], caller: Cluster, target: Cluster, plane: Plane) -> Iterator[Calls]:
    if plane not in target.planes:
        return
    if caller.network == target.network:
        yield Calls(caller.name, target.name, plane, 0, ())
        return
    kind = GATEWAY_OF[plane]
    through = tuple(c.name for c in made.values() if c.network == target.network and c.planes and c.gateway(kind))
    if through:
        yield Calls(caller.name, target.name, plane, PORT_OF[plane], through)
