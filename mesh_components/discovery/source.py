"""A cluster as the istiod of another gets to read it, and the Secret that says so: one way to write it down, whether
clusters are announced one by one, bundled, or as an external control plane's config cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pydantic import Field

from mesh_components.clusters.cluster import Cluster
from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.discovery.kubeconfig import remote_kubeconfig
from mesh_components.discovery.token import Token
from mesh_components.kubernetes import KubernetesObject, Plain, encode
from mesh_components.topology import names


class RemoteSource(ComponentArgs):
    """How a cluster is read at an address: with a token, or as a user who authenticates otherwise; or with a ready-made
    kubeconfig, which then wins."""

    token: Token | None = None
    user: MaybeOutput[Mapping[str, Any]] | None = Field(default=None, repr=False)
    """Instead of a token: the `user` of a kubeconfig, such as a client certificate as data. Secret."""
    certificate_authority: MaybeOutput[str | None] = Field(default=None, repr=False)
    """With `user`: base64 of the PEM that signs the API server's certificate; public authorities when left out."""
    kubeconfig: MaybeOutput[str] | None = Field(default=None, repr=False)
    """A ready-made kubeconfig. istiod refuses exec plugins and paths in it."""
    api_server: MaybeOutput[str] | None = None
    """URL of the cluster's API server as this reader reaches it."""
    tls_server_name: str | None = None
    """Name to expect in the API server's certificate when it differs from the address."""

    def contents(self, cluster: str) -> pulumi.Output[str]:
        """The kubeconfig of the cluster of that name; secret."""
        if self.kubeconfig is not None:
            return pulumi.Output.secret(self.kubeconfig)
        if self.api_server is None or (self.token is None and self.user is None):
            how = "give a kubeconfig, or api_server with one of token and user"
            raise pulumi.RunError(f'RemoteSource of "{cluster}": nothing says how istiod is to read the cluster; {how}')
        user, authority = self._credentials()
        return pulumi.Output.all(self.api_server, authority, pulumi.Output.secret(user)).apply(
            lambda known: remote_kubeconfig(cluster, known[0], known[1], known[2], self.tls_server_name)
        )

    def _credentials(self) -> tuple[Any, Any]:
        if self.user is not None or self.token is None:
            return self.user, self.certificate_authority
        return self.token.token.apply(lambda token: {"token": token}), self.token.certificate_authority


def secret_object(
    name: str,
    namespace: Any,
    kubeconfigs: Mapping[str, pulumi.Output[str]],
    cluster: str | None = None,
    *,
    found_by_istiod: bool = True,
) -> Plain:
    """The Secret as istiod looks for it: by label, in its root namespace; each key is a cluster's name.

    Args:
        name: of the Secret; istiod does not look at it.
        namespace: the root namespace.
        kubeconfigs: by key.
        cluster: the cluster it is about, where it is about one; for people, and for istioctl.
        found_by_istiod: False for a Secret that istiod mounts, and must not take for one about a further cluster.
    """
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if found_by_istiod:
        metadata["labels"] = {names.MULTI_CLUSTER_LABEL: "true"}
    if cluster is not None:
        metadata["annotations"] = {names.CLUSTER_ANNOTATION: cluster}
    data = pulumi.Output.secret({key: encode(contents) for key, contents in kubeconfigs.items()})
    return {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "data": data}


def register(
    component: pulumi.Resource,
    name: str,
    manifest: Plain,
    reader: Cluster,
    opts: pulumi.ResourceOptions | None,
) -> pulumi.Output[str]:
    """Register a Secret in the reader's cluster. Its name.

    The child names its provider: a component that works in two clusters at once could inherit only one of theirs.
    """
    in_reader = pulumi.ResourceOptions(provider=reader.provider, deleted_with=reader.deleted_with)
    made = KubernetesObject(name, manifest, pulumi.ResourceOptions.merge(child_options(component, opts), in_reader))
    return made.metadata.apply(lambda metadata: str(metadata["name"]))
