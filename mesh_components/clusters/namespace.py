"""The root namespace: where istiod, its certificates and its credentials live. Owns the namespace's network label."""

from __future__ import annotations

import pulumi

from mesh_components.component import ComponentArgs, child_options
from mesh_components.kubernetes import KubernetesObject, PatchObject
from mesh_components.topology import names


class RootNamespaceArgs(ComponentArgs):
    """Which namespace, and the network it says its cluster is in."""

    network: str
    namespace: str = "istio-system"
    create: bool = True
    """False where the namespace exists already: then it only gets the label, and keeps all that others put there."""


class RootNamespace(pulumi.ComponentResource):
    """The label on the root namespace is the network of every endpoint in the cluster
    (https://istio.io/latest/docs/setup/install/multicluster/multi-primary_multi-network/)."""

    namespace: pulumi.Output[str]
    """Name of the namespace, once it carries the label."""

    def __init__(self, name: str, args: RootNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:RootNamespace", name, {"network": args.network}, opts)
        manifest = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": args.namespace, "labels": {names.NETWORK_LABEL: args.network}},
        }
        make = KubernetesObject if args.create else PatchObject
        made = make(f"{name}-{args.namespace}", manifest, child_options(self, opts))
        self.namespace = made.metadata.apply(lambda metadata: str(metadata["name"]))
        self.register_outputs({"namespace": self.namespace})
