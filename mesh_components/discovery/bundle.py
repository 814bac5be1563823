"""All that one istiod reads, in one Secret: a mesh of N clusters needs N of them, and not N x N. Owns the Secret in
the reader's cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import pulumi
from pydantic import Field

from mesh_components.clusters.cluster import Cluster
from mesh_components.component import ComponentArgs, MaybeOutput
from mesh_components.discovery.source import RemoteSource, register, secret_object
from mesh_components.topology import names


class RemoteSecretBundleArgs(ComponentArgs):
    """Who reads whom, and with what."""

    reader: Cluster
    sources: Annotated[Mapping[str, RemoteSource], Field(min_length=1)]
    """By name in the mesh: istiod's cluster ID there, and the key in the Secret."""
    namespace: MaybeOutput[str] = "istio-system"
    """The root namespace of the reader: istiod looks nowhere else."""


class RemoteSecretBundle(pulumi.ComponentResource):
    """istiod reads every key of a Secret with its label, and takes a key that comes, changes or goes as it would a
    Secret (istio/istio pkg/kube/multicluster/secretcontroller.go). A Secret holds 1 MiB: some hundred clusters."""

    secret_name: pulumi.Output[str]
    """Name of the Secret in the reader's root namespace."""

    def __init__(self, name: str, args: RemoteSecretBundleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:RemoteSecretBundle", name, {"sources": sorted(args.sources)}, opts)
        contents = {cluster: source.contents(cluster) for cluster, source in args.sources.items()}
        manifest = secret_object(names.BUNDLED_SECRET, args.namespace, contents)
        self.secret_name = register(self, f"{name}-secret", manifest, args.reader, opts)
        self.register_outputs({"secretName": self.secret_name})
