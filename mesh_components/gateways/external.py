"""The way to an external control plane: the gateway in front of its istiod, and what the gateway lets through.

Both are of the Istio that the external cluster runs for itself, not of the mesh it serves: that Istio injects the
gateway and reads its configuration, so both must come after it (`depends_on`)
(https://istio.io/latest/docs/setup/install/external-controlplane/).
"""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.gateways import expose, objects, proxy
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.kubernetes import KubernetesObject
from mesh_components.settings.location import AddressType
from mesh_components.topology import names


class ExternalGatewayArgs(proxy.ProxyArgs):
    """How the gateway is run and reached; the revision is one of the external cluster's own Istio."""

    namespace: MaybeOutput[str] = names.LOCAL_NAMESPACE


class ExternalGateway(pulumi.ComponentResource):
    """One in the external cluster; hand it the cluster's provider through `opts.providers`."""

    address: pulumi.Output[str | None]
    """IP or host name of the load balancer, or the one that was known beforehand; None for a Service of another
    type."""
    load_balancer: pulumi.Output[str | None]
    """What the load balancer has got, whatever was known beforehand: a name of one's own has to point there."""

    def __init__(self, name: str, args: ExternalGatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:ExternalGateway", name, {}, opts)
        described = objects.Proxy(names.INGRESS_GATEWAY, args.namespace, objects.EXTERNAL_PORTS, revision=args.revision)
        self.address, self.load_balancer, _ = proxy.register(self, name, described, args, opts)
        self.register_outputs({"address": self.address, "loadBalancer": self.load_balancer})


class ExposeExternalIstiodArgs(ComponentArgs):
    """Which istiod, and where it is reached."""

    address: MaybeOutput[str]
    """What proxies and webhooks of the mesh call."""
    address_type: AddressType
    credential: MaybeOutput[str]
    """Name of the TLS Secret with a certificate for the address, in the gateway's namespace."""
    root_cert_pem: MaybeOutput[str] | None = None
    """The mesh's root, by which the gateway knows istiod, where its own Istio has another. Left out: that Istio's
    certificates hang on the mesh's root too, so every proxy of it has the root already."""
    namespace: MaybeOutput[str] = "istio-system"
    """The mesh's root namespace in the external cluster, where its istiod is."""
    gateway_namespace: MaybeOutput[str] = names.LOCAL_NAMESPACE
    revision: str = ""
    """Of the istiod. The gateway ends TLS, and calls of all revisions look alike behind it: there can only be one."""


class ExposeExternalIstiod(pulumi.ComponentResource):
    """TLS ends at the gateway and begins anew towards istiod, whose certificate it verifies.

    `mode: SIMPLE` alone, as in Istio's documentation, verifies against the public authorities of the proxy's image
    (istio/istio pilot/pkg/networking/core/cluster_tls.go), and istiod's own certificate is from none of them. So the
    DestinationRule names the mesh's root: the file that the gateway has from its own Istio, or a Secret.
    """

    def __init__(self, name: str, args: ExposeExternalIstiodArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:ExposeExternalIstiod", name, {"addressType": args.address_type}, opts)
        root = self._root(name, args, opts)
        patient = pulumi.ResourceOptions.merge(child_options(self, opts, *root), retry_while_unserved(name))
        # Whoever calls an IP names no host, neither in TLS nor in a way that a Gateway could be asked for.
        hosts: list[Any] = ["*"] if args.address_type == "ip" else [args.address]
        istiod = pulumi.Output.from_input(args.namespace).apply(lambda space: names.istiod_host(args.revision, space))
        exposed = {
            "gateway": expose.external_gateway(args.namespace, hosts, args.credential),
            "route": expose.external_route(args.namespace, hosts, istiod),
            "rule": expose.external_rule(args.namespace, istiod, own_root=not root),
        }
        for role, manifest in exposed.items():
            KubernetesObject(f"{name}-{role}", manifest, patient)
        self.register_outputs({})

    def _root(
        self, name: str, args: ExposeExternalIstiodArgs, opts: pulumi.ResourceOptions | None
    ) -> list[pulumi.Resource]:
        if args.root_cert_pem is None:
            return []
        manifest = expose.external_root(args.gateway_namespace, args.root_cert_pem)
        return [KubernetesObject(f"{name}-root", manifest, child_options(self, opts))]
