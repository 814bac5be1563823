"""How Kiali reads another cluster. Owns the Secret beside Kiali; the account is that of `KialiReader`."""

from __future__ import annotations

import pulumi

from mesh_components.clusters.cluster import Cluster
from mesh_components.component import ComponentArgs
from mesh_components.discovery.source import RemoteSource, register
from mesh_components.kubernetes import encode
from mesh_components.topology import names


class KialiRemoteSecretArgs(ComponentArgs):
    """Which cluster is read, with what, and where Kiali is."""

    source_name: str
    """The cluster's name in the mesh: metrics say the same, and the key in the Secret must."""
    source: RemoteSource
    """With a token of Kiali's own account there. Kiali refuses exec plugins unless its settings allow them."""
    reader: Cluster
    """The cluster where Kiali is."""
    namespace: str = "istio-system"


class KialiRemoteSecret(pulumi.ComponentResource):
    """What `kiali-prepare-remote-cluster.sh` makes beside Kiali, as a resource: the label and the annotation by which
    Kiali's own tools find it, and a kubeconfig under the cluster's name
    (https://github.com/kiali/kiali/blob/v2.27.2/hack/istio/multicluster/kiali-prepare-remote-cluster.sh)."""

    secret_name: pulumi.Output[str]
    """Name of the Secret."""

    def __init__(self, name: str, args: KialiRemoteSecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:KialiRemoteSecret", name, {"source": args.source_name}, opts)
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "name": names.kiali_secret(args.source_name),
                "namespace": args.namespace,
                "labels": {names.KIALI_MULTI_CLUSTER_LABEL: "true"},
                "annotations": {names.KIALI_CLUSTER_ANNOTATION: args.source_name},
            },
            "data": pulumi.Output.secret({args.source_name: encode(args.source.contents(args.source_name))}),
        }
        self.secret_name = register(self, f"{name}-secret", manifest, args.reader, opts)
        self.register_outputs({"secretName": self.secret_name})
