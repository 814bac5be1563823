"""East-west gateway of ambient: a Gateway of the Gateway API, for which istiod runs the proxy.

Owns the Gateway, and on request a NetworkPolicy. Account, Deployment and Service are made by istiod, which owns them:
it must come after an istiod that knows the class `istio-east-west` (PILOT_ENABLE_AMBIENT and
AMBIENT_ENABLE_MULTI_NETWORK) and after the CRDs of the Gateway API. It carries HBONE only: it cannot expose istiod,
which is why ambient has no primary-remote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.gateways.objects import policy_spec
from mesh_components.gateways.proxy import ServiceType
from mesh_components.kubernetes import KubernetesObject, Plain
from mesh_components.topology import names


class AmbientGatewayArgs(ComponentArgs):
    """Which network it is the door of, and how it is reached."""

    network: str
    gateway_name: str = names.AMBIENT_GATEWAY
    """Of the Gateway, and of all that istiod makes for it: not the name of another gateway."""
    namespace: MaybeOutput[str] = "istio-system"
    revision: str = ""
    """Revision or tag that serves it; without one, only the default revision does."""
    service_type: ServiceType = "LoadBalancer"
    annotations: dict[str, str] = Field(default_factory=dict)
    """Of the Service, for the cloud's load balancer."""
    network_policy: bool = False
    """A NetworkPolicy that opens the gateway's ports, where a cluster denies what is not allowed."""
    address: str | None = None
    """IP or host name at which the gateway is reached, where it is known beforehand."""


class AmbientGateway(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`
    (https://istio.io/latest/docs/ambient/install/multicluster/multi-primary_multi-network/)."""

    address: pulumi.Output[str | None]
    """IP or host name of the load balancer, or the one that was known beforehand; None for a Service of another
    type."""

    def __init__(self, name: str, args: AmbientGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:AmbientGateway", name, {"network": args.network}, opts)
        gateway = KubernetesObject(f"{name}-gateway", gateway_object(args), child_options(self, opts))
        if args.network_policy:
            KubernetesObject(f"{name}-network-policy", network_policy(args), child_options(self, opts))
        if args.address is not None:
            self.address = pulumi.Output.from_input(args.address)
        elif args.service_type == "LoadBalancer":
            self.address = gateway.status.apply(gateway_address)
        else:
            self.address = pulumi.Output.from_input(None)
        self.register_outputs({"address": self.address})


def gateway_object(args: AmbientGatewayArgs) -> Plain:
    """The Gateway."""
    balanced = args.service_type == "LoadBalancer"
    # Until the load balancer has an address istiod notes the Service's own, and does not call the Gateway programmed.
    wait = {"pulumi.com/waitFor": '["condition=Programmed", "jsonpath={.status.addresses[0].value}"]'}
    annotations = wait if balanced else {"networking.istio.io/service-type": args.service_type}
    listener = {
        "name": "mesh",
        "port": names.HBONE_PORT,
        "protocol": "HBONE",
        "tls": {"mode": "Terminate", "options": {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"}},
    }
    labels = {names.NETWORK_LABEL: args.network, **({names.REVISION_LABEL: args.revision} if args.revision else {})}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": args.gateway_name,
            "namespace": args.namespace,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": {
            "gatewayClassName": "istio-east-west",
            "listeners": [listener],
            **({"infrastructure": {"annotations": dict(args.annotations)}} if args.annotations else {}),
        },
    }


def network_policy(args: AmbientGatewayArgs) -> Plain:
    """Everyone may come to the gateway's ports, and it may go anywhere. istiod makes none of its own."""
    # By this label istiod finds the pods that it runs for a Gateway.
    pods = {"gateway.networking.k8s.io/gateway-name": args.gateway_name}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": args.gateway_name, "namespace": args.namespace},
        "spec": policy_spec(pods, [names.STATUS_PORT, names.HBONE_PORT]),
    }


def gateway_address(status: Mapping[str, Any] | None) -> str | None:
    """The first address in a Gateway's status; None where it has none."""
    addresses = (status or {}).get("addresses") or []
    return str(addresses[0]["value"]) if addresses else None
