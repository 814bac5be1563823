"""The control planes of a federation, cluster by cluster: what `topology` decided, handed to `control_plane`."""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.clusters.namespace import RootNamespace, RootNamespaceArgs
from mesh_components.control_plane.ambient import Cni, CniArgs, Ztunnel, ZtunnelArgs
from mesh_components.control_plane.base import IstioBase, IstioBaseArgs
from mesh_components.control_plane.external import ExternalIstiod, ExternalIstiodArgs
from mesh_components.control_plane.istiod import Istiod, IstiodArgs
from mesh_components.control_plane.remote import RemoteIstiod, RemoteIstiodArgs
from mesh_components.control_plane.tags import RevisionTag, RevisionTagArgs
from mesh_components.control_plane.validator import DefaultValidator, DefaultValidatorArgs
from mesh_components.federation import trust
from mesh_components.federation.member import Member, Site
from mesh_components.topology import addons, names, visibility
from mesh_components.topology.outside import mesh_config
from mesh_components.topology.revisions import Revision, default_version
from mesh_components.topology.tokens import mounted


def primary(site: Site, member: Member) -> None:
    """A cluster with an istiod of its own."""
    base = _base(site, member)
    for revision in member.plan.revisions:
        made = Istiod(
            _named(f"{member.prefix}-istiod", revision),
            _istiod(site, member, revision),
            site.inside(member, member.namespace, member.cacerts, base),
        )
        member.planes.append(made)
    member.planes.append(base)
    _tags(site, member, None)
    _node_agents(site, member)
    if member.plan.brings_shared:
        default_validator(site, member, None)


def served(site: Site, member: Member, server: Member) -> None:
    """A remote or a config cluster: everything of Istio but istiod itself, which is in `server`."""
    base = _base(site, member)
    for revision in member.plan.revisions:
        made = RemoteIstiod(
            _named(f"{member.prefix}-istiod", revision),
            _remote(site, member, server, revision),
            site.inside(member, member.namespace, base),
        )
        member.planes.append(made)
    member.planes.append(base)
    _tags(site, member, server)
    _node_agents(site, member)


def gateway_istio(site: Site, member: Member) -> None:
    """The Istio in an external control plane's cluster that runs the gateway in front of it: a mesh of its own with
    nothing else in it. Its certificates hang on the same root, so that it can tell the istiod behind it from another.
    """
    istio = site.mesh.istio
    namespace = RootNamespace(
        f"{member.prefix}-gateway-namespace",
        RootNamespaceArgs(network=None, namespace=names.LOCAL_NAMESPACE, create=member.plan.creates_namespace),
        site.inside(member),
    )
    cacerts = trust.cacerts(site, member, f"{member.prefix}-gateway-trust", names.LOCAL_NAMESPACE, namespace)
    base = IstioBase(
        f"{member.prefix}-base",
        IstioBaseArgs(
            namespace=names.LOCAL_NAMESPACE,
            crds=istio.crds,
            keep_crds=istio.keep_crds,
            adopting=member.cluster.adopting,
            values=istio.values.base,
            version=istio.version,
            charts=istio.charts,
            renderer=site.renderer,
        ),
        site.inside(member, namespace),
    )
    istiod = Istiod(
        f"{member.prefix}-gateway-istiod",
        IstiodArgs(
            mesh_id=member.plan.name,
            cluster_name=member.plan.name,
            network=member.plan.settings.network,
            trust_domain=site.mesh.trust_domain,
            namespace=names.LOCAL_NAMESPACE,
            pilot=istio.pilot,
            network_policies=istio.network_policies,
            values=istio.values.istiod,
            # With the istiod behind it, not with the CRDs: those are upgraded alone, and first.
            version=default_version(site.mesh),
            platform=member.plan.settings.platform,
            root_cert_pem=site.root_ca.root_cert_pem,
            multi_root=site.mesh.trust.multi_root,
            charts=istio.charts,
            renderer=site.renderer,
        ),
        site.inside(member, namespace, cacerts, base),
    )
    member.planes += [namespace, cacerts, base, istiod]


def external(site: Site, member: Member, config: Member, kubeconfig: pulumi.Resource) -> None:
    """The istiod of other clusters, which reads its configuration from `config` by the Secret `kubeconfig`."""
    (revision,) = member.plan.revisions
    args = ExternalIstiodArgs(
        **_common(site, config, revision),
        address=way_in(member),
        address_type=member.plan.address_type,
        public_certificate=_public(member),
        pilot=site.mesh.istio.pilot,
        network_policies=site.mesh.istio.network_policies,
        mounted=mounted(site.mesh),
    )
    opts = site.inside(member, member.namespace, member.cacerts, *member.planes, kubeconfig)
    member.planes.append(ExternalIstiod(_named(f"{member.prefix}-istiod", revision), args, opts))


def way_in(server: Member) -> pulumi.Output[str]:
    """Address at which the clusters that `server` serves reach its istiod."""
    door = server.external_gateway or server.gateway
    if door is None:
        raise pulumi.RunError(f'no gateway leads to the istiod of "{server.plan.name}"; set its eastWest.enabled')
    return door.address.apply(lambda address: address or "")


