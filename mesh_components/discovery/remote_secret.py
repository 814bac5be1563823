"""One edge of discovery: `source` announced to `reader`'s istiod. Owns the Secret in the reader's cluster.

Works in two clusters at once, so each child names its provider; the one it would inherit could only be one of them.
"""

from __future__ import annotations

import pulumi

from mesh_components.clusters.cluster import Cluster
from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.discovery.kubeconfig import remote_kubeconfig
from mesh_components.discovery.reader import ReaderToken, ReaderTokenArgs
from mesh_components.kubernetes import KubernetesObject, encode
from mesh_components.topology import names


class RemoteSecretArgs(ComponentArgs):
    """Who is read by whom, and with what."""

    source_name: str
    """The source's name in the mesh: istiod's cluster ID there, and the key in the Secret."""
    source: Cluster
    reader: Cluster
    token: ReaderToken | None = None
    """The source's token when it serves several readers; left out, this edge makes one."""
    kubeconfig: MaybeOutput[str] | None = None
    """A ready-made kubeconfig instead of one with a reader's token. istiod refuses exec plugins and paths in it."""
    api_server: MaybeOutput[str] | None = None
    """URL of the source's API server as this reader reaches it; the source's own when left out."""
    tls_server_name: str | None = None
    namespace: MaybeOutput[str] = "istio-system"
    """The root namespace, the same in both clusters: istiod looks nowhere else."""


class RemoteSecret(pulumi.ComponentResource):
    """What `istioctl create-remote-secret` does, as a resource that is previewed, updated in place and taken away
    again (https://istio.io/latest/docs/reference/commands/istioctl/#istioctl-create-remote-secret)."""

    secret_name: pulumi.Output[str]
    """Name of the Secret in the reader's root namespace."""

    def __init__(self, name: str, args: RemoteSecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:RemoteSecret", name, {"source": args.source_name}, opts)
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "name": names.remote_secret(args.source_name),
                "namespace": args.namespace,
                "labels": {names.MULTI_CLUSTER_LABEL: "true"},
                "annotations": {names.CLUSTER_ANNOTATION: args.source_name},
            },
            "data": pulumi.Output.secret({args.source_name: encode(self._kubeconfig(name, args, opts))}),
        }
        in_reader = pulumi.ResourceOptions(provider=args.reader.provider)
        secret = KubernetesObject(
            f"{name}-secret", manifest, pulumi.ResourceOptions.merge(child_options(self, opts), in_reader)
        )
        self.secret_name = secret.metadata.apply(lambda metadata: str(metadata["name"]))
        self.register_outputs({"secretName": self.secret_name})

    def _kubeconfig(self, name: str, args: RemoteSecretArgs, opts: pulumi.ResourceOptions | None) -> pulumi.Output[str]:
        if args.kubeconfig is not None:
            return pulumi.Output.secret(args.kubeconfig)
        token = args.token or ReaderToken(
            f"{name}-reader",
            ReaderTokenArgs(namespace=args.namespace),
            pulumi.ResourceOptions.merge(
                child_options(self, opts), pulumi.ResourceOptions(providers=[args.source.provider])
            ),
        )
        return pulumi.Output.all(
            args.api_server or args.source.api_server, token.certificate_authority, token.token
        ).apply(lambda known: remote_kubeconfig(args.source_name, known[0], known[1], known[2], args.tls_server_name))
