"""The component. Builds phase by phase, since an address made in one cluster is a value in the next."""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.control_plane import charts
from mesh_components.federation import (
    addons,
    applications,
    clusters,
    credentials,
    doors,
    machines,
    others,
    outside,
    planes,
    services,
    traffic,
    trust,
    waypoints,
)
from mesh_components.federation.args import MeshFederationArgs, checked
from mesh_components.federation.member import Member, Site, member
from mesh_components.topology.plan import plan
from mesh_components.trust.root_ca import RootCA


class MeshFederation(pulumi.ComponentResource):
    """A whole mesh from one document."""

    gateways: pulumi.Output[dict[str, Any]]
    """Address of the gateway between networks by cluster; None where there is none. Of an external control plane's
    cluster: that of the gateway in front of istiod."""
    ambient_gateways: pulumi.Output[dict[str, Any]]
    """Address of the ambient gateway by cluster, for clusters that have one."""
    load_balancers: pulumi.Output[dict[str, Any]]
    """What the load balancers of these gateways have got, by cluster: a name that is stated in the document has to
    point there."""
    root_fingerprint: pulumi.Output[str]
    """SHA-256 of the root's certificate, hexadecimal."""
    expires: pulumi.Output[dict[str, Any]]
    """When certificates end, RFC 3339: `root`, that which signs, and `roots`, those that are trusted, by generation; by
    cluster the signing certificates, `clusters`, and those in front of external istiods, `servers`. Where
    tokens are requested, when they do: `tokens`, and `kialiTokens` of Kiali."""
    between_meshes: dict[str, Any]
    """Where there are other meshes: `publicFacts`, what this mesh says of itself to them, and `caCertificates`, their
    roots as the mesh config has them."""
    machines: dict[str, Any]
    """Where there are virtual machines: `rootCertificates`, the roots that they have to know (PEM)."""
    ingress: dict[str, Any]
    """Where there are ingress gateways: `ingress`, their addresses by cluster and name."""
    edges: list[str]
    """`source -> reader`, sorted."""
    members: dict[str, Member]
    """By cluster."""
    root_ca: RootCA

    def __init__(self, name: str, args: MeshFederationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        checked(args)
        topology = plan(args.mesh)
        super().__init__("mesh:index:MeshFederation", name, {"mesh": args.mesh.id}, opts)
        self.root_ca = trust.root_ca(name, args, topology, self)
        renderer = charts.renderer(f"{name}-charts", self) if args.mesh.istio.install == "charts" else None
        gate = trust.entered(name, args.mesh.trust, self)
        vpcs = clusters.networks(name, args.mesh, self)
        trusted = others.trusted(args, self.root_ca)
        site = Site(name, args, topology, self.root_ca, gate, renderer, self, vpcs, trusted)
        self.members = {item.name: member(site, item) for item in topology.clusters}
        self._build(site)
        trust.reached(site, self.members.values())
        self.edges = [str(edge) for edge in topology.edges]
        self.root_fingerprint = self.root_ca.fingerprint
        self.gateways = pulumi.Output.from_input({key: _address(made) for key, made in self.members.items()})
        own = {key: made.gateway or made.external_gateway for key, made in self.members.items()}
        self.load_balancers = pulumi.Output.from_input(
            {key: door.load_balancer for key, door in own.items() if door is not None}
        )
        self.ambient_gateways = pulumi.Output.from_input(
            {key: made.ambient_gateway.address for key, made in self.members.items() if made.ambient_gateway}
        )
        ends = trust.expires(self.root_ca, self.members)
        trust.warn(pulumi.Output.from_input(ends), args.mesh.trust)
        self.expires = pulumi.Output.from_input({**ends, **credentials.expires(self.members)})
        self.between_meshes = others.outputs(site, self.members)
        self.machines = machines.outputs(site)
        self.ingress = outside.addresses(self.members)
        self.register_outputs(self.outputs())

    def outputs(self) -> dict[str, Any]:
        """What a stack exports: nothing of it is secret."""
        return {
            "gateways": self.gateways,
            "loadBalancers": self.load_balancers,
            "ambientGateways": self.ambient_gateways,
            "rootFingerprint": self.root_fingerprint,
            "expires": self.expires,
            "edges": self.edges,
            **self.between_meshes,
            **self.machines,
            **self.ingress,
        }

    def _build(self, site: Site) -> None:
        """istiods and the gateways that lead to them; then the clusters that are served through those; then the
        credentials with which istiods see all clusters; at last the gateways that wait until an istiod knows them."""
        serving = [made for made in self.members.values() if made.plan.signs]
        served = [made for made in self.members.values() if not made.plan.signs]
        for made in serving:
            self._serving(site, made)
        for made in served:
            if site.renderer is not None:
                planes.served(site, made, self.members[made.plan.control_plane])
        exposed = {made.plan.name: self._external(site, made) for made in serving if made.plan.role == "external"}
        for made in self.members.values():
            credentials.token(site, made)
        credentials.remote_secrets(site, self.members, site.topology.edges)
        for made in served:
            behind = exposed.get(made.plan.control_plane) or self.members[made.plan.control_plane].gateway
            if site.renderer is not None and made.plan.role == "config" and behind is not None:
                planes.default_validator(site, made, self.members[made.plan.control_plane], behind)
            doors.between_networks(site, made, *made.credentials, *([behind] if behind else []))
            others.between_meshes(site, made, *made.credentials, *([behind] if behind else []))
            machines.virtual_machines(site, made, *made.credentials, *([behind] if behind else []))
            outside.ways(site, made, *made.credentials, *([behind] if behind else []))
        for made in self.members.values():
            behind = exposed.get(made.plan.control_plane) or self.members[made.plan.control_plane].gateway
            teams = services.of_cluster(site, made, behind)
            deployed = applications.deploy(site, made, behind)
            waypoints.place(site, made, *([behind] if behind else []), owners={**teams, **deployed})
            traffic.lead(site, made, *([behind] if behind else []), applications=list(deployed.values()))
        addons.build(site, self.members)

    def _serving(self, site: Site, made: Member) -> None:
        if made.plan.role == "external":
            if site.renderer is not None:
                planes.gateway_istio(site, made)
            doors.before_external(site, made)
            return
        if site.renderer is not None:
            planes.primary(site, made)
        doors.between_networks(site, made)
        others.between_meshes(site, made)
        machines.virtual_machines(site, made)
        outside.ways(site, made)

    def _external(self, site: Site, made: Member) -> pulumi.Resource:
        config = next(
            item for item in self.members.values()
            if item.plan.role == "config" and item.plan.control_plane == made.plan.name
        )  # fmt: skip
        kubeconfig = credentials.config_secret(site, config, made)
        config.credentials.append(kubeconfig)
        if site.renderer is not None:
            planes.external(site, made, config, kubeconfig)
        return doors.to_external(site, made, planes.way_in(made))


def _address(made: Member) -> Any:
    door = made.gateway or made.external_gateway or made.ambient_gateway
    return door.address if door else None
