"""Tell sidecars of a cluster no more of the mesh than they need."""

from pathlib import Path

import pulumi

from mesh_components import AttachedCluster, AttachedClusterArgs, Visibility, VisibilityArgs
from mesh_components.kubernetes import KubernetesObject

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))
inside = pulumi.ResourceOptions(providers=[cluster.provider])

shop = KubernetesObject(
    "shop",
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "visibility-shop"}},
    pulumi.ResourceOptions(provider=cluster.provider),
)
Visibility(
    "visibility",
    VisibilityArgs(
        sidecars={
            "istio-system": ("./*", "istio-system/*"),  # the root namespace: for all that have none of their own
            "visibility-shop": ("./*", "istio-system/*", "catalog/*"),
        },
    ),
    pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[shop])),
)

pulumi.export("namespace", shop.metadata["name"])
