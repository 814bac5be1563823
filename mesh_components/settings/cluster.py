"""One cluster as a person describes it: where it is, how it is reached, what part it plays in the mesh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mesh_components.settings.base import Settings
from mesh_components.settings.create import CreateSettings
from mesh_components.settings.egress import EgressSettings
from mesh_components.settings.gateway import EastWestSettings
from mesh_components.settings.ingress import IngressSettings
from mesh_components.settings.location import Cloud, LocalitySettings, Platform
from mesh_components.settings.meshes import CrossMeshSettings
from mesh_components.settings.peers import PeerAuthenticationSettings
from mesh_components.settings.place import KubeconfigSettings

Role = Literal["primary", "remote", "external", "config"]


class StackReferenceSettings(Settings):
    """A cluster that another stack has made, and exports."""

    stack: str
    """Full name of the stack, `organization/project/stack`; on a backend of your own `organization` is that very
    word."""
    cluster: str | None = None
    """What that stack calls the cluster; the cluster's name when left out."""
    output: str = "clusters"
    """The stack's output with its clusters."""


class K3sSettings(Settings):
    """A cluster of k3s, whose own kubeconfig names the loopback address."""

    server: str
    """URL of the API server as others reach it, `https://192.168.1.10:6443`; it takes the place of 127.0.0.1 in the
    kubeconfig. k3s needs the host in its certificate: `--tls-san`."""


class ApiServerSettings(Settings):
    """How the istiods of the other clusters reach this cluster's API server."""

    address: str | None = None
    """URL such as `https://203.0.113.10:6443`; the server of the kubeconfig when left out."""
    tls_server_name: str | None = None
    """Name to expect in the API server's certificate when it differs from the address."""
    address_for: dict[str, str] = Field(default_factory=dict)
    """URL by the name of the cluster that asks, for readers who take another way than the rest."""


class ClusterSettings(Settings):
    """One cluster of the mesh."""

    name: str
    """DNS-1123 label. It is istiod's cluster ID, the key in remote secrets and part of resource names."""
    network: str
    """Clusters of equal network reach each other's pods directly; others do it through east-west gateways."""
    kubeconfig: KubeconfigSettings | None = None
    """How this program reaches a cluster that exists."""
    k3s: K3sSettings | None = Field(default=None, alias="k3s")
    """Of a cluster of k3s with a kubeconfig: where its API server is for others than itself."""
    create: CreateSettings | None = None
    """Make the cluster, instead of `kubeconfig`."""
    stack_reference: StackReferenceSettings | None = None
    """Take the cluster from another stack, instead of `kubeconfig`."""
    platform: Platform = "generic"
    """Left out where `create` or `k3s` says it."""
    cloud: Cloud | None = None
    """Whose load balancers the cluster has, where `platform` does not say it: OpenShift on a cloud, or IBM Cloud
    Classic."""
    role: Role = "primary"
    """`primary` runs an istiod of its own. `remote` is served by the istiod of another cluster. `external` runs an
    istiod for other clusters and has no workloads in the mesh; `config` is the cluster that holds its configuration."""
    control_plane: str | None = None
    """Of a remote or config cluster: name of the cluster whose istiod serves it. Left out: the only one there is."""
    locality: LocalitySettings | None = None
    pod_ranges: tuple[str, ...] = ()
    """CIDRs of the pods; given, they are checked against the other clusters of the network."""
    service_ranges: tuple[str, ...] = ()
    """CIDRs of the services."""
    slot: Annotated[int, Field(ge=0)] | None = None
    """Of a cluster that is made here: its part of `addresses.pool`, counted from 0; follows from its name when left
    out."""
    api_server: ApiServerSettings = ApiServerSettings()
    peer_kubeconfig: KubeconfigSettings | None = None
    """A ready-made kubeconfig to hand to the peers instead of one with a token of the reader account."""
    peer_authentication: PeerAuthenticationSettings | None = None
    """Let the peers authenticate in another way than with a token of the reader account."""

    @property
    def reads_with_token(self) -> bool:
        """Whether istiods read this cluster with a token that this program makes."""
        return self.peer_kubeconfig is None and self.peer_authentication is None

    east_west: EastWestSettings = EastWestSettings()
    cross_mesh: CrossMeshSettings = CrossMeshSettings()
    ingress: tuple[IngressSettings, ...] = ()
    """Gateways through which the outside world reaches services."""
    egress: EgressSettings | None = None
    """Hosts outside of the mesh, and the gateway through which workloads go there."""
    gateway_api: bool = True
    """False: this cluster has the CRDs of the Gateway API already; those of `istio.gatewayApi` are not applied here."""
    tags: dict[str, str] = Field(default_factory=dict)
    """Revision by tag, over `istio.tags`: an upgrade moves a tag cluster by cluster."""
    adopt: bool = False
    """Objects of the mesh that are in the cluster already, whoever has made them, are taken over and not refused."""
    namespace: Literal["create", "patch"] | None = None
    """Create the root namespace, or patch one that exists already. Left out: create with `istio.install: charts`,
    patch with `none`, since whatever installed Istio made the namespace."""

    @model_validator(mode="before")
    @classmethod
    def _platform_of_its_kind(cls, data: Any) -> Any:
        """A cluster that is made on a cloud is on it: nobody has to write it twice."""
        if not isinstance(data, Mapping) or "platform" in data:
            return data
        made = data.get("create")
        for kind in CreateSettings.model_fields:
            if isinstance(made, Mapping) and made.get(kind) is not None:
                return {**data, "platform": kind}
        return {**data, "platform": "k3s"} if data.get("k3s") is not None else data
