"""A cluster that exists already and is reached by a kubeconfig. Owns the provider, and nothing in the cluster."""

from __future__ import annotations

from typing import Annotated

import pulumi
import pulumi_kubernetes as kubernetes
from pydantic import Field

from mesh_components.clusters.cluster import Cluster
from mesh_components.component import ComponentArgs, MaybeOutput
from mesh_components.settings.kubeconfig import KubeconfigError, only, read


class AttachedClusterArgs(ComponentArgs):
    """How to reach the cluster, and what the mesh calls it."""

    kubeconfig: MaybeOutput[str] = Field(repr=False)
    """Contents of a kubeconfig; treated as secret."""
    context: str | None = None
    """Context in it; the current one when left out."""
    api_server: MaybeOutput[str] | None = None
    """URL of the API server as the peers reach it; the kubeconfig's when left out."""
    cluster_name: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")] | None = None
    """Name in the mesh; the resource's name when left out."""
    identifier: str | None = None
    """What makes it this cluster and no other, for as long as it lives; `attached/<name>` when left out."""
    adopts: bool = False
    """There is a second provider, for objects that outlive this stack and may be there already (`adopting`). It writes
    by server-side apply and does not force: what somebody else has set otherwise is refused as before."""


class AttachedCluster(Cluster):
    """A provider with a plain `cluster_identifier`: without one, a changed kubeconfig would replace every object in the
    cluster (https://github.com/pulumi/pulumi-kubernetes/issues/4019)."""

    def __init__(self, name: str, args: AttachedClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        cluster_name = args.cluster_name or name
        if isinstance(args.kubeconfig, str):
            _checked(args.kubeconfig, args.context)
        super().__init__("mesh:index:AttachedCluster", name, {"clusterName": cluster_name}, opts)
        self.provider = _provider(f"{name}-kubernetes", args, cluster_name, self)
        if args.adopts:
            self.adopting = _provider(f"{name}-kubernetes-adopting", args, cluster_name, self, upsert=True)
        self.kubeconfig = pulumi.Output.secret(args.kubeconfig).apply(lambda contents: only(contents, args.context))
        self.cluster_name = pulumi.Output.from_input(cluster_name)
        self.api_server = pulumi.Output.from_input(args.api_server or _server(args))
        self.register_outputs({"clusterName": self.cluster_name, "apiServer": self.api_server})


def _provider(
    name: str, args: AttachedClusterArgs, cluster_name: str, parent: pulumi.Resource, *, upsert: bool | None = None
) -> kubernetes.Provider:
    return kubernetes.Provider(
        name,
        kubeconfig=pulumi.Output.secret(args.kubeconfig).apply(lambda contents: _checked(contents, args.context)),
        context=args.context,
        cluster_identifier=args.identifier or f"attached/{cluster_name}",
        # Secrets and ConfigMaps are updated in place: `cacerts` must not vanish for a moment.
        enable_secret_mutable=True,
        enable_config_map_mutable=True,
        upsert_existing_objects=upsert,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _checked(contents: str, context: str | None) -> str:
    """The kubeconfig, if it is one: with an empty one, a provider would go to whatever cluster kubectl points at."""
    try:
        read(contents, context)
    except KubeconfigError as error:
        raise pulumi.RunError(f"AttachedCluster: {error}; give the contents of the cluster's kubeconfig") from None
    return contents


def _server(args: AttachedClusterArgs) -> pulumi.Output[str]:
    server = pulumi.Output.secret(args.kubeconfig).apply(lambda contents: read(contents, args.context).server)
    # Of the kubeconfig, only the address of the server is for everyone to see.
    return pulumi.Output.unsecret(server)
