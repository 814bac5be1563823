"""MeshFederation: the rooms put together, and nothing else. What there is to build was decided in `topology`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pydantic import Field

from mesh_components.clusters.attached import AttachedCluster, AttachedClusterArgs
from mesh_components.clusters.cluster import Cluster
from mesh_components.clusters.namespace import RootNamespace, RootNamespaceArgs
from mesh_components.component import ComponentArgs
from mesh_components.control_plane import charts
from mesh_components.control_plane.istiod import Istiod, IstiodArgs
from mesh_components.discovery.kubeconfig import only_context
from mesh_components.discovery.reader import ReaderToken, ReaderTokenArgs
from mesh_components.discovery.remote_secret import RemoteSecret, RemoteSecretArgs
from mesh_components.gateways.east_west import EastWestGateway, EastWestGatewayArgs
from mesh_components.settings import FindingsError, MeshSettings
from mesh_components.settings.kubeconfig import Kubeconfig
from mesh_components.topology import ClusterPlan, Edge, Topology, plan
from mesh_components.topology.findings import check
from mesh_components.topology.rules import Kubeconfigs
from mesh_components.trust.cacerts import CaCerts, CaCertsArgs
from mesh_components.trust.root_ca import RootCA, RootCAArgs

_HANDED = "hand its kubeconfig over in `kubeconfigs`, or the cluster itself in `clusters`"


class MeshFederationArgs(ComponentArgs):
    """The document, and what it names."""

    mesh: MeshSettings
    kubeconfigs: Kubeconfigs = Field(default_factory=dict, repr=False)
    """By position in the document's clusters; for those that `clusters` does not bring."""
    peer_kubeconfigs: Kubeconfigs = Field(default_factory=dict, repr=False)
    """By position; where the document names one to hand to the peers."""
    clusters: Mapping[str, Cluster] = Field(default_factory=dict)
    """Clusters of the calling program, by name; the others are attached by their kubeconfig."""


@dataclass(frozen=True)
class Member:
    """One cluster with what was built in it."""

    plan: ClusterPlan
    cluster: Cluster
    ready: tuple[pulumi.Resource, ...]
    """What gateways and credentials come after."""
    gateway: EastWestGateway | None
    token: ReaderToken | None


