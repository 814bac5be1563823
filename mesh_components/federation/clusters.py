"""The clusters of a federation, each by the component of its kind: attached, made here, or taken from another stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from mesh_components.clusters.attached import AttachedCluster, AttachedClusterArgs
from mesh_components.clusters.cluster import Cluster
from mesh_components.clusters.ibm import IbmCluster, IbmClusterArgs
from mesh_components.clusters.k3s import K3sCluster, K3sClusterArgs
from mesh_components.clusters.stack import StackCluster, StackClusterArgs
from mesh_components.federation.args import MeshFederationArgs
from mesh_components.settings import MeshSettings
from mesh_components.settings.gke import GkeSettings
from mesh_components.settings.ibm import IbmSettings
from mesh_components.topology import material
from mesh_components.topology.addresses import addresses
from mesh_components.topology.edges import readers
from mesh_components.topology.gke import Vpc, gke, region, vpcs
from mesh_components.topology.ibm import api_key_place, ibm
from mesh_components.topology.plan import ClusterPlan

if TYPE_CHECKING:
    from mesh_components.clusters.gke_network import GkeNetwork

Networks = Mapping[str, "GkeNetwork"]

_HANDED = "hand its kubeconfig over in `kubeconfigs`, or the cluster itself in `clusters`"


def networks(name: str, mesh: MeshSettings, parent: pulumi.Resource) -> Networks:
    """A VPC for each network of the mesh with clusters on GKE that are made here."""
    return {vpc.network: _network(f"{name}-{vpc.network}-vpc", vpc, parent) for vpc in vpcs(mesh)}


def cluster_of(
    args: MeshFederationArgs, networks: Networks, prefix: str, item: ClusterPlan, parent: pulumi.Resource
) -> Cluster:
    """The cluster, by what the document says of it."""
    opts = pulumi.ResourceOptions(parent=parent)
    made_here, reference = gke(item.settings), item.settings.stack_reference
    if made_here is not None:
        return _gke(args.mesh, networks, prefix, item, made_here, opts)
    on_ibm = ibm(item.settings)
    if on_ibm is not None:
        return _ibm(args, prefix, item, on_ibm, opts)
    if reference is not None:
        taken = StackClusterArgs(
            stack=reference.stack, output=reference.output, exported_as=reference.cluster, **_described(item)
        )
        return StackCluster(prefix, taken, opts)
    return _attached(args, prefix, item, opts)


def _attached(args: MeshFederationArgs, prefix: str, item: ClusterPlan, opts: pulumi.ResourceOptions) -> Cluster:
    access = {**_access(args, item.name), **_described(item)}
    if item.settings.k3s is not None:
        return K3sCluster(prefix, K3sClusterArgs(server=item.settings.k3s.server, **access), opts)
    return AttachedCluster(prefix, AttachedClusterArgs(**access), opts)


def _access(args: MeshFederationArgs, name: str) -> dict[str, Any]:
    if name in args.kubeconfig_outputs:
        return {"kubeconfig": args.kubeconfig_outputs[name]}
    kubeconfig = args.kubeconfig(name)
    if kubeconfig is None:
        raise pulumi.RunError(f'nothing says how to reach the cluster "{name}": {_HANDED}')
    return {"kubeconfig": kubeconfig.contents, "context": kubeconfig.context}


def _gke(
    mesh: MeshSettings,
    networks: Networks,
    prefix: str,
    item: ClusterPlan,
    wanted: GkeSettings,
    opts: pulumi.ResourceOptions,
) -> Cluster:
    from mesh_components.clusters.gke import GkeCluster, GkeClusterArgs

    args = GkeClusterArgs(
        settings=wanted,
        ranges=addresses(mesh, item.settings),
        gke_network=networks[item.settings.network],
        labels={"mesh": mesh.id, "cluster": item.name},
        authorized=_peers(mesh, networks, item),
        **_described(item),
    )
    return GkeCluster(prefix, args, opts)


def _ibm(
    args: MeshFederationArgs, prefix: str, item: ClusterPlan, wanted: IbmSettings, opts: pulumi.ResourceOptions
) -> Cluster:
    place = api_key_place([cluster.name for cluster in args.mesh.clusters].index(item.name))
    key = material.text(args.texts, place)
    if key is None:
        raise pulumi.RunError(f"nothing says the API key that {place} names: hand it over in `texts`")
    stated = item.settings
    made = IbmClusterArgs(
        settings=wanted,
        api_key=key,
        pod_range=next(iter(stated.pod_ranges), None),
        service_range=next(iter(stated.service_ranges), None),
        **_described(item),
    )
    return IbmCluster(prefix, made, opts)


def _described(item: ClusterPlan) -> dict[str, Any]:
    stated = item.settings
    return {
        "cluster_name": item.name,
        "network": stated.network,
        "locality": stated.locality,
        "platform": stated.platform,
        "cloud": stated.cloud,
        "api_server": stated.api_server.address,
        "api_server_for": dict(stated.api_server.address_for),
        "adopts": item.adopts_crds,
        "takes_over": item.settings.adopt,
        "gateway": stated.east_west,
        "gateway_ports": item.load_balancer.ports if item.east_west or item.ambient_gateway else (),
    }


def _peers(mesh: MeshSettings, networks: Networks, item: ClusterPlan) -> dict[str, pulumi.Output[str]]:
    """Where the istiods come from that read this cluster, as far as this program knows: by the NATs that it makes."""
    from mesh_components.clusters.gke_objects import address_range

    found: dict[str, pulumi.Output[str]] = {}
    for reader in readers(mesh, item.settings):
        settings = gke(reader)
        addresses_there = networks[reader.network].nat_addresses if settings else {}
        there = addresses_there.get(region(settings.location)) if settings else None
        if there is not None:
            found[reader.name] = address_range(there)
    return found


def _network(name: str, vpc: Vpc, parent: pulumi.Resource) -> GkeNetwork:
    try:
        from mesh_components.clusters.gke_network import GkeNetwork, GkeNetworkArgs
    except ImportError as error:
        raise pulumi.RunError(
            f"clusters on GKE need the package pulumi_gcp ({error}); install `mesh-components[gcp]`, or the pinned "
            "packages of requirements-gcp.txt"
        ) from None
    args = GkeNetworkArgs(
        project=vpc.project,
        network_name=vpc.network,
        existing=vpc.existing,
        regions=vpc.regions,
        pods=dict(vpc.pod_ranges),
    )
    return GkeNetwork(name, args, pulumi.ResourceOptions(parent=parent))
