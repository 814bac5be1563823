"""What the document says of a gateway's proxy, whatever the gateway is for: how large it is, and how it is reached."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mesh_components.settings.base import ResourceAmounts, Settings
from mesh_components.settings.location import AddressType


class GatewaySize(Settings):
    """How large it is, and who injects it."""

    min_replicas: Annotated[int, Field(ge=1)] = 1
    max_replicas: Annotated[int, Field(ge=1)] = 5
    requests: ResourceAmounts = ResourceAmounts()
    limits: ResourceAmounts = ResourceAmounts()
    revision: str | None = None
    """Revision, or tag, that injects the proxy; that of the cluster's gateways when left out: `eastWest.revision`, or
    `istio.revision`."""


class GatewaySettings(GatewaySize):
    """A gateway that is reached from outside of the cluster."""

    service_type: Literal["LoadBalancer", "NodePort", "ClusterIP"] = "LoadBalancer"
    load_balancer: Literal["public", "internal"] | None = None
    """Let the platform's annotations ask for a load balancer that passes TCP through, open to the internet or inside of
    the cloud's network. Left out: no annotations but those that are written."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations of the Service, for the cloud's load balancer; they win over those of `loadBalancer`."""
    external_ips: tuple[str, ...] = ()
    """Addresses that lead to nodes of the cluster, where there is no load balancer (`spec.externalIPs`)."""
    load_balancer_source_ranges: tuple[str, ...] = ()
    """CIDRs that may reach the load balancer; everyone when empty."""
    address: str | None = None
    """IP or DNS name at which the gateway is reached, where it is known beforehand: a reserved IP, or a name of your
    own that points to the load balancer."""


class EastWestSettings(GatewaySettings):
    """The gateway through which other networks reach this cluster's workloads."""

    enabled: bool | None = None
    """Left out: a gateway exists where the mesh has more than one network, or where remotes come to this cluster's
    istiod."""
    hosts: tuple[str, ...] = ("*.local",)
    """Which services other networks may reach through it."""
    address_type: AddressType | None = None
    """What the load balancer gets, an IP or a host name; the platform's habit when left out."""
    credential: str | None = None
    """Of an external control plane: name of the TLS Secret with a public certificate for `address`. Left out: the
    mesh's root signs one."""