class MeshFederation(pulumi.ComponentResource):
    """A whole mesh from one document."""

    gateways: pulumi.Output[dict[str, Any]]
    """Address of the east-west gateway by cluster; None where there is none."""
    root_fingerprint: pulumi.Output[str]
    """SHA-256 of the root's certificate, hexadecimal."""
    expires: pulumi.Output[dict[str, Any]]
    """When certificates end, RFC 3339: `root`, and `clusters` by name."""
    edges: list[str]
    """`source -> reader`, sorted."""
    members: dict[str, Member]
    """By cluster."""
    root_ca: RootCA

    def __init__(self, name: str, args: MeshFederationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _checked(args)
        topology = plan(args.mesh)
        super().__init__("mesh:index:MeshFederation", name, {"mesh": args.mesh.id}, opts)
        self.root_ca = self._root_ca(name, topology)
        renderer = charts.renderer(f"{name}-charts", self) if args.mesh.istio.install == "charts" else None
        self.members = {item.name: self._member(name, args, item, renderer) for item in topology.clusters}
        for edge in topology.edges:
            self._edge(name, args, edge)
        self.edges = [str(edge) for edge in topology.edges]
        self.root_fingerprint = self.root_ca.fingerprint
        bundles = self.root_ca.bundles
        self.gateways = pulumi.Output.from_input(
            {cluster: member.gateway.address if member.gateway else None for cluster, member in self.members.items()}
        )
        self.expires = pulumi.Output.from_input(
            {"root": self.root_ca.expires, "clusters": {cluster: bundles[cluster].expires for cluster in bundles}}
        )
        self.register_outputs(self.outputs())

    def outputs(self) -> dict[str, Any]:
        """What a stack exports: nothing of it is secret."""
        return {
            "gateways": self.gateways,
            "rootFingerprint": self.root_fingerprint,
            "expires": self.expires,
            "edges": self.edges,
        }

    def _root_ca(self, name: str, topology: Topology) -> RootCA:
        mesh, trust = topology.mesh, topology.mesh.trust
        args = RootCAArgs(
            clusters=tuple(item.name for item in topology.clusters),
            organization=trust.organization or mesh.id,
            algorithm=trust.algorithm,
            root_validity_days=trust.root_validity_days,
            intermediate_validity_days=trust.intermediate_validity_days,
            namespace=mesh.istio.namespace,
            protect=trust.protect_root,
        )
        return RootCA(f"{name}-trust", args, pulumi.ResourceOptions(parent=self))

    def _member(
        self, name: str, args: MeshFederationArgs, item: ClusterPlan, renderer: pulumi.ProviderResource | None
    ) -> Member:
        prefix, istio = f"{name}-{item.name}", args.mesh.istio
        cluster = args.clusters.get(item.name) or self._attached(prefix, args, item)
        inside = pulumi.ResourceOptions(parent=self, providers=[cluster.provider])
        namespace = RootNamespace(
            f"{prefix}-namespace",
            RootNamespaceArgs(network=item.settings.network, namespace=istio.namespace, create=item.creates_namespace),
            inside,
        )
        cacerts = CaCerts(
            f"{prefix}-trust",
            CaCertsArgs(bundle=self.root_ca.bundles[item.name], namespace=istio.namespace),
            _after(inside, namespace),
        )
        ready: tuple[pulumi.Resource, ...] = (namespace,)
        if renderer is not None:
            made = Istiod(f"{prefix}-istiod", self._istiod(args, item, renderer), _after(inside, namespace, cacerts))
            ready = (namespace, made)
        return Member(
            plan=item,
            cluster=cluster,
            ready=ready,
            gateway=self._gateway(prefix, args, item, _after(inside, *ready)),
            token=self._token(prefix, args, item, _after(inside, *ready)),
        )

    def _attached(self, prefix: str, args: MeshFederationArgs, item: ClusterPlan) -> AttachedCluster:
        kubeconfig = _of(args, args.kubeconfigs, item.name)
        if kubeconfig is None:
            raise pulumi.RunError(f'nothing says how to reach the cluster "{item.name}": {_HANDED}')
        attached = AttachedClusterArgs(
            kubeconfig=kubeconfig.contents,
            context=kubeconfig.context,
            api_server=item.settings.api_server.address,
            cluster_name=item.name,
        )
        return AttachedCluster(prefix, attached, pulumi.ResourceOptions(parent=self))

    def _istiod(self, args: MeshFederationArgs, item: ClusterPlan, renderer: pulumi.ProviderResource) -> IstiodArgs:
        mesh, istio = args.mesh, args.mesh.istio
        return IstiodArgs(
            mesh_id=mesh.id,
            cluster_name=item.name,
            network=item.settings.network,
            root_cert_pem=self.root_ca.root_cert_pem,
            trust_domain=mesh.trust_domain,
            version=istio.version,
            revision=istio.revision,
            namespace=istio.namespace,
            platform=item.settings.platform,
            charts=istio.charts,
            crds=istio.crds,
            mesh_config=istio.mesh_config,
            values=istio.values,
            renderer=renderer,
        )

    def _gateway(
        self, prefix: str, args: MeshFederationArgs, item: ClusterPlan, opts: pulumi.ResourceOptions
    ) -> EastWestGateway | None:
        if not item.east_west:
            return None
        chosen = item.settings.east_west
        gateway = EastWestGatewayArgs(
            network=item.settings.network,
            namespace=args.mesh.istio.namespace,
            revision=item.gateway_revision,
            **chosen.model_dump(include=set(EastWestGatewayArgs.model_fields) - {"revision"}),
        )
        return EastWestGateway(f"{prefix}-eastwest", gateway, opts)

    def _token(
        self, prefix: str, args: MeshFederationArgs, item: ClusterPlan, opts: pulumi.ResourceOptions
    ) -> ReaderToken | None:
        if not item.source or item.settings.peer_kubeconfig is not None:
            return None
        return ReaderToken(f"{prefix}-reader", ReaderTokenArgs(namespace=args.mesh.istio.namespace), opts)

    def _edge(self, name: str, args: MeshFederationArgs, edge: Edge) -> None:
        source, reader = self.members[edge.source], self.members[edge.reader]
        ready_made = _of(args, args.peer_kubeconfigs, edge.source)
        RemoteSecret(
            f"{name}-{edge.source}-to-{edge.reader}",
            RemoteSecretArgs(
                source_name=edge.source,
                source=source.cluster,
                reader=reader.cluster,
                token=source.token,
                kubeconfig=only_context(ready_made.contents, ready_made.context) if ready_made else None,
                api_server=source.plan.settings.api_server.address,
                tls_server_name=source.plan.settings.api_server.tls_server_name,
                namespace=args.mesh.istio.namespace,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=list(reader.ready)),
        )


def _checked(args: MeshFederationArgs) -> None:
    """Say all findings before the first resource; stop at an error."""
    try:
        warnings = check(
            args.mesh,
            args.kubeconfigs,
            args.peer_kubeconfigs,
            holds_chart=lambda folder, chart: (Path(folder).expanduser() / chart / "Chart.yaml").is_file(),
            brought=frozenset(args.clusters),
        )
    except FindingsError as error:
        raise pulumi.RunError(str(error)) from None
    for warning in warnings:
        pulumi.log.warn(str(warning))


def _of(args: MeshFederationArgs, kubeconfigs: Kubeconfigs, name: str) -> Kubeconfig | None:
    """The kubeconfig of the cluster of that name; None where there is none, or none that can be read."""
    position = [cluster.name for cluster in args.mesh.clusters].index(name)
    found = kubeconfigs.get(position)
    return found if isinstance(found, Kubeconfig) else None


def _after(opts: pulumi.ResourceOptions, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(resources)))
