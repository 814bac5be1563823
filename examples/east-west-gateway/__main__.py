"""Add an east-west gateway to a cluster that runs istiod already."""

from pathlib import Path

import pulumi

from mesh_components import AttachedCluster, AttachedClusterArgs, EastWestGateway, EastWestGatewayArgs

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))

gateway = EastWestGateway(
    "eastwest",
    EastWestGatewayArgs(network="east-network", hosts=("*.sample.svc.cluster.local",)),
    pulumi.ResourceOptions(providers=[cluster.provider]),
)

pulumi.export("address", gateway.address)
