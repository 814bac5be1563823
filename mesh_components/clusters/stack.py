"""A cluster that another stack has made and exports. Owns the reference and the provider, and nothing in the cluster.

The other stack exports `exported({...})`; that output is secret, since kubeconfigs are. Where the cluster
goes is the other stack's business: objects here are deleted before it, or `destroy` of the mesh has to come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from mesh_components.clusters.attached import checked
from mesh_components.clusters.cluster import Cluster, ClusterArgs


class StackClusterArgs(ClusterArgs):
    """Which stack, and which of its clusters."""

    stack: str
    """Full name, `organization/project/stack`."""
    output: str = "clusters"
    """The stack's output with its clusters."""
    exported_as: str | None = None
    """What the stack calls the cluster; the cluster's name when left out."""


class StackCluster(Cluster):
    """A provider with the kubeconfig of another stack."""

    def __init__(self, name: str, args: StackClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        cluster_name = args.cluster_name or name
        key = args.exported_as or cluster_name
        super().__init__("mesh:index:StackCluster", name, {"clusterName": cluster_name, "stack": args.stack}, opts)
        self._describe(name, args)
        reference = pulumi.StackReference(
            f"{name}-stack", stack_name=args.stack, opts=pulumi.ResourceOptions(parent=self)
        )
        exported = pulumi.Output.secret(reference.get_output(args.output)).apply(
            lambda clusters: _of(clusters, key, args)
        )
        kubeconfig = exported.apply(lambda cluster: checked(str(cluster["kubeconfig"]), None, "StackCluster"))
        self._connect(name, args, kubeconfig, f"stack/{args.stack}/{key}")
        address = pulumi.Output.unsecret(exported.apply(lambda cluster: str(cluster["apiServer"])))
        self.api_server = pulumi.Output.from_input(args.api_server) if args.api_server else address
        self.register_outputs({"clusterName": self.cluster_name, "apiServer": self.api_server})


def exported(clusters: Mapping[str, Cluster]) -> pulumi.Output[dict[str, Any]]:
    """What a stack exports as `clusters` for others to take up; secret."""
    return pulumi.Output.secret(
        {name: {"kubeconfig": made.kubeconfig, "apiServer": made.api_server} for name, made in clusters.items()}
    )


def _of(clusters: Any, key: str, args: StackClusterArgs) -> Mapping[str, Any]:
    found = clusters.get(key) if isinstance(clusters, Mapping) else None
    if not isinstance(found, Mapping) or not {"kubeconfig", "apiServer"} <= found.keys():
        raise pulumi.RunError(
            f'StackCluster: the stack {args.stack} has no cluster "{key}" in its output `{args.output}`; export '
            "`exported({...})` there, run `pulumi up` in it, or correct the names"
        )
    return found
