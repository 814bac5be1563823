"""Prepare a cluster for an Istio that something else installs: the network label and the signing certificate."""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    CaCerts,
    CaCertsArgs,
    RootCA,
    RootCAArgs,
    RootNamespace,
    RootNamespaceArgs,
)

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))
ca = RootCA("trust", RootCAArgs(clusters=("east",), organization="example", protect=False))

inside = pulumi.ResourceOptions(providers=[cluster.provider])
namespace = RootNamespace("namespace", RootNamespaceArgs(network="east-network", namespace="cacerts-example"), inside)
cacerts = CaCerts("cacerts", CaCertsArgs(bundle=ca.bundles["east"], namespace=namespace.namespace), inside)

pulumi.export("namespace", namespace.namespace)
pulumi.export("expires", cacerts.expires)
