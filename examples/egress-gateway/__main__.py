"""Lead workloads of a cluster that runs istiod already out of the mesh through one gateway."""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    EgressGateway,
    EgressGatewayArgs,
    RootNamespace,
    RootNamespaceArgs,
)
from mesh_components.settings.egress import EgressHost

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))
inside = pulumi.ResourceOptions(providers=[cluster.provider])
namespace = RootNamespace("namespace", RootNamespaceArgs(network=None, namespace="istio-egress"), inside)

gateway = EgressGateway(
    "egress",
    EgressGatewayArgs(hosts=(EgressHost(host="api.example.com"), EgressHost(host="www.example.org", tls="originate"))),
    pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[namespace]),
)

pulumi.export("service", gateway.service)
