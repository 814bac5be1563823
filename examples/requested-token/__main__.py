"""A reader's token with an end: west's istiod reads east with it, and every `pulumi up` in its last days renews it."""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    RemoteSecret,
    RemoteSecretArgs,
    RequestedToken,
    RequestedTokenArgs,
)

config = pulumi.Config()
east, west = (
    AttachedCluster(name, AttachedClusterArgs(kubeconfig=Path(config.require(f"{name}Kubeconfig")).read_text()))
    for name in ("east", "west")
)
token = RequestedToken(
    "east-reader",
    RequestedTokenArgs(cluster=east, lifetime_hours=240, renew_before_hours=72),
    pulumi.ResourceOptions(providers=[east.provider]),
)
RemoteSecret("east-to-west", RemoteSecretArgs(source_name="east", source=east, reader=west, token=token))

pulumi.export("expires", token.expires)
