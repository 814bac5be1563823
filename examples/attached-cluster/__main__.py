"""Attach a cluster by its kubeconfig, and put a namespace into it."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from mesh_components import AttachedCluster, AttachedClusterArgs

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))

namespace = kubernetes.core.v1.Namespace(
    "sample", metadata={"name": "attached-cluster-example"}, opts=pulumi.ResourceOptions(provider=cluster.provider)
)

pulumi.export("apiServer", cluster.api_server)
pulumi.export("namespace", namespace.metadata["name"])
