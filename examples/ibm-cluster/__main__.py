"""A cluster on IBM Cloud, and what another stack needs of it."""

import pulumi

from mesh_components import IbmCluster, IbmClusterArgs
from mesh_components.clusters.stack import exported
from mesh_components.settings.ibm import IbmSettings, IbmWorkerPoolSettings, IbmZoneSettings

config = pulumi.Config()
west = IbmCluster(
    "west",
    IbmClusterArgs(
        settings=IbmSettings(
            vpc=config.require("vpc"),
            zones=(IbmZoneSettings(name="eu-de-1", subnet=config.require("subnet")),),
            worker_pools=(IbmWorkerPoolSettings(workers=2),),
            deletion_protection=False,
        ),
        api_key=config.require_secret("apiKey"),
        pod_range="172.30.0.0/16",
    ),
)
pulumi.export("clusters", exported({"west": west}))
