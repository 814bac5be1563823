"""What the parts of a mesh are called in Pulumi's state, where two resources of one type cannot have one name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mesh_components.topology import addon_names, addons
from mesh_components.topology.edges import Edge
from mesh_components.topology.gke import gke, vpcs
from mesh_components.topology.ibm import ibm
from mesh_components.topology.meshes import holds_config
from mesh_components.topology.names import numbered
from mesh_components.topology.peers import reader_user
from mesh_components.topology.plan import ClusterPlan, Topology
from mesh_components.topology.tenancy import has_policies, teams
from mesh_components.topology.tokens import serials, tokens
from mesh_components.topology.virtual_machines import machine_parts, namespace_parts
from mesh_components.topology.visibility import has_objects

ROOT = "mesh:index:RootCA"
KEY = f"{ROOT}$tls:index/privateKey:PrivateKey"
POOL = "mesh:index:GkeCluster$gcp:container/nodePool:NodePool"

APPLICATIONS = {"helloworld": "HelloWorld", "bookinfo": "Bookinfo"}
"""The component of each application."""


@dataclass(frozen=True)
class Resource:
    """One resource of a federation."""

    type: str
    """As in its URN below the federation: the types from there on, with `$` between."""
    name: str
    what: str
    """In words; equal words are the same resource."""
    cluster: str
    """Name of the cluster that gives it its name; empty for what is the mesh's."""


def resources(topology: Topology, name: str = "mesh", brought: frozenset[str] = frozenset()) -> tuple[Resource, ...]:
    """The components of a federation, as its builders call them; and the keys under the root, since the root's own is
    among those of the clusters. What else is inside of a component has the component's name in front of its own.

    Args:
        topology: the mesh, decided.
        name: of the federation.
        brought: names of clusters that the calling program attaches itself.
    """
    charts = topology.mesh.istio.install == "charts"
    found = [Resource(ROOT, f"{name}-trust", "the root", ""), Resource(KEY, f"{name}-trust-root-key", "its key", "")]
    for cluster in topology.clusters:
        parts = [(_kind(cluster), "", "the cluster")] if cluster.name not in brought else []
        parts += _everywhere(topology, cluster)
        parts += _other_meshes(topology, cluster)
        parts += _machines(topology, cluster)
        parts += _istio(topology, cluster) if charts else []
        parts += (
            (APPLICATIONS[item.name], f"-{item.name}", f"the application {item.name}") for item in cluster.applications
        )
        parts += _addons(topology, cluster)
        parts += [("TrafficRules", "-traffic", "how requests are led")] if cluster.traffic else []
        parts += (("Waypoint", item.suffix, f"the waypoint of {item.settings.namespace}") for item in cluster.waypoints)
        prefix = f"{name}-{cluster.name}"
        found += (
            Resource(f"mesh:index:{kind}", f"{prefix}{suffix}", f'{what} of "{cluster.name}"', cluster.name)
            for kind, suffix, what in parts
        )
        if cluster.signs and not _by_cert_manager(topology):
            key = f"{name}-trust-{cluster.name}-key"
            found.append(Resource(KEY, key, f'the key of "{cluster.name}"', cluster.name))
        found += _node_pools(cluster, prefix)
    for vpc in vpcs(topology.mesh):
        found.append(Resource("mesh:index:GkeNetwork", f"{name}-{vpc.network}-vpc", f"the VPC {vpc.network}", ""))
    found += _secrets(topology, name)
    return tuple(found)


def _kind(cluster: ClusterPlan) -> str:
    """The component of a cluster."""
    stated = cluster.settings
    if gke(stated):
        return "GkeCluster"
    if ibm(stated):
        return "IbmCluster"
    if stated.stack_reference:
        return "StackCluster"
    return "K3sCluster" if stated.k3s else "AttachedCluster"


def _node_pools(cluster: ClusterPlan, prefix: str) -> Iterator[Resource]:
    made = gke(cluster.settings)
    for pool in made.node_pools if made else ():
        what = f'the node pool {pool.name} of "{cluster.name}"'
        yield Resource(POOL, f"{prefix}-pool-{pool.name}", what, cluster.name)


