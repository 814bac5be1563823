"""What follows for clusters on IBM Cloud that are made here. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.ibm import IbmSettings
from mesh_components.settings.place import PlaceSettings


def ibm(cluster: ClusterSettings) -> IbmSettings | None:
    """What the document says of a cluster to be made on IBM Cloud; None for other clusters."""
    return cluster.create.ibm if cluster.create else None


def ibm_name(cluster: ClusterSettings) -> str:
    """What IBM Cloud calls it."""
    found = ibm(cluster)
    return (found and found.name) or cluster.name


def region(settings: IbmSettings) -> str:
    """The region of its zones: `eu-de` of `eu-de-1`."""
    return settings.zones[0].name.rpartition("-")[0]


def api_keys(mesh: MeshSettings) -> Iterator[tuple[str, PlaceSettings]]:
    """Where the API keys are, with the place in the document that says it."""
    for index, cluster in enumerate(mesh.clusters):
        found = ibm(cluster)
        if found is not None:
            yield api_key_place(index), found.api_key


def api_key_place(index: int) -> str:
    """Where the document says it of the cluster at this position."""
    return f"clusters[{index}].create.ibm.apiKey"
