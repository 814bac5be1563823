"""A Gateway of the Gateway API, for which istiod runs the proxy.

Owns the Gateway; on request a ConfigMap with what istiod is to do otherwise for it, and a NetworkPolicy. Account,
Deployment, Service, autoscaler and disruption budget are made by istiod, which owns them: a Gateway comes after an
istiod that knows its class, and after the CRDs of the Gateway API
(https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from mesh_components.component import child_options
from mesh_components.gateways.objects import policy_spec
from mesh_components.gateways.overlays import overlays
from mesh_components.gateways.proxy import ProxyArgs
from mesh_components.kubernetes import KubernetesObject, Plain
from mesh_components.topology import names

API = "gateway.networking.k8s.io/v1"


@dataclass(frozen=True)
class Door:
    """What a Gateway is for."""

    name: str
    gateway_class: str
    listeners: tuple[Plain, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    inside: bool = False
    """True: istiod makes no load balancer for the class, so no address is waited for."""

    @property
    def parameters(self) -> str:
        """Name of the ConfigMap."""
        return f"{self.name}-parameters"


def register(
    component: pulumi.Resource,
    name: str,
    door: Door,
    args: ProxyArgs,
    opts: pulumi.ResourceOptions | None,
    *after: pulumi.Resource,
) -> tuple[pulumi.Output[str | None], KubernetesObject]:
    """Register a Gateway and what belongs to it.

    Returns the address at which it is reached, and the Gateway.
    """
    # istiod makes nothing at all for a Gateway whose ConfigMap is not there.
    parameters = [
        KubernetesObject(f"{name}-parameters", manifest, child_options(component, opts))
        for manifest in parameters_object(door, args)
    ]
    made = KubernetesObject(
        f"{name}-gateway", gateway_object(door, args), child_options(component, opts, *parameters, *after)
    )
    if args.network_policy:
        KubernetesObject(f"{name}-network-policy", network_policy(door, args), child_options(component, opts))
    if args.address is not None:
        return pulumi.Output.from_input(args.address), made
    if args.service_type == "LoadBalancer":
        return made.status.apply(gateway_address), made
    return pulumi.Output.from_input(next(iter(args.external_ips), None)), made


def gateway_object(door: Door, args: ProxyArgs) -> Plain:
    """The Gateway."""
    infrastructure: dict[str, Any] = {"annotations": dict(args.annotations)} if args.annotations else {}
    if overlays(args):
        infrastructure["parametersRef"] = {"group": "", "kind": "ConfigMap", "name": door.parameters}
    labels = {**door.labels, **({names.REVISION_LABEL: args.revision} if args.revision else {})}
    return {
        "apiVersion": API,
        "kind": "Gateway",
        "metadata": {
            "name": door.name,
            "namespace": args.namespace,
            **({"labels": labels} if labels else {}),
            "annotations": _annotations(door, args),
        },
        "spec": {
            "gatewayClassName": door.gateway_class,
            "listeners": list(door.listeners),
            **({"infrastructure": infrastructure} if infrastructure else {}),
        },
    }


def _annotations(door: Door, args: ProxyArgs) -> Mapping[str, str]:
    """What is waited for, or which Service istiod is to make."""
    if door.inside:
        return {"pulumi.com/waitFor": "condition=Programmed"}
    if args.service_type != "LoadBalancer":
        return {"networking.istio.io/service-type": args.service_type}
    # Until the load balancer has an address istiod notes the Service's own, and does not call the Gateway programmed.
    return {"pulumi.com/waitFor": '["condition=Programmed", "jsonpath={.status.addresses[0].value}"]'}


def parameters_object(door: Door, args: ProxyArgs) -> list[Plain]:
    """The ConfigMap that the Gateway names, where something of its proxy is to be otherwise; else none."""
    data = overlays(args)
    metadata = {"name": door.parameters, "namespace": args.namespace}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}] if data else []


def network_policy(door: Door, args: ProxyArgs) -> Plain:
    """Everyone may come to the gateway's ports, and it may go anywhere. istiod makes none of its own."""
    # By this label istiod finds the pods that it runs for a Gateway.
    pods = {"gateway.networking.k8s.io/gateway-name": door.name}
    ports = dict.fromkeys((names.STATUS_PORT, *(int(listener["port"]) for listener in door.listeners)))
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": door.name, "namespace": args.namespace},
        "spec": policy_spec(pods, list(ports)),
    }


def gateway_address(status: Mapping[str, Any] | None) -> str | None:
    """The first address in a Gateway's status; None where it has none."""
    addresses = (status or {}).get("addresses") or []
    return str(addresses[0]["value"]) if addresses else None
