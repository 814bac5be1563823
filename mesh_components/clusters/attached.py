"""A cluster that exists already and is reached by a kubeconfig. Owns the provider, and nothing in the cluster."""

from __future__ import annotations

import pulumi
from pydantic import Field

from mesh_components.clusters.cluster import Cluster, ClusterArgs
from mesh_components.component import MaybeOutput
from mesh_components.settings.kubeconfig import KubeconfigError, read


class AttachedClusterArgs(ClusterArgs):
    """How to reach the cluster, and what the mesh calls it. `platform` brings what it wants of the gateway's Service:
    see `topology.load_balancers`."""

    kubeconfig: MaybeOutput[str] = Field(repr=False)
    """Contents of a kubeconfig; treated as secret."""
    context: str | None = None
    """Context in it; the current one when left out."""
    identifier: str | None = None
    """What makes it this cluster and no other, for as long as it lives; `attached/<name>` when left out."""


class AttachedCluster(Cluster):
    """A provider whose `cluster_identifier` stays when the kubeconfig changes."""

    def __init__(self, name: str, args: AttachedClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        cluster_name = args.cluster_name or name
        if isinstance(args.kubeconfig, str):
            checked(args.kubeconfig, args.context, "AttachedCluster")
        super().__init__("mesh:index:AttachedCluster", name, {"clusterName": cluster_name}, opts)
        self._describe(name, args)
        kubeconfig = pulumi.Output.secret(args.kubeconfig).apply(
            lambda contents: checked(contents, args.context, "AttachedCluster")
        )
        self._connect(name, args, kubeconfig, args.identifier or f"attached/{cluster_name}", args.context)
        self.api_server = pulumi.Output.from_input(args.api_server or server(kubeconfig, args.context))
        self.register_outputs({"clusterName": self.cluster_name, "apiServer": self.api_server})


def checked(contents: str, context: str | None, who: str) -> str:
    """The kubeconfig, if it is one: with an empty one, a provider would go to whatever cluster kubectl points at."""
    try:
        read(contents, context)
    except KubeconfigError as error:
        raise pulumi.RunError(f"{who}: {error}; give the contents of the cluster's kubeconfig") from None
    return contents


def server(kubeconfig: pulumi.Output[str], context: str | None) -> pulumi.Output[str]:
    """The server that a kubeconfig names. Of its contents, only this is for everyone to see."""
    return pulumi.Output.unsecret(kubeconfig.apply(lambda contents: read(contents, context).server))
