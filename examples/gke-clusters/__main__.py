"""Two GKE clusters in one VPC, and what another stack needs of them: the mesh is `stacks/Pulumi.gke-stacks.yaml`."""

import pulumi

from mesh_components import GkeCluster, GkeClusterArgs, GkeNetwork, GkeNetworkArgs
from mesh_components.clusters.stack import exported
from mesh_components.settings.addresses import AddressSettings
from mesh_components.settings.gke import GkeSettings
from mesh_components.topology.addresses import ranges_of_slot

PROJECT = pulumi.Config().require("project")
POOL = AddressSettings(pool="10.64.0.0/10", cluster_prefix=13)
LOCATIONS = {"east": "europe-west10", "west": "europe-west3"}
RANGES = {name: ranges_of_slot(POOL, number) for number, name in enumerate(LOCATIONS)}

vpc = GkeNetwork(
    "vpc",
    GkeNetworkArgs(
        project=PROJECT,
        network_name="mesh-vpc",
        regions=tuple(LOCATIONS.values()),
        pods={name: ranges.pods for name, ranges in RANGES.items()},
    ),
)
clusters = {
    name: GkeCluster(
        name,
        GkeClusterArgs(
            settings=GkeSettings(project=PROJECT, location=location, deletion_protection=False),
            ranges=RANGES[name],
            gke_network=vpc,
        ),
    )
    for name, location in LOCATIONS.items()
}
pulumi.export("clusters", exported(clusters))
