"""A GKE cluster that is made here: private, VPC-native, with Workload Identity. Owns its subnet, the cluster, its node
pools, the firewall rules for what the mesh needs, and the provider. Does not own the VPC (`GkeNetwork`), APIs of the
project that have to be enabled (compute, container), or anything in the cluster.

Of the clusters, only this module and `gke_network` import pulumi_gcp: 135 to 290 MB on disk, and seconds at import.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_gcp import compute, container
from pydantic import Field

from mesh_components.clusters import gke_objects
from mesh_components.clusters.cluster import Cluster, ClusterArgs
from mesh_components.clusters.gke_network import GkeNetwork, GkeNetworkArgs
from mesh_components.component import MaybeOutput
from mesh_components.settings.gke import GkeSettings
from mesh_components.settings.location import LocalitySettings, Platform
from mesh_components.topology.addresses import AddressPlan
from mesh_components.topology.gke import region


class GkeClusterArgs(ClusterArgs):
    """What is made, and where."""

    settings: GkeSettings
    ranges: AddressPlan
    gke_network: GkeNetwork | None = None
    """The VPC, shared with the other clusters of the mesh's network; left out, one is made for this cluster alone."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Of the cluster, for Google's bills."""
    authorized: dict[str, MaybeOutput[str]] = Field(default_factory=dict)
    """CIDRs by name that may come to the API server besides those in the settings, where those name any."""
    platform: Platform = "gke"


class GkeCluster(Cluster):
    """Whatever runs in it comes after its nodes (`ready`) and goes with it (`deleted_with`): `inside()` says both."""

    def __init__(self, name: str, args: GkeClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        gke_name = args.settings.name or args.cluster_name or name
        super().__init__("mesh:index:GkeCluster", name, {"project": args.settings.project, "name": gke_name}, opts)
        self._describe(name, args)
        self.locality = args.locality or LocalitySettings(region=region(args.settings.location))
        vpc = args.gke_network or self._own_network(name, gke_name, args)
        cluster = self._cluster(name, gke_name, args, vpc)
        pools = tuple(
            self._pool(name, gke_name, cluster, args, number) for number in range(len(args.settings.node_pools))
        )
        self.ready, self.deleted_with = (*pools, self._firewall(name, gke_name, args, vpc)), cluster
        identifier = f"gke/{args.settings.project}/{args.settings.location}/{gke_name}"
        self._connect(name, args, _kubeconfig(cluster, args.settings), identifier)
        public = pulumi.Output.concat("https://", cluster.endpoint)
        self.api_server = pulumi.Output.from_input(args.api_server) if args.api_server else public
        self.register_outputs({"clusterName": self.cluster_name, "apiServer": self.api_server})

    def _own_network(self, name: str, gke_name: str, args: GkeClusterArgs) -> GkeNetwork:
        wanted = GkeNetworkArgs(
            project=args.settings.project,
            network_name=gke_name,
            existing=args.settings.vpc.network,
            regions=(region(args.settings.location),),
        )
        return GkeNetwork(f"{name}-vpc", wanted, pulumi.ResourceOptions(parent=self))

    def _cluster(self, name: str, gke_name: str, args: GkeClusterArgs, vpc: GkeNetwork) -> Any:
        settings, child = args.settings, pulumi.ResourceOptions(parent=self)
        subnetwork: Any = settings.vpc.subnetwork
        if subnetwork is None:
            described = gke_objects.subnet(gke_name, settings, args.ranges, vpc.network)
            subnetwork = compute.Subnetwork(f"{name}-subnet", **described, opts=child).id
        wanted = gke_objects.cluster(
            gke_name, settings, args.ranges, vpc.network, subnetwork, args.labels, args.authorized
        )
        # The first nodes pull images from outside, so the way out is there before them.
        after = pulumi.ResourceOptions(parent=self, depends_on=[vpc])
        return container.Cluster(f"{name}-cluster", **wanted, opts=after)

    def _pool(self, name: str, tag: str, cluster: Any, args: GkeClusterArgs, number: int) -> Any:
        pool = args.settings.node_pools[number]
        # Google would replace the pool for a changed number that it looks at once only.
        opts = pulumi.ResourceOptions(parent=self, ignore_changes=["initialNodeCount"])
        described = gke_objects.node_pool(pool, args.settings, cluster.id, tag)
        return container.NodePool(f"{name}-pool-{pool.name}", **described, opts=opts)

    def _firewall(self, name: str, tag: str, args: GkeClusterArgs, vpc: GkeNetwork) -> pulumi.Resource:
        """The rules; that for the webhook, without which nothing is injected."""
        project, child = args.settings.project, pulumi.ResourceOptions(parent=self)
        webhook = gke_objects.webhook_firewall(f"{tag}-webhooks", project, vpc.network, args.ranges, tag)
        made: pulumi.Resource = compute.Firewall(f"{name}-webhooks", **webhook, opts=child)
        balancer = self.load_balancer
        if balancer.ports:
            described = gke_objects.east_west_firewall(
                f"{tag}-east-west", project, vpc.network, balancer.source_ranges, tag, balancer.ports
            )
            compute.Firewall(f"{name}-east-west", **described, opts=child)
        return made


def _kubeconfig(cluster: Any, settings: GkeSettings) -> pulumi.Output[str]:
    if settings.endpoint == "dns":
        host = cluster.control_plane_endpoints_config.apply(lambda found: found.dns_endpoint_config.endpoint)
        return pulumi.Output.secret(host.apply(lambda name: gke_objects.kubeconfig(f"https://{name}", None)))
    authority = cluster.master_auth.apply(lambda found: found.cluster_ca_certificate)
    return pulumi.Output.secret(
        pulumi.Output.all(cluster.endpoint, authority).apply(
            lambda known: gke_objects.kubeconfig(f"https://{known[0]}", known[1])
        )
    )
