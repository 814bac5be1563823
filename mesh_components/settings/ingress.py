"""Ingress gateways as the document says them: how the outside world reaches services of the mesh."""

from __future__ import annotations

from typing import Literal

from mesh_components.settings.base import Settings
from mesh_components.settings.gateway import GatewaySettings
from mesh_components.settings.meshes import PortNumber
from mesh_components.settings.place import PlaceSettings


class IngressPorts(Settings):
    """On which ports the gateway listens."""

    http: PortNumber | None = 80
    """Without TLS; null for none."""
    https: PortNumber | None = 443
    """For hosts with `tls`; null for none."""


class IngressNodePorts(Settings):
    """On which ports of the nodes."""

    http: PortNumber | None = None
    """Left out: one that the API server picks."""
    https: PortNumber | None = None


class IngressTls(Settings):
    """A host's certificate: a Secret that is there, or one that is made here of a certificate and a key."""

    credential: str | None = None
    """Name of the TLS Secret, in the gateway's namespace. With `certificate` and `key`: how the one that is made of
    them is called; `<gateway>-<host>` when left out."""
    certificate: PlaceSettings | None = None
    """Where the certificate is, PEM, with what is above it but for the root."""
    key: PlaceSettings | None = None
    """Where its private key is, PEM."""


class IngressRoute(Settings):
    """A path that leads to a service. Of several that match, the longest counts."""

    path: str = "/"
    """Whole segments: `/api` leads also `/api/v1` here, and not `/apis`."""
    service: str
    """`productpage.bookinfo`, or the full name of the Service."""
    port: PortNumber


class IngressHost(Settings):
    """A host name that is asked for."""

    host: str
    """DNS name, `*.example.com` for all below it, or `*` for every one."""
    tls: IngressTls | None = None
    """Left out: the host is there without TLS only."""
    https_redirect: bool = False
    """Send those who come without TLS to the port with it, instead of serving them."""
    routes: tuple[IngressRoute, ...] = ()


class IngressSettings(GatewaySettings):
    """One ingress gateway of a cluster."""

    name: str = "istio-ingressgateway"
    """Of the proxy's objects. What follows `istio-` is the value of the label `istio` by which a Gateway selects it."""
    namespace: str = "istio-ingress"
    """Its own: it may read all Secrets there, and no others."""
    create_namespace: bool = True
    """False where something else makes the namespace. The root namespace is never made for a gateway."""
    api: Literal["istio", "gateway-api"] = "istio"
    """Whose resources configure it: Gateway and VirtualService of Istio, or Gateway and HTTPRoute of the Gateway API.
    With the latter istiod runs the proxy."""
    ports: IngressPorts = IngressPorts()
    node_ports: IngressNodePorts = IngressNodePorts()
    hosts: tuple[IngressHost, ...] = ()
    """What is reached through it. Empty in a remote, whose gateway is configured where its control plane reads."""
