"""Install one istiod that signs under your root. `charts` names a folder with the charts, else Istio's repository."""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    CaCerts,
    CaCertsArgs,
    DefaultValidator,
    DefaultValidatorArgs,
    IstioBase,
    IstioBaseArgs,
    Istiod,
    IstiodArgs,
    RootCA,
    RootCAArgs,
    RootNamespace,
    RootNamespaceArgs,
)
from mesh_components.settings.istio import ChartSource

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))
ca = RootCA("trust", RootCAArgs(clusters=("east",), organization="example", protect=False))

inside = pulumi.ResourceOptions(providers=[cluster.provider])
namespace = RootNamespace("namespace", RootNamespaceArgs(network="east-network", namespace="istiod-example"), inside)
cacerts = CaCerts("cacerts", CaCertsArgs(bundle=ca.bundles["east"], namespace=namespace.namespace), inside)
charts = ChartSource(folder=config.get("charts"))
base = IstioBase(
    "base",
    IstioBaseArgs(namespace="istiod-example", charts=charts),
    pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[namespace]),
)
istiod = Istiod(
    "istiod",
    IstiodArgs(
        mesh_id="example",
        cluster_name="east",
        network="east-network",
        root_cert_pem=ca.root_cert_pem,
        namespace="istiod-example",
        charts=charts,
    ),
    # cacerts strictly before istiod: without it, istiod signs with a root of its own and says nothing.
    pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[namespace, cacerts, base]),
)
# After istiod: it refuses every Istio resource of the cluster while nobody answers it.
DefaultValidator(
    "validator",
    DefaultValidatorArgs(root_cert_pem=ca.root_cert_pem, namespace="istiod-example", charts=charts),
    pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[base, istiod]),
)

pulumi.export("ready", istiod.ready)
