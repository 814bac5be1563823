"""Ingress gateway: the door through which the world outside reaches services of the mesh.

Owns the proxy, its Service, the Secrets with its certificates, and what it lets in; with the Gateway API istiod owns
the proxy. Does not own its namespace, the services, or the istiod that injects it: it must come after namespace and
istiod (`depends_on`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.gateways import gateway_api, ingress_objects, objects, proxy
from mesh_components.gateways.ingress_objects import Ingress
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.kubernetes import KubernetesObject, Plain, tls_secret
from mesh_components.settings.ingress import IngressHost, IngressPorts
from mesh_components.topology import names
from mesh_components.topology.outside import credential, host_name


class ServerCredential(ComponentArgs):
    """A certificate and its key, as values."""

    certificate_pem: MaybeOutput[str]
    """With what is above it, but for the root."""
    key_pem: MaybeOutput[str] = Field(repr=False)
    """Secret."""


class IngressGatewayArgs(proxy.ProxyArgs):
    """What is reached through it, and in whose words."""

    namespace: str = "istio-ingress"
    """Its own: the gateway may read all Secrets there."""
    gateway_name: str = names.INGRESS_GATEWAY
    """Of the proxy's objects. What follows `istio-` is the label by which Istio's Gateway selects it."""
    api: Literal["istio", "gateway-api"] = "istio"
    """With the Gateway API istiod runs the proxy."""
    ports: IngressPorts = IngressPorts()
    hosts: tuple[IngressHost, ...] = ()
    credentials: Mapping[str, ServerCredential] = Field(default_factory=dict, repr=False)
    """Certificates by host, for Secrets that are made here. Of other hosts the Secret is there."""

    @property
    def described(self) -> Ingress:
        """The same, for the builders of its objects."""
        return Ingress(self.gateway_name, self.namespace, self.ports, self.hosts)


class IngressGateway(pulumi.ComponentResource):
    """Hand it the cluster's provider through `opts.providers`."""

    address: pulumi.Output[str | None]
    """IP or host name of the load balancer, or the one that was known beforehand; None for a Service of another
    type."""

    def __init__(self, name: str, args: IngressGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:IngressGateway", name, {"api": args.api}, opts)
        secrets = [
            KubernetesObject(f"{name}-{secret}", manifest, child_options(self, opts))
            for secret, manifest in _secrets(args).items()
        ]
        register = self._istio if args.api == "istio" else self._gateway_api
        self.address = register(name, args, opts, *secrets)
        self.register_outputs({"address": self.address})

    def _istio(
        self, name: str, args: IngressGatewayArgs, opts: pulumi.ResourceOptions | None, *secrets: pulumi.Resource
    ) -> pulumi.Output[str | None]:
        patient = pulumi.ResourceOptions.merge(child_options(self, opts, *secrets), retry_while_unserved(name))
        exposed = [
            KubernetesObject(f"{name}-{role}", manifest, patient)
            for role, manifest in ingress_objects.istio(args.described).items()
        ]
        described = objects.Proxy(args.gateway_name, args.namespace, _ports(args.ports), revision=args.revision)
        return proxy.register(self, name, described, args, opts, *exposed).address

    def _gateway_api(
        self, name: str, args: IngressGatewayArgs, opts: pulumi.ResourceOptions | None, *secrets: pulumi.Resource
    ) -> pulumi.Output[str | None]:
        door = gateway_api.Door(args.gateway_name, "istio", ingress_objects.listeners(args.described))
        address, made = gateway_api.register(self, name, door, args, opts, *secrets)
        for role, manifest in ingress_objects.http_routes(args.described).items():
            KubernetesObject(f"{name}-{role}", manifest, child_options(self, opts, made))
        return address


def _ports(ports: IngressPorts) -> tuple[tuple[str, int], ...]:
    """As in the chart: the health check first, and HTTP's port is called http2."""
    found = (("status-port", names.STATUS_PORT), ("http2", ports.http), ("https", ports.https))
    return tuple((name, port) for name, port in found if port is not None)


def _secrets(args: IngressGatewayArgs) -> dict[str, Plain]:
    """By the role that each plays; hosts may share one."""
    made: dict[str, Plain] = {}
    for host in args.hosts:
        given, name = args.credentials.get(host.host), credential(args.gateway_name, host)
        if given is not None and name not in {item["metadata"]["name"] for item in made.values()}:
            manifest = tls_secret(name, args.namespace, given.certificate_pem, given.key_pem)
            made[f"tls-{host_name(host.host)}"] = manifest
    return made
