"""East-west gateway: the door through which other networks reach this cluster's workloads.

Owns the proxy, its Service and the Gateway that exposes services. Does not own the root namespace or the istiod that
injects the proxy: it must come after both (`depends_on`).
"""

from __future__ import annotations

from typing import Annotated, Literal

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.gateways import objects
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.kubernetes import KubernetesObject, Plain


class EastWestGatewayArgs(ComponentArgs):
    """Which network it is the door of, and how it is exposed."""

    network: str
    namespace: MaybeOutput[str] = "istio-system"
    revision: str = ""
    service_type: Literal["LoadBalancer", "NodePort", "ClusterIP"] = "LoadBalancer"
    annotations: dict[str, str] = Field(default_factory=dict)
    load_balancer_source_ranges: tuple[str, ...] = ()
    min_replicas: Annotated[int, Field(ge=1)] = 1
    max_replicas: Annotated[int, Field(ge=1)] = 5
    hosts: tuple[str, ...] = ("*.local",)
    """What may be reached through it, as SNI host names."""


class EastWestGateway(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`."""

    address: pulumi.Output[str | None]
    """IP or host name of the load balancer; None for a Service of another type."""

    def __init__(self, name: str, args: EastWestGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:EastWestGateway", name, {"network": args.network}, opts)
        child = child_options(self, opts)
        exposed = KubernetesObject(
            f"{name}-expose",
            objects.expose_services(args.namespace, args.hosts),
            pulumi.ResourceOptions.merge(child, retry_while_unserved(name)),
        )
        for role, manifest in _proxy_objects(args).items():
            # The webhook that accepts the Gateway is served by the istiod that injects the proxy: before it, the pods
            # would be refused, and tried again ever more rarely.
            KubernetesObject(f"{name}-{role}", manifest, child_options(self, opts, exposed))
        # The Service waits for ready proxies by itself, so nothing of the proxy may wait for the Service.
        service = KubernetesObject(
            f"{name}-service",
            objects.service(
                args.namespace, args.network, args.service_type, args.annotations, args.load_balancer_source_ranges
            ),
            child,
        )
        self.address = service.status.apply(objects.load_balancer_address)
        self.register_outputs({"address": self.address})


def _proxy_objects(args: EastWestGatewayArgs) -> dict[str, Plain]:
    made = {
        "account": objects.account(args.namespace),
        "role": objects.role(args.namespace),
        "role-binding": objects.role_binding(args.namespace),
        "proxy": objects.deployment(args.namespace, args.network, args.revision),
        "autoscaler": objects.autoscaler(args.namespace, args.min_replicas, args.max_replicas),
    }
    if args.min_replicas > 1:
        made["disruption-budget"] = objects.disruption_budget(args.namespace)
    return made
