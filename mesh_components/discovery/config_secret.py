"""The kubeconfig with which an external istiod works in its config cluster. Owns the Secret in the external cluster,
which istiod mounts."""

from __future__ import annotations

import pulumi

from mesh_components.clusters.cluster import Cluster
from mesh_components.component import ComponentArgs, MaybeOutput
from mesh_components.discovery.source import RemoteSource, register, secret_object
from mesh_components.topology import names

KEY = "config"
"""The file that istiod reads where the Secret is mounted (`KUBECONFIG`)."""


class ConfigSecretArgs(ComponentArgs):
    """Which cluster holds the configuration, and who works with it."""

    source_name: str
    """The config cluster's name in the mesh, which is also the external istiod's cluster ID."""
    source: RemoteSource
    """The token is that of istiod's own account there (`istiod`, or `istiod-<revision>`), and no reader's: istiod also
    writes."""
    reader: Cluster
    """The external cluster."""
    namespace: MaybeOutput[str] = "istio-system"
    """The root namespace."""


class ConfigSecret(pulumi.ComponentResource):
    """What `istioctl create-remote-secret --type=config` does, but for its label: by that, istiod would find the config
    cluster once more, under the name `config`, and know every endpoint in it twice
    (https://istio.io/latest/docs/setup/install/external-controlplane/; istio/istio
    pkg/kube/multicluster/secretcontroller.go)."""

    secret_name: pulumi.Output[str]
    """Name of the Secret in the external cluster."""

    def __init__(self, name: str, args: ConfigSecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:ConfigSecret", name, {"source": args.source_name}, opts)
        contents = {KEY: args.source.contents(args.source_name)}
        manifest = secret_object(names.CONFIG_SECRET, args.namespace, contents, args.source_name, found_by_istiod=False)
        self.secret_name = register(self, f"{name}-secret", manifest, args.reader, opts)
        self.register_outputs({"secretName": self.secret_name})
