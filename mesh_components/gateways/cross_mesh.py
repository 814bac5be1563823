"""Cross-mesh gateway: the door through which other meshes reach what this one exports.

Owns the proxy, its Service and the list of hosts that it lets through. Does not own the root namespace or the istiod
that injects the proxy: it must come after both (`depends_on`). Its Service carries no network label: with one, istiod
would take it for an east-west gateway and send the mesh's own requests through it.
"""

from __future__ import annotations

from typing import Annotated

import pulumi
from pydantic import Field

from mesh_components.component import child_options
from mesh_components.gateways import expose, objects, proxy
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.kubernetes import KubernetesObject
from mesh_components.topology import names
from mesh_components.topology.meshes import full_host


class CrossMeshGatewayArgs(proxy.ProxyArgs):
    """What is behind it."""

    hosts: Annotated[tuple[str, ...], Field(min_length=1)]
    """Services that other meshes may reach, `helloworld.sample` or in full. No wildcards."""


class CrossMeshGateway(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`."""

    address: pulumi.Output[str | None]
    """IP or host name of the load balancer, or the one that was known beforehand; None for a Service of another
    type."""
    load_balancer: pulumi.Output[str | None]
    """What the load balancer has got, whatever was known beforehand."""

    def __init__(self, name: str, args: CrossMeshGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        hosts = sorted({full_host(host) for host in args.hosts})
        super().__init__("mesh:index:CrossMeshGateway", name, {"hosts": hosts}, opts)
        patient = pulumi.ResourceOptions.merge(child_options(self, opts), retry_while_unserved(name))
        exposed = KubernetesObject(f"{name}-expose", expose.to_other_meshes(args.namespace, hosts), patient)
        described = objects.Proxy(
            names.CROSS_MESH_GATEWAY,
            args.namespace,
            objects.CROSS_MESH_PORTS,
            revision=args.revision,
            reads_secrets=False,
        )
        self.address, self.load_balancer, _ = proxy.register(self, name, described, args, opts, exposed)
        self.register_outputs({"address": self.address, "loadBalancer": self.load_balancer})
