"""What the mesh needs to know of a cluster, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pulumi
import pulumi_kubernetes as kubernetes
from pydantic import Field

from mesh_components.component import ComponentArgs, MaybeOutput
from mesh_components.settings.gateway import EastWestSettings
from mesh_components.settings.kubeconfig import only
from mesh_components.settings.location import Cloud, LocalitySettings, Platform
from mesh_components.topology.load_balancers import LoadBalancer, load_balancer

ClusterName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]


class ClusterArgs(ComponentArgs):
    """What is said of a cluster, whatever its kind."""

    cluster_name: ClusterName | None = None
    """Name in the mesh; the resource's name when left out."""
    network: str | None = None
    """The mesh's network that it is in."""
    locality: LocalitySettings | None = None
    platform: Platform = "generic"
    cloud: Cloud | None = None
    """Whose load balancers it has, where `platform` does not say it."""
    api_server: MaybeOutput[str] | None = None
    """URL of the API server as the peers reach it; that of the kubeconfig, or of the cluster, when left out."""
    api_server_for: Mapping[str, MaybeOutput[str]] = Field(default_factory=dict)
    """The same by the name of a peer that takes another way."""
    adopts: bool = False
    """There is a second provider, for objects that outlive this stack and may be there already (`adopting`). It writes
    by server-side apply and does not force: what somebody else has set otherwise is refused as before."""
    takes_over: bool = False
    """Whatever of this stack is in the cluster already is taken over, and not refused. With Pulumi a field that
    somebody else has set otherwise is still refused, unless `PULUMI_K8S_ENABLE_PATCH_FORCE` is set."""
    gateway: EastWestSettings = EastWestSettings()
    """What is asked of the load balancer before its gateway between networks."""
    gateway_ports: tuple[int, ...] = ()
    """Where that one is called."""


class Cluster(pulumi.ComponentResource):
    """A cluster of the mesh: a name, a provider of its own, and the way in for its peers."""

    cluster_name: pulumi.Output[str]
    """The cluster's name in the mesh: istiod's cluster ID and the key in remote secrets."""
    api_server: pulumi.Output[str]
    """URL of the API server as the peers reach it."""
    kubeconfig: pulumi.Output[str] | None = None
    """Contents of a kubeconfig with the one context of this cluster; secret. With it works what no provider of Pulumi
    offers; None where the cluster's maker has none to give."""
    provider: pulumi.ProviderResource
    """Everything in this cluster goes through this provider and no other."""
    adopting: pulumi.ProviderResource | None = None
    """But for CRDs that are kept when the mesh goes: this one, where there is one, takes over what it finds."""
    network: str | None = None
    locality: LocalitySettings | None = None
    platform: Platform = "generic"
    load_balancer: LoadBalancer = LoadBalancer("ip")
    """How the load balancer before its gateway behaves: hand `annotations` and the rest to `EastWestGateway`."""
    ready: tuple[pulumi.Resource, ...] = ()
    """What has to be there before anything can run in the cluster: the nodes, of a cluster that is made here."""
    deleted_with: pulumi.Resource | None = None
    """Deleting this takes everything in the cluster along; None for a cluster that stays."""
    _addresses: Mapping[str, Any] = {}

    def api_server_for(self, reader: str) -> pulumi.Output[str]:
        """URL of the API server as the istiod of the cluster `reader` reaches it."""
        own = self._addresses.get(reader)
        return self.api_server if own is None else pulumi.Output.from_input(own)

    def inside(self, *after: pulumi.Resource, **rest: Any) -> pulumi.ResourceOptions:
        """Options of a component in this cluster: its provider, its nodes, and what takes it along."""
        return pulumi.ResourceOptions(
            providers=[self.provider], depends_on=[*self.ready, *after], deleted_with=self.deleted_with, **rest
        )

    def _describe(self, name: str, args: ClusterArgs) -> None:
        self.cluster_name = pulumi.Output.from_input(args.cluster_name or name)
        self.network = args.network
        self.locality = args.locality
        self.platform = args.platform
        self.load_balancer = load_balancer(args.cloud or args.platform, args.gateway, args.gateway_ports)
        self._addresses = args.api_server_for

    def _connect(
        self,
        name: str,
        args: ClusterArgs,
        kubeconfig: pulumi.Output[str],
        identifier: str,
        context: str | None = None,
    ) -> None:
        """The providers. Their `cluster_identifier` is plain: without one, a changed kubeconfig would replace every
        object in the cluster (https://github.com/pulumi/pulumi-kubernetes/issues/4019)."""
        self.kubeconfig = kubeconfig.apply(lambda contents: only(contents, context))

        def provider(name: str, *, upsert: bool | None = None) -> kubernetes.Provider:
            return kubernetes.Provider(
                name,
                kubeconfig=kubeconfig,
                context=context,
                cluster_identifier=identifier,
                # Secrets and ConfigMaps are updated in place: `cacerts` must not vanish for a moment.
                enable_secret_mutable=True,
                enable_config_map_mutable=True,
                upsert_existing_objects=upsert,
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(self.ready)),
            )

        self.provider = provider(f"{name}-kubernetes", upsert=args.takes_over or None)
        if args.adopts:
            self.adopting = provider(f"{name}-kubernetes-adopting", upsert=True)