Part = tuple[str, str, str]
"""Type, what follows the cluster's name, and what it is in words."""


def _everywhere(topology: Topology, cluster: ClusterPlan) -> Iterator[Part]:
    """Whoever installs Istio."""
    yield "RootNamespace", "-namespace", "the root namespace"
    if cluster.signs:
        yield _cacerts(topology), "-trust", "the signing certificate"
    if cluster.east_west:
        yield "EastWestGateway", "-eastwest", "the east-west gateway"
    if cluster.ambient_gateway:
        yield "AmbientGateway", "-ambient-gateway", "the ambient gateway"
    yield from _outside(cluster)
    if cluster.role == "external":
        yield "ExternalGateway", "-gateway", "the gateway in front of istiod"
        yield "ExposeExternalIstiod", "-expose", "the way through that gateway"
        if cluster.settings.east_west.credential is None:
            yield "ServerCertificate", "-certificate", "the certificate of that gateway"
    if cluster.settings.reads_with_token:
        yield from _read(topology, cluster)
    elif cluster.source and reader_user(cluster.settings):
        yield "ReaderAccount", "-reader-account", "the readers' rights"


def _outside(cluster: ClusterPlan) -> Iterator[Part]:
    """The ways between the mesh and the world outside."""
    for namespace in cluster.outside_namespaces:
        yield "RootNamespace", f"-{namespace}", f"the namespace {namespace}"
    for ingress in cluster.ingress:
        yield "IngressGateway", ingress.suffix, f"the ingress gateway {ingress.settings.name}"
    if cluster.egress:
        yield "EgressGateway", cluster.egress.suffix, "the way out"


def _read(topology: Topology, cluster: ClusterPlan) -> Iterator[Part]:
    """With which istiods authenticate here."""
    if cluster.source:
        planned = tokens(topology.mesh, cluster.name)
        if planned.own:
            yield "ReaderAccount", "-reader-account", "the readers' account"
        for serial in planned.serials:
            kind = "RequestedToken" if planned.requested else "ReaderToken"
            yield kind, numbered(planned.suffix, serial), numbered("the readers' token", serial)
    if any(edge.config for edge in topology.edges if edge.source == cluster.name):
        yield "ReaderToken", "-istiod-token", "the external istiod's token"


def _other_meshes(topology: Topology, cluster: ClusterPlan) -> Iterator[Part]:
    """Where this mesh trusts others, or others come in."""
    if holds_config(cluster.settings) and topology.mesh.meshes:
        yield "MeshTrust", "-meshes", "the trust in other meshes"
    if cluster.cross_mesh_gateway and topology.mesh.exports:
        yield "CrossMeshGateway", "-crossmesh", "the gateway for other meshes"
    for team in teams(topology.mesh, cluster.settings):
        yield "Team", f"-team-{team.name}", f"the team {team.name}"
    if has_policies(topology.mesh, cluster.settings):
        yield "MeshPolicies", "-policies", "who may call what"
    if has_objects(topology.mesh, cluster.settings):
        yield "Visibility", "-visibility", "who sees what"


def _machines(topology: Topology, cluster: ClusterPlan) -> Iterator[Part]:
    """Virtual machines."""
    for home in namespace_parts(topology.mesh, cluster.settings):
        yield "MachineNamespace", f"-machines-{home.name}", f"the machines' namespace {home.name}"
    for part in machine_parts(topology.mesh, cluster.settings):
        yield "VirtualMachine", f"-machine-{part.machine.name}", f"the machines {part.machine.name}"


