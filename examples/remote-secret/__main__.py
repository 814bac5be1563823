"""Let west's istiod read east: what `istioctl create-remote-secret` does, as a resource."""

from pathlib import Path

import pulumi

from mesh_components import AttachedCluster, AttachedClusterArgs, RemoteSecret, RemoteSecretArgs

config = pulumi.Config()
east, west = (
    AttachedCluster(name, AttachedClusterArgs(kubeconfig=Path(config.require(f"{name}Kubeconfig")).read_text()))
    for name in ("east", "west")
)

edge = RemoteSecret("east-to-west", RemoteSecretArgs(source_name="east", source=east, reader=west))

pulumi.export("secret", edge.secret_name)
