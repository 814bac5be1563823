"""Let two istiods read each other's cluster: what `istioctl create-remote-secret` does, as resources."""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    ReaderToken,
    ReaderTokenArgs,
    RemoteSecret,
    RemoteSecretArgs,
    RemoteSecretBundle,
    RemoteSecretBundleArgs,
    RemoteSource,
)

config = pulumi.Config()
east, west = (
    AttachedCluster(name, AttachedClusterArgs(kubeconfig=Path(config.require(f"{name}Kubeconfig")).read_text()))
    for name in ("east", "west")
)

# One Secret per pair, as istioctl makes them.
edge = RemoteSecret("east-to-west", RemoteSecretArgs(source_name="east", source=east, reader=west))

# Or one per reader, with a key for each cluster that it reads.
token = ReaderToken("west-reader", ReaderTokenArgs(), pulumi.ResourceOptions(providers=[west.provider]))
bundle = RemoteSecretBundle(
    "east-sources",
    RemoteSecretBundleArgs(reader=east, sources={"west": RemoteSource(token=token, api_server=west.api_server)}),
)

pulumi.export("secret", edge.secret_name)
pulumi.export("bundle", bundle.secret_name)
