"""East-west gateway of ambient: a Gateway of the Gateway API, for which istiod runs the proxy.

It must come after an istiod that knows the class `istio-east-west` (PILOT_ENABLE_AMBIENT and
AMBIENT_ENABLE_MULTI_NETWORK). It carries HBONE only: it cannot expose istiod, which is why ambient has no
primary-remote.
"""

from __future__ import annotations

import pulumi

from mesh_components.gateways import gateway_api
from mesh_components.gateways.proxy import ProxyArgs
from mesh_components.topology import names

_LISTENER = {
    "name": "mesh",
    "port": names.HBONE_PORT,
    "protocol": "HBONE",
    "tls": {"mode": "Terminate", "options": {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"}},
}


class AmbientGatewayArgs(ProxyArgs):
    """Which network it is the door of. As long as nothing is said of its size there is one proxy, with the resources
    that istiod's `global.proxy` has, and no autoscaler."""

    network: str
    gateway_name: str = names.AMBIENT_GATEWAY
    """Of the Gateway, and of all that istiod makes for it: not the name of another gateway."""


class AmbientGateway(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`
    (https://istio.io/latest/docs/ambient/install/multicluster/multi-primary_multi-network/)."""

    address: pulumi.Output[str | None]
    """IP or host name of the load balancer, or the one that was known beforehand; None for a Service of another
    type."""

    def __init__(self, name: str, args: AmbientGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:AmbientGateway", name, {"network": args.network}, opts)
        self.address, _ = gateway_api.register(self, name, door(args), args, opts)
        self.register_outputs({"address": self.address})


def door(args: AmbientGatewayArgs) -> gateway_api.Door:
    """What its Gateway is for."""
    return gateway_api.Door(
        args.gateway_name, "istio-east-west", (_LISTENER,), labels={names.NETWORK_LABEL: args.network}
    )
