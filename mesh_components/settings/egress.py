"""The egress gateway as the document says it: which hosts outside of the mesh workloads call, and how they leave."""

from __future__ import annotations

from typing import Literal

from mesh_components.settings.base import Settings
from mesh_components.settings.gateway import GatewaySize
from mesh_components.settings.meshes import PortNumber


class EgressHost(Settings):
    """A host outside of the mesh."""

    host: str
    """DNS name."""
    tls: Literal["passthrough", "originate", "none"] = "passthrough"
    """`passthrough`: workloads speak TLS with the host. `originate`: they speak HTTP, and what leaves the mesh does so
    with TLS. `none`: HTTP all the way."""
    port: PortNumber | None = None
    """Of the host. Left out: 443, and 80 with `tls: none`. With `originate` workloads call port 80, whatever it is."""


class EgressSettings(GatewaySize):
    """Where workloads of a cluster leave the mesh."""

    gateway: bool = True
    """False: the hosts are declared, and every proxy goes there by itself."""
    name: str = "istio-egressgateway"
    """Of the proxy's objects. What follows `istio-` is the value of the label `istio` by which a Gateway selects it."""
    namespace: str = "istio-egress"
    """Where the proxy and all that is said of the hosts are."""
    create_namespace: bool = True
    """False where something else makes the namespace. The root namespace is never made for a gateway."""
    hosts: tuple[EgressHost, ...] = ()
    """Empty in a remote, whose proxies are configured where its control plane reads."""