def _addons(topology: Topology, cluster: ClusterPlan) -> Iterator[Part]:
    """Add-ons, and what is in other clusters for their sake."""
    mesh, stated = topology.mesh, cluster.settings
    if addons.makes_namespace(mesh, stated):
        where = addons.namespace(mesh)
        yield "RootNamespace", f"-{where}", f"the namespace {where}"
    for item in addons.stand_ins(mesh, stated):
        yield "ServiceElsewhere", f"-elsewhere-{item.name}", f"the Service of {item.name}, which is elsewhere"
    if addons.collects(mesh, stated):
        yield "Prometheus", "-prometheus", "its Prometheus"
    if addons.has_telemetry(mesh, stated):
        yield "MeshTelemetry", "-telemetry", "what makes proxies send"
    if addons.read_by_kiali(mesh, stated):
        yield "KialiReader", "-kiali-reader", "Kiali's account"
        kind = "RequestedToken" if addons.kiali_tokens(mesh).kind == "requested" else "ReaderToken"
        for serial in serials(addons.kiali_tokens(mesh), stated.name):
            yield kind, numbered("-kiali-token", serial), numbered("Kiali's token", serial)
        yield "KialiRemoteSecret", "-kiali-secret", "what Kiali reads it with"
    if addons.is_home(mesh, stated):
        yield from (_ADDONS[part] for part in addons.parts(mesh))


_ADDONS: Mapping[str, Part] = {
    addon_names.PROMETHEUS: ("Prometheus", "-prometheus-of-mesh", "the Prometheus of the mesh"),
    addon_names.GRAFANA: ("Grafana", "-grafana", "Grafana"),
    addon_names.JAEGER: ("Jaeger", "-jaeger", "Jaeger"),
    addon_names.KIALI: ("Kiali", "-kiali", "Kiali"),
    addon_names.LOKI: ("Loki", "-loki", "Loki"),
    addon_names.LOG_COLLECTOR: ("LogCollector", "-access-logs", "the collector of access logs"),
}


def _by_cert_manager(topology: Topology) -> bool:
    source = topology.mesh.trust.source
    return source is not None and source.cert_manager is not None


def _cacerts(topology: Topology) -> str:
    return "CertManagerCaCerts" if _by_cert_manager(topology) else "CaCerts"


def _istio(topology: Topology, cluster: ClusterPlan) -> Iterator[Part]:
    """What comes of Istio's charts."""
    yield "IstioBase", "-base", "the base"
    if cluster.role in ("primary", "config") and cluster.brings_shared:
        yield "DefaultValidator", "-validator", "the default validator"
    if cluster.role == "external":
        yield "RootNamespace", "-gateway-namespace", "the namespace of the gateway's Istio"
        yield _cacerts(topology), "-gateway-trust", "the signing certificate of the gateway's Istio"
        yield "Istiod", "-gateway-istiod", "the gateway's istiod"
    kind = {"primary": "Istiod", "external": "ExternalIstiod"}.get(cluster.role, "RemoteIstiod")
    for revision in cluster.revisions:
        named = f"the revision {revision.name}" if revision.name else "the revision without a name"
        yield kind, f"-istiod-{revision.name}" if revision.name else "-istiod", named
    for tag, _ in cluster.tags:
        yield "RevisionTag", f"-tag-{tag}", f"the tag {tag}"
    if cluster.cni and cluster.brings_shared:
        yield "Cni", "-cni", "the CNI plugin"
    if cluster.ambient:
        yield "Ztunnel", "-ztunnel", "ztunnel"


def _secrets(topology: Topology, name: str) -> Iterator[Resource]:
    """With which istiods read clusters."""
    how = topology.mesh.discovery.secrets
    for edge in topology.edges:
        if edge.config:
            yield _pair("ConfigSecret", name, edge)
        elif how == "separate":
            yield _pair("RemoteSecret", name, edge)
    if how == "bundled":
        for reader in dict.fromkeys(edge.reader for edge in topology.edges if not edge.config):
            what = f'what "{reader}" reads'
            yield Resource("mesh:index:RemoteSecretBundle", f"{name}-{reader}-sources", what, reader)


def _pair(kind: str, name: str, edge: Edge) -> Resource:
    return Resource(f"mesh:index:{kind}", f"{name}-{edge.source}-to-{edge.reader}", f"the pair {edge}", edge.source)