def default_validator(site: Site, member: Member, server: Member | None, *after: pulumi.Resource) -> None:
    """What validates the Istio resources of a primary, or of a config cluster that `server` serves: last of its control
    planes, since nothing can be written while nobody answers it."""
    istio = site.mesh.istio
    args = DefaultValidatorArgs(
        revision=istio.revision,
        address=way_in(server) if server else None,
        address_type=server.plan.address_type if server else "ip",
        public_certificate=_public(server),
        namespace=istio.namespace,
        values=istio.values.base,
        version=istio.version,
        root_cert_pem=site.root_ca.root_cert_pem,
        charts=istio.charts,
        renderer=site.renderer,
    )
    opts = site.inside(member, *member.ready, *after)
    member.planes.append(DefaultValidator(f"{member.prefix}-validator", args, opts))


def _base(site: Site, member: Member) -> IstioBase:
    istio, shared = site.mesh.istio, member.plan.brings_shared
    args = IstioBaseArgs(
        namespace=istio.namespace,
        crds=istio.crds if shared else "none",
        keep_crds=istio.keep_crds,
        gateway_api=site.args.gateway_api if member.plan.settings.gateway_api and shared else (),
        adopting=member.cluster.adopting,
        values=istio.values.base,
        version=istio.version,
        charts=istio.charts,
        renderer=site.renderer,
    )
    return IstioBase(f"{member.prefix}-base", args, site.inside(member, member.namespace))


def _istiod(site: Site, member: Member, revision: Revision) -> IstiodArgs:
    plan, istio = member.plan, site.mesh.istio
    stated = plan.settings.east_west.address
    by_name = plan.exposes_istiod and plan.address_type == "hostname" and stated is not None
    return IstiodArgs(
        **_common(site, member, revision),
        serves_remotes=plan.serves_remotes,
        custom_hosts=(stated,) if by_name and stated else (),
        pilot=istio.pilot,
        network_policies=istio.network_policies,
        mounted=mounted(site.mesh),
    )


def _remote(site: Site, member: Member, server: Member, revision: Revision) -> RemoteIstiodArgs:
    return RemoteIstiodArgs(
        **_common(site, member, revision),
        address=way_in(server),
        address_type=server.plan.address_type,
        # The API server cannot turn port 443 of a host name into 15017, so there the webhook goes by URL.
        by_url=server.plan.role == "external" or server.plan.address_type == "hostname",
        external=server.plan.role == "external",
        config=member.plan.role == "config",
        public_certificate=_public(server),
    )


def _common(site: Site, member: Member, revision: Revision) -> dict[str, Any]:
    """What every control plane is told of the mesh and of its cluster."""
    mesh, istio, plan = site.mesh, site.mesh.istio, member.plan
    return {
        "mesh_id": mesh.id,
        "cluster_name": plan.name,
        "network": plan.settings.network,
        "root_cert_pem": site.root_ca.root_cert_pem,
        "trust_domain": mesh.trust_domain,
        "version": revision.version,
        "revision": revision.name,
        "revisions": tuple(item.name for item in plan.revisions),
        "namespace": istio.namespace,
        "platform": plan.settings.platform,
        "charts": istio.charts,
        "mesh_config": mesh_config(mesh),
        "extension_providers": addons.providers(mesh),
        "mesh_networks": istio.mesh_networks,
        "visibility": visibility.told(mesh),
        "data_plane": istio.data_plane,
        "multi_network": site.several_networks,
        "cni": plan.cni,
        "multi_root": mesh.trust.multi_root,
        "trusted": site.trusted,
        "values": istio.values.istiod,
        "renderer": site.renderer,
    }


def _tags(site: Site, member: Member, server: Member | None) -> None:
    by_name = {revision.name: revision for revision in member.plan.revisions}
    for tag, target in member.plan.tags:
        revision = by_name[target]
        of = _remote(site, member, server, revision) if server else _istiod(site, member, revision)
        args = RevisionTagArgs(tag=tag, of=of)
        opts = site.inside(member, member.namespace, *member.planes)
        member.planes.append(RevisionTag(f"{member.prefix}-tag-{tag}", args, opts))


def _node_agents(site: Site, member: Member) -> None:
    """The CNI plugin and ztunnel. They never run ahead of istiod, so they come in the default revision's version."""
    istio, plan = site.mesh.istio, member.plan
    shared: dict[str, Any] = {
        "version": default_version(site.mesh),
        "revision": istio.revision,
        "network_policies": istio.network_policies,
        "namespace": istio.namespace,
        "platform": plan.settings.platform,
        "charts": istio.charts,
        "renderer": site.renderer,
    }
    after = [member.namespace, *member.planes]
    if plan.cni and plan.brings_shared:
        cni = CniArgs(ambient=plan.ambient, values=istio.values.cni, **shared)
        member.planes.append(Cni(f"{member.prefix}-cni", cni, site.inside(member, *after)))
    if plan.ambient:
        ztunnel = ZtunnelArgs(
            cluster_name=plan.name,
            network=plan.settings.network,
            values=istio.values.ztunnel,
            **shared,
        )
        member.planes.append(Ztunnel(f"{member.prefix}-ztunnel", ztunnel, site.inside(member, *after)))


def _public(server: Member | None) -> bool:
    """Whether the gateway in front of the istiod has a certificate of a public authority, and none under our root."""
    return server is not None and server.plan.settings.east_west.credential is not None


def _named(name: str, revision: Revision) -> str:
    return f"{name}-{revision.name}" if revision.name else name
