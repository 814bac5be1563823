"""East-west gateway: the door through which other networks reach this cluster's workloads, and remotes its istiod.

Owns the proxy, its Service and what is exposed through it. Does not own the root namespace or the istiod that injects
the proxy: it must come after both (`depends_on`).
"""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.component import child_options
from mesh_components.gateways import expose, objects, proxy
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.kubernetes import KubernetesObject, Plain
from mesh_components.topology import names


class EastWestGatewayArgs(proxy.ProxyArgs):
    """Which network it is the door of, and what is behind it."""

    network: str
    expose_services: bool = True
    """False in a remote: its gateway is configured by the Gateway that lies in its primary."""
    hosts: tuple[str, ...] = ("*.local",)
    """What may be reached through it, as SNI host names."""
    expose_istiod: tuple[str, ...] = ()
    """Revisions whose istiod remotes reach through it; the empty name is the one without a name."""
    istiod_host: str | None = None
    """Host name of the gateway where remotes call istiod's webhook by URL; it leads to the first revision."""


class EastWestGateway(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`."""

    address: pulumi.Output[str | None]
    """IP or host name of the load balancer, or the one that was known beforehand; None for a Service of another
    type."""
    load_balancer: pulumi.Output[str | None]
    """What the load balancer has got, whatever was known beforehand: a name of one's own has to point there."""

    def __init__(self, name: str, args: EastWestGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:EastWestGateway", name, {"network": args.network}, opts)
        patient = pulumi.ResourceOptions.merge(child_options(self, opts), retry_while_unserved(name))
        exposed = [KubernetesObject(f"{name}-{role}", manifest, patient) for role, manifest in _exposed(args).items()]
        described = objects.Proxy(
            names.EAST_WEST_GATEWAY,
            args.namespace,
            objects.EAST_WEST_PORTS,
            args.network,
            args.revision,
            reads_secrets=False,
        )
        # The webhook that accepts what is exposed is served by the istiod that injects the proxy: before it, the pods
        # would be refused, and tried again ever more rarely.
        self.address, self.load_balancer, _ = proxy.register(self, name, described, args, opts, *exposed)
        self.register_outputs({"address": self.address, "loadBalancer": self.load_balancer})


def _exposed(args: EastWestGatewayArgs) -> dict[str, Plain]:
    made: dict[str, Plain] = {}
    if args.expose_services:
        made["expose"] = expose.services(args.namespace, args.hosts)
    if args.expose_istiod:
        made["expose-istiod"] = expose.istiod(args.namespace)
    for revision in args.expose_istiod:
        made[f"route-{names.istiod(revision)}"] = _route(args, revision)
    return made


def _route(args: EastWestGatewayArgs, revision: str) -> Plain:
    def spec(namespace: str) -> dict[str, Any]:
        hosts = expose.istiod_sni_hosts(args.expose_istiod, namespace, args.istiod_host)
        return expose.istiod_route_spec(revision, namespace, hosts[revision])

    return expose.istiod_route(revision, args.namespace, pulumi.Output.from_input(args.namespace).apply(spec))
