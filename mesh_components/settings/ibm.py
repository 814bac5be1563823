"""An IBM Cloud cluster that this program makes: what a person says of it. What IBM calls its properties is in
`clusters.ibm_vpc`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mesh_components.settings.base import Settings
from mesh_components.settings.place import PlaceSettings


class IbmZoneSettings(Settings):
    """One zone with nodes, and the subnet that they are in."""

    name: str
    """`eu-de-1`."""
    subnet: str
    """ID of a subnet of the VPC in this zone."""


class IbmWorkerPoolSettings(Settings):
    """Nodes of one kind, in every zone of the cluster."""

    name: str = "default"
    flavor: str = "bx2.4x16"
    """Kind of machine. Another one is another pool: give it another name, and take the old one out."""
    workers: Annotated[int, Field(ge=1)] = 1
    """In each zone. Changed in place."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Kubernetes labels of the nodes."""


class IbmSettings(Settings):
    """One cluster of IBM Cloud Kubernetes Service on VPC Gen 2, in a VPC and subnets that exist."""

    vpc: str
    """ID of the VPC."""
    zones: tuple[IbmZoneSettings, ...]
    name: str | None = None
    """What IBM Cloud calls it; the cluster's name when left out."""
    api_key: PlaceSettings = PlaceSettings(environment="IC_API_KEY")
    """With which IBM Cloud is asked; the variable that IBM's own tools read when left out. Secret."""
    resource_group: str | None = None
    """ID; the account's default one when left out."""
    version: str | None = None
    """Kubernetes version that it begins with; IBM's default when left out. Upgrades are made with IBM's own tools."""
    worker_pools: tuple[IbmWorkerPoolSettings, ...] = (IbmWorkerPoolSettings(),)
    public_endpoint: bool = True
    """False: the API server has no public address; this program and the peers have to be inside of IBM's network."""
    outbound_traffic_protection: bool = False
    """True: nodes reach nothing outside of the VPC, as IBM has it by default. A mesh needs images, and the gateways and
    API servers of its other networks."""
    deletion_protection: bool = True
    """The cluster is neither deleted nor replaced; set it to false and apply before you destroy."""
    iam_endpoint: str = "https://iam.cloud.ibm.com"
    containers_endpoint: str = "https://containers.cloud.ibm.com/global"
    """Those with `private.` in their names are reached from inside of IBM's network."""
