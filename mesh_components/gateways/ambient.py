"""East-west gateway of ambient: a Gateway of the Gateway API, for which istiod runs the proxy.

Owns the Gateway; on request a ConfigMap with what istiod is to do otherwise for it, and a NetworkPolicy. Account,
Deployment, Service, autoscaler and disruption budget are made by istiod, which owns them: it must come after an istiod
that knows the class `istio-east-west` (PILOT_ENABLE_AMBIENT and AMBIENT_ENABLE_MULTI_NETWORK) and after the CRDs of the
Gateway API. It carries HBONE only: it cannot expose istiod, which is why ambient has no primary-remote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from mesh_components.component import child_options
from mesh_components.gateways.objects import policy_spec
from mesh_components.gateways.overlays import overlays
from mesh_components.gateways.proxy import ProxyArgs
from mesh_components.kubernetes import KubernetesObject, Plain
from mesh_components.topology import names


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
        # istiod makes nothing at all for a Gateway whose ConfigMap is not there.
        parameters = [
            KubernetesObject(f"{name}-parameters", manifest, child_options(self, opts))
            for manifest in parameters_object(args)
        ]
        gateway = KubernetesObject(f"{name}-gateway", gateway_object(args), child_options(self, opts, *parameters))
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
    infrastructure: dict[str, Any] = {"annotations": dict(args.annotations)} if args.annotations else {}
    if overlays(args):
        infrastructure["parametersRef"] = {"group": "", "kind": "ConfigMap", "name": _parameters(args)}
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
            **({"infrastructure": infrastructure} if infrastructure else {}),
        },
    }


def parameters_object(args: AmbientGatewayArgs) -> list[Plain]:
    """The ConfigMap that the Gateway names, where something of its proxy is to be otherwise; else none."""
    data = overlays(args)
    metadata = {"name": _parameters(args), "namespace": args.namespace}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}] if data else []


def _parameters(args: AmbientGatewayArgs) -> str:
    return f"{args.gateway_name}-parameters"


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
