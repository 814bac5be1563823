"""Trust another mesh: let it call one service of this cluster, and call one of its own."""

import json
from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    CrossMeshGateway,
    CrossMeshGatewayArgs,
    MeshTrust,
    MeshTrustArgs,
    OtherMeshArgs,
)
from mesh_components.settings.meshes import ExportPort, ExportSettings, ImportSettings, OtherMesh

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))
inside = pulumi.ResourceOptions(providers=[cluster.provider])

mesh2 = OtherMesh(
    name="mesh2",
    trust_domain="mesh2.example",
    # Somebody has compared it with what the other administrator read out: `mesh trust digest mesh2.json`.
    digest="sha256:608c112948b1ff84035c9c9c7c96ba4e84e94085930ebdc438e14fec0fcb228a",
    imports=(ImportSettings(host="helloworld.sample", called="helloworld.mesh2.global"),),
)
reviews = ExportSettings(
    host="reviews.bookinfo",
    ports=(ExportPort(number=9080, name="http", protocol="HTTP"),),
    accounts=("bookinfo/bookinfo-reviews",),
    meshes=("mesh2",),
    callers=("shop/till",),
)

gateway = CrossMeshGateway("crossmesh", CrossMeshGatewayArgs(hosts=(reviews.host,)), inside)
trust = MeshTrust(
    "meshes",
    MeshTrustArgs(
        mesh_id="mesh1",
        meshes=(OtherMeshArgs(mesh=mesh2, facts=json.loads((Path(__file__).parent / "mesh2.json").read_text())),),
        exports=(reviews,),
    ),
    inside,
)

pulumi.export("address", gateway.address)
pulumi.export("digests", trust.digests)
