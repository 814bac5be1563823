"""A cluster on IBM Cloud that is made here, on VPC Gen 2. Owns the cluster, its worker pools, the administrator's
kubeconfig and the provider. Does not own the VPC, its subnets and their public gateways, nor anything in the cluster.

There is no provider of Pulumi for IBM Cloud but the bridge to Terraform's, so this one asks IBM's HTTP API itself.
"""

from __future__ import annotations

import hashlib

import pulumi
from pydantic import Field

from mesh_components.clusters.attached import server
from mesh_components.clusters.cluster import Cluster, ClusterArgs
from mesh_components.clusters.ibm_admin import IbmKubeconfig
from mesh_components.clusters.ibm_vpc import IbmVpcCluster
from mesh_components.component import MaybeOutput
from mesh_components.settings.ibm import IbmSettings
from mesh_components.settings.location import LocalitySettings, Platform
from mesh_components.topology.ibm import region


class IbmClusterArgs(ClusterArgs):
    """What is made, and where."""

    settings: IbmSettings
    api_key: MaybeOutput[str] = Field(repr=False)
    """With which IBM Cloud is asked, in place of the one that `settings` names; treated as secret."""
    pod_range: str | None = None
    """CIDR; left out, IBM chooses."""
    service_range: str | None = None
    """CIDR; left out, IBM chooses."""
    platform: Platform = "ibm"


class IbmCluster(Cluster):
    """Whatever runs in it comes after its nodes (`ready`) and goes with it (`deleted_with`): `inside()` says both."""

    def __init__(self, name: str, args: IbmClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        settings = args.settings
        ibm_name = settings.name or args.cluster_name or name
        super().__init__("mesh:index:IbmCluster", name, {"vpc": settings.vpc, "name": ibm_name}, opts)
        self._describe(name, args)
        self.locality = args.locality or LocalitySettings(region=region(settings))
        access = {
            "apiKey": pulumi.Output.secret(args.api_key),
            "iam": settings.iam_endpoint,
            "containers": settings.containers_endpoint,
            "resourceGroup": settings.resource_group,
        }
        kept = pulumi.ResourceOptions(parent=self, protect=settings.deletion_protection)
        cluster = IbmVpcCluster(f"{name}-cluster", {**access, **_described(name, ibm_name, args)}, kept)
        way = {"cluster": cluster.id, "endpoint": "public" if settings.public_endpoint else "private"}
        admin = pulumi.ResourceOptions(parent=self, deleted_with=cluster)
        fetched = IbmKubeconfig(f"{name}-kubeconfig", {**access, **way}, admin)
        kubeconfig: pulumi.Output[str] = pulumi.Output.secret(fetched.kubeconfig)
        self.ready, self.deleted_with = (cluster,), cluster
        self._connect(name, args, kubeconfig, f"ibm/{settings.vpc}/{ibm_name}")
        own = server(kubeconfig, None)
        self.api_server = pulumi.Output.from_input(args.api_server) if args.api_server else own
        self.register_outputs({"clusterName": self.cluster_name, "apiServer": self.api_server})


def _described(name: str, ibm_name: str, args: IbmClusterArgs) -> dict[str, object]:
    """The cluster as `ibm_vpc` has it: plain, so that a preview shows all of it."""
    settings = args.settings
    return {
        "name": ibm_name,
        "owner": _owner(pulumi.get_project(), pulumi.get_stack(), name),
        "vpc": settings.vpc,
        "zones": [{"name": zone.name, "subnet": zone.subnet} for zone in settings.zones],
        "version": settings.version,
        "podSubnet": args.pod_range,
        "serviceSubnet": args.service_range,
        "publicEndpoint": settings.public_endpoint,
        "outboundTrafficProtection": settings.outbound_traffic_protection,
        "workerPools": [
            {"name": pool.name, "flavor": pool.flavor, "workers": pool.workers, "labels": dict(pool.labels)}
            for pool in settings.worker_pools
        ],
    }


def _owner(*names: str) -> str:
    """Which resource of which stack, short enough for the value of a label."""
    return hashlib.sha256("\0".join(names).encode()).hexdigest()[:32]
