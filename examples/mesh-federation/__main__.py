"""Federate clusters that this program knows already: the mesh is one part of it among others."""

from pathlib import Path

import pulumi

from mesh_components import AttachedCluster, AttachedClusterArgs, MeshFederation, MeshFederationArgs
from mesh_components.settings import parse

config = pulumi.Config()
clusters = {
    name: AttachedCluster(name, AttachedClusterArgs(kubeconfig=Path(config.require(f"{name}Kubeconfig")).read_text()))
    for name in ("east", "west")
}

mesh = MeshFederation(
    "mesh",
    MeshFederationArgs(
        mesh=parse(
            {
                "id": "example",
                "istio": {"install": "none"},
                "trust": {"protectRoot": False},
                "clusters": [{"name": name, "network": f"{name}-network"} for name in clusters],
            }
        ),
        clusters=clusters,
    ),
)

pulumi.export("gateways", mesh.gateways)
pulumi.export("edges", mesh.edges)
