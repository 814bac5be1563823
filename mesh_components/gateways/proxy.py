"""A gateway's proxy with all that belongs to it, whatever the gateway is for. What it lets through is the gateway's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.gateways import objects
from mesh_components.kubernetes import KubernetesObject, Plain
from mesh_components.settings.base import ResourceAmounts

ServiceType = Literal["LoadBalancer", "NodePort", "ClusterIP"]


class ProxySizeArgs(ComponentArgs):
    """How a proxy is run."""

    namespace: MaybeOutput[str] = "istio-system"
    revision: str = ""
    """Revision or tag that injects it."""
    min_replicas: Annotated[int, Field(ge=1)] = 1
    max_replicas: Annotated[int, Field(ge=1)] = 5
    requests: ResourceAmounts = ResourceAmounts()
    """What is left out is as in Istio's chart."""
    limits: ResourceAmounts = ResourceAmounts()
    network_policy: bool = False
    """A NetworkPolicy that opens the gateway's ports, where a cluster denies what is not allowed."""


class ProxyArgs(ProxySizeArgs):
    """How a proxy is run and reached."""

    service_type: ServiceType = "LoadBalancer"
    annotations: dict[str, str] = Field(default_factory=dict)
    """Of the Service, for the cloud's load balancer."""
    external_ips: tuple[str, ...] = ()
    """Addresses that lead to nodes of the cluster, where there is no load balancer."""
    node_ports: Mapping[int, int] = Field(default_factory=dict)
    """Ports of the nodes by port of the Service; the API server picks those that are left out."""
    load_balancer_source_ranges: tuple[str, ...] = ()
    address: str | None = None
    """IP or host name at which the gateway is reached, where it is known beforehand."""


class Registered(NamedTuple):
    """A proxy that was registered."""

    address: pulumi.Output[str | None]
    """At which the gateway is reached."""
    load_balancer: pulumi.Output[str | None]
    """What its load balancer has got."""
    pods: list[pulumi.Resource]
    """Everything of it but the Service: what needs the gateway to be there comes after these."""


def register(
    component: pulumi.Resource,
    name: str,
    proxy: objects.Proxy,
    args: ProxyArgs,
    opts: pulumi.ResourceOptions | None,
    *after: pulumi.Resource,
) -> Registered:
    """Register the proxy's objects under a gateway; all but the Service come after what is named."""
    pods: list[pulumi.Resource] = [
        KubernetesObject(f"{name}-{role}", manifest, child_options(component, opts, *after))
        for role, manifest in _objects(proxy, args).items()
    ]
    # The Service waits for ready proxies by itself, so nothing of the proxy may wait for the Service.
    service = KubernetesObject(
        f"{name}-service",
        objects.service(
            proxy,
            args.service_type,
            args.annotations,
            args.load_balancer_source_ranges,
            args.external_ips,
            args.node_ports,
        ),
        child_options(component, opts),
    )
    load_balancer = service.status.apply(objects.load_balancer_address)
    known = args.address or next(iter(args.external_ips), None)
    address = pulumi.Output.from_input(known) if known is not None else load_balancer
    return Registered(address, load_balancer, pods)


def _objects(proxy: objects.Proxy, args: ProxyArgs) -> dict[str, Plain]:
    made = {
        "account": objects.account(proxy),
        "proxy": objects.deployment(proxy, args.requests, args.limits),
        "autoscaler": objects.autoscaler(proxy, args.min_replicas, args.max_replicas),
    }
    if proxy.reads_secrets:
        made |= {"role": objects.role(proxy), "role-binding": objects.role_binding(proxy)}
    if args.min_replicas > 1:
        made["disruption-budget"] = objects.disruption_budget(proxy)
    if args.network_policy:
        made["network-policy"] = objects.network_policy(proxy)
    return made
