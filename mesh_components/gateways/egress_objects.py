"""What is outside of the mesh and how workloads go there, as plain data: Istio's own resources.

Shapes are those of Istio's guides
(https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway/,
https://istio.io/latest/docs/tasks/traffic-management/egress/egress-gateway-tls-origination/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mesh_components.gateways.expose import checked_object
from mesh_components.kubernetes import Plain
from mesh_components.settings.egress import EgressHost
from mesh_components.topology import names
from mesh_components.topology.outside import HTTPS, called_port, host_name, outside_port, subset


@dataclass(frozen=True)
class Egress:
    """Which gateway the objects belong to, and what is outside."""

    name: str
    namespace: str
    hosts: tuple[EgressHost, ...]
    gateway: bool = True
    """False: proxies go there by themselves."""

    @property
    def label(self) -> str:
        """By which the Gateway selects the proxy's pods; its own name too."""
        return names.gateway_label(self.name)

    @property
    def service(self) -> str:
        """The proxy's Service in full."""
        return names.service_host(self.name, self.namespace)

    @property
    def ports(self) -> tuple[tuple[str, int], ...]:
        """Name and number of the Service's ports: those of the chart, and what else the hosts need."""
        own = {80: "http2", HTTPS: "https"}
        needed = sorted({called_port(host) for host in self.hosts} - own.keys())
        return (("status-port", names.STATUS_PORT), *((name, port) for port, name in own.items()),
                *((f"port-{port}", port) for port in needed))  # fmt: skip


def declared(egress: Egress) -> dict[str, Plain]:
    """What proxies know of the hosts, and what the gateway lets through; by the role that each object plays."""
    made: dict[str, Plain] = {}
    for host in egress.hosts:
        part = host_name(host.host)
        made[f"host-{part}"] = _object(egress, "ServiceEntry", part, _service_entry(host))
        if host.tls == "originate":
            made[f"tls-{part}"] = _object(egress, "DestinationRule", part, _origination(host))
    if egress.gateway and egress.hosts:
        made["gateway"] = checked_object("Gateway", egress.label, egress.namespace, _gateway(egress))
        made["subsets"] = _object(egress, "DestinationRule", egress.label, _subsets(egress))
    return made


def routes(egress: Egress) -> dict[str, Plain]:
    """What leads workloads to the gateway, and from there to the hosts; with no gateway, what they ask for without TLS
    to where it is spoken."""
    made: dict[str, Plain] = {}
    for host in egress.hosts:
        part = host_name(host.host)
        if not egress.gateway and host.tls != "originate":
            continue
        made[f"route-{part}"] = _object(egress, "VirtualService", part, _routes(egress, host))
    return made


def _object(egress: Egress, kind: str, name: str, spec: dict[str, Any]) -> Plain:
    """An object for all namespaces, whatever the mesh's defaults are."""
    return checked_object(kind, name, egress.namespace, {**spec, "exportTo": ["*"]})


def _service_entry(host: EgressHost) -> dict[str, Any]:
    protocol = "TLS" if host.tls == "passthrough" else "HTTP"
    ports = [{"number": called_port(host), "name": protocol.lower(), "protocol": protocol}]
    if host.tls == "originate":
        ports.append({"number": outside_port(host), "name": "https", "protocol": "HTTPS"})
    # A name with a star cannot be looked up: whoever calls goes where it wanted to.
    resolution = "NONE" if host.host.startswith("*") else "DNS"
    return {"hosts": [host.host], "location": "MESH_EXTERNAL", "ports": ports, "resolution": resolution}


def _origination(host: EgressHost) -> dict[str, Any]:
    """TLS towards the host, verified by the public authorities of the proxy's image."""
    tls = {"mode": "SIMPLE", "sni": host.host}
    outside = [{"port": {"number": outside_port(host)}, "tls": tls}]
    return {"host": host.host, "trafficPolicy": {"portLevelSettings": outside}}


def _gateway(egress: Egress) -> dict[str, Any]:
    return {"selector": {"istio": egress.label}, "servers": [_server(host) for host in egress.hosts]}


def _server(host: EgressHost) -> dict[str, Any]:
    # HTTP comes to the gateway by mutual TLS, so the gateway knows who calls; TLS of the workload's own is passed on.
    protocol, mode = ("TLS", "PASSTHROUGH") if host.tls == "passthrough" else ("HTTPS", "ISTIO_MUTUAL")
    port = {"number": called_port(host), "name": f"{protocol.lower()}-{subset(host.host)}", "protocol": protocol}
    return {"port": port, "hosts": [host.host], "tls": {"mode": mode}}


def _subsets(egress: Egress) -> dict[str, Any]:
    """One a host: by the SNI that it sets, the gateway finds the server."""
    return {"host": egress.service, "subsets": [_subset(host) for host in egress.hosts]}


def _subset(host: EgressHost) -> dict[str, Any]:
    if host.tls == "passthrough":
        return {"name": subset(host.host)}
    tls = {"mode": "ISTIO_MUTUAL", "sni": host.host}
    policy = {"portLevelSettings": [{"port": {"number": called_port(host)}, "tls": tls}]}
    return {"name": subset(host.host), "trafficPolicy": policy}


def _routes(egress: Egress, host: EgressHost) -> dict[str, Any]:
    called, passed = called_port(host), host.tls == "passthrough"
    door = {"host": egress.service, "subset": subset(host.host), "port": {"number": called}}
    outside = {"host": host.host, "port": {"number": outside_port(host)}}
    ways = {"mesh": door, egress.label: outside} if egress.gateway else {"mesh": outside}
    sni = {"sniHosts": [host.host]} if passed else {}
    rules = [
        {"match": [{"gateways": [gateway], "port": called, **sni}], "route": [{"destination": destination}]}
        for gateway, destination in ways.items()
    ]
    return {"hosts": [host.host], "gateways": list(ways), "tls" if passed else "http": rules}
