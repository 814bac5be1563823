"""The root namespace: where istiod, its certificates and its credentials live. Owns what the namespace
says to istiods: its cluster's network, and who may write to the cluster."""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.component import ComponentArgs, child_options
from mesh_components.kubernetes import KubernetesObject, PatchObject
from mesh_components.topology import names


class RootNamespaceArgs(ComponentArgs):
    """Which namespace, and what it says of its cluster."""

    network: str | None
    """The network of every endpoint in the cluster; None where it has no workloads of the mesh."""
    namespace: str = "istio-system"
    create: bool = True
    """False where the namespace exists already: then it only gets what the mesh says, and keeps all that others put
    there."""
    controlled_by: str = ""
    """Of a remote: cluster ID of the istiod elsewhere that serves it. Without it that istiod writes neither its root
    certificate nor the webhook's CA bundle here."""


class RootNamespace(pulumi.ComponentResource):
    """The label on the root namespace is the network of every endpoint in the cluster
    (https://istio.io/latest/docs/setup/install/multicluster/multi-primary_multi-network/)."""

    namespace: pulumi.Output[str]
    """Name of the namespace, once it carries the label."""

    def __init__(self, name: str, args: RootNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:RootNamespace", name, {"network": args.network}, opts)
        metadata: dict[str, Any] = {"name": args.namespace}
        if args.network is not None:
            metadata["labels"] = {names.NETWORK_LABEL: args.network}
        if args.controlled_by:
            metadata["annotations"] = {names.CONTROL_PLANE_ANNOTATION: args.controlled_by}
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        make = KubernetesObject if args.create else PatchObject
        made = make(f"{name}-{args.namespace}", manifest, child_options(self, opts))
        self.namespace = made.metadata.apply(lambda metadata: str(metadata["name"]))
        self.register_outputs({"namespace": self.namespace})
