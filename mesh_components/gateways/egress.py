"""Egress gateway: where workloads leave the mesh for hosts outside of it.

Owns the proxy, its Service, what is said of the hosts, and the ways to them. Does not own its namespace, or the istiod
that injects it: it must come after both (`depends_on`). What keeps workloads from going out by other ways is not here:
`meshConfig.outboundTrafficPolicy` is a setting of istiod, and a NetworkPolicy one of the cluster.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from mesh_components.component import child_options
from mesh_components.gateways import egress_objects, objects, proxy
from mesh_components.gateways.egress_objects import Egress
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.kubernetes import KubernetesObject, Plain
from mesh_components.settings.egress import EgressHost
from mesh_components.topology import names


class EgressGatewayArgs(proxy.ProxyArgs):
    """Which hosts, and how the proxy is run."""

    namespace: str = "istio-egress"
    service_type: proxy.ServiceType = "ClusterIP"
    gateway: bool = True
    """False: the hosts are declared, and every proxy goes there by itself."""
    gateway_name: str = names.EGRESS_GATEWAY
    """Of the proxy's objects. What follows `istio-` is the label by which Istio's Gateway selects it."""
    hosts: tuple[EgressHost, ...] = ()

    @property
    def described(self) -> Egress:
        """The same, for the builders of its objects."""
        return Egress(self.gateway_name, self.namespace, self.hosts, self.gateway)


class EgressGateway(pulumi.ComponentResource):
    """Hand it the cluster's provider through `opts.providers`."""

    service: str
    """The proxy's Service in full, to which policies and dashboards refer."""

    def __init__(self, name: str, args: EgressGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        egress = args.described
        super().__init__("mesh:index:EgressGateway", name, {"gateway": args.gateway}, opts)
        # One hook for both: Pulumi takes a name of a hook once.
        patience = retry_while_unserved(name)
        there = self._say(name, egress_objects.declared(egress), patience, opts)
        if args.gateway:
            described = objects.Proxy(
                args.gateway_name, args.namespace, egress.ports, revision=args.revision, reads_secrets=False
            )
            there = proxy.register(self, name, described, args, opts, *there).pods
        # At last: from then on nobody goes out by another way, so somebody has to be there.
        self._say(name, egress_objects.routes(egress), patience, opts, *there)
        self.service = egress.service
        self.register_outputs({"service": self.service})

    def _say(
        self,
        name: str,
        manifests: Mapping[str, Plain],
        patience: pulumi.ResourceOptions,
        opts: pulumi.ResourceOptions | None,
        *after: pulumi.Resource,
    ) -> list[pulumi.Resource]:
        patient = pulumi.ResourceOptions.merge(child_options(self, opts, *after), patience)
        return [KubernetesObject(f"{name}-{role}", manifest, patient) for role, manifest in manifests.items()]
