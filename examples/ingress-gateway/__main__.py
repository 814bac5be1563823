"""Let the world outside reach services of a cluster that runs istiod already."""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    IngressGateway,
    IngressGatewayArgs,
    RootNamespace,
    RootNamespaceArgs,
)
from mesh_components.settings.ingress import IngressHost, IngressRoute, IngressTls

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))
inside = pulumi.ResourceOptions(providers=[cluster.provider])
namespace = RootNamespace("namespace", RootNamespaceArgs(network=None, namespace="istio-ingress"), inside)

shop = IngressHost(
    host="shop.example.com",
    tls=IngressTls(credential="shop-tls"),
    https_redirect=True,
    routes=(
        IngressRoute(path="/productpage", service="productpage.bookinfo", port=9080),
        IngressRoute(path="/hello", service="helloworld.sample", port=5000),
    ),
)
gateway = IngressGateway(
    "ingress",
    IngressGatewayArgs(hosts=(shop,)),
    pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[namespace]),
)

pulumi.export("address", gateway.address)
