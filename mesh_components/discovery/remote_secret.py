"""One edge of discovery: `source` announced to `reader`'s istiod. Owns the Secret in the reader's cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pydantic import Field

from mesh_components.clusters.cluster import Cluster
from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.discovery.reader import ReaderToken, ReaderTokenArgs
from mesh_components.discovery.source import RemoteSource, register, secret_object
from mesh_components.discovery.token import Token
from mesh_components.topology import names


class RemoteSecretArgs(ComponentArgs):
    """Who is read by whom, and with what."""

    source_name: str
    """The source's name in the mesh: istiod's cluster ID there, and the key in the Secret."""
    source: Cluster
    reader: Cluster
    token: Token | None = None
    """The source's token when it serves several readers; left out, this edge makes one."""
    user: MaybeOutput[Mapping[str, Any]] | None = Field(default=None, repr=False)
    """Instead of a token: the `user` of a kubeconfig, such as a client certificate as data. Secret."""
    certificate_authority: MaybeOutput[str | None] = Field(default=None, repr=False)
    """With `user`: base64 of the PEM that signs the source's API server; public authorities when left out."""
    kubeconfig: MaybeOutput[str] | None = Field(default=None, repr=False)
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
        source = RemoteSource(
            token=self._token(name, args, opts),
            user=args.user,
            certificate_authority=args.certificate_authority,
            kubeconfig=args.kubeconfig,
            api_server=args.api_server or args.source.api_server,
            tls_server_name=args.tls_server_name,
        )
        contents = {args.source_name: source.contents(args.source_name)}
        manifest = secret_object(names.remote_secret(args.source_name), args.namespace, contents, args.source_name)
        self.secret_name = register(self, f"{name}-secret", manifest, args.reader, opts)
        self.register_outputs({"secretName": self.secret_name})

    def _token(self, name: str, args: RemoteSecretArgs, opts: pulumi.ResourceOptions | None) -> Token | None:
        if args.token or args.kubeconfig is not None or args.user is not None:
            return args.token
        in_source = args.source.inside()
        return ReaderToken(
            f"{name}-reader",
            ReaderTokenArgs(namespace=args.namespace),
            pulumi.ResourceOptions.merge(child_options(self, opts), in_source),
        )
