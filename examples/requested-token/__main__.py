"""West reads east as an account with few rights, by a token with an end: an `up` in its last days renews it."""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    ReaderAccount,
    ReaderAccountArgs,
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
in_east = pulumi.ResourceOptions(providers=[east.provider])
account = ReaderAccount("east-account", ReaderAccountArgs(), in_east)
token = RequestedToken(
    "east-reader",
    RequestedTokenArgs(cluster=east, account="mesh-reader", lifetime_hours=240, renew_before_hours=72),
    pulumi.ResourceOptions(providers=[east.provider], depends_on=[account]),
)
RemoteSecret("east-to-west", RemoteSecretArgs(source_name="east", source=east, reader=west, token=token))

pulumi.export("expires", token.expires)
