"""What an ingress gateway lets in and where it leads, as plain data, in the words of either API.

Both say the same of one document: a path counts in whole segments, and of several that match the longest one counts.
That is how the Gateway API defines it; a VirtualService takes the first that matches, by characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mesh_components.gateways.expose import checked_object
from mesh_components.gateways.gateway_api import API
from mesh_components.kubernetes import Plain
from mesh_components.settings.ingress import IngressHost, IngressPorts, IngressRoute
from mesh_components.topology import names
from mesh_components.topology.meshes import full_host
from mesh_components.topology.outside import credential, host_name

HTTP, HTTPS, REDIRECT = "http", "https", "redirect"


@dataclass(frozen=True)
class Ingress:
    """Which gateway the objects belong to, and what it lets in."""

    name: str
    namespace: str
    ports: IngressPorts
    hosts: tuple[IngressHost, ...]


def istio(gateway: Ingress) -> dict[str, Plain]:
    """Gateway and VirtualServices of Istio, by the role that each plays
    (https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/)."""
    label = names.gateway_label(gateway.name)
    found = servers(gateway)
    made: dict[str, Plain] = {}
    if found:
        spec = {"selector": {"istio": label}, "servers": found}
        made["gateway"] = checked_object("Gateway", label, gateway.namespace, spec)
    for host in (host for host in gateway.hosts if host.routes):
        spec = {
            "hosts": [host.host],
            "gateways": [label],
            # For the proxies in the gateway's own namespace: no sidecar has to know of it.
            "exportTo": ["."],
            "http": [_istio_route(route) for route in _longest_first(host.routes)],
        }
        name = f"{label}-{host_name(host.host)}"
        made[f"route-{host_name(host.host)}"] = checked_object("VirtualService", name, gateway.namespace, spec)
    return made


def servers(gateway: Ingress) -> list[dict[str, Any]]:
    """The servers of Istio's Gateway: hosts of one kind and one certificate share one."""
    ports, made = gateway.ports, []
    plain = [host.host for host in gateway.hosts if not host.https_redirect]
    moved = [host.host for host in gateway.hosts if host.https_redirect]
    if ports.http is not None and plain:
        made.append({"port": _port(ports.http, HTTP, "HTTP"), "hosts": plain})
    if ports.http is not None and moved:
        redirect = {"httpsRedirect": True}
        made.append({"port": _port(ports.http, REDIRECT, "HTTP"), "hosts": moved, "tls": redirect})
    by_credential: dict[str, list[str]] = {}
    for host in gateway.hosts if ports.https is not None else ():
        if host.tls is not None:
            by_credential.setdefault(credential(gateway.name, host), []).append(host.host)
    for name, hosts in by_credential.items():
        tls = {"mode": "SIMPLE", "credentialName": name}
        made.append({"port": _port(ports.https, f"{HTTPS}-{name}", "HTTPS"), "hosts": hosts, "tls": tls})
    return made


def listeners(gateway: Ingress) -> tuple[Plain, ...]:
    """The listeners of a Gateway of the Gateway API."""
    ports = gateway.ports
    own = {"allowedRoutes": {"namespaces": {"from": "Same"}}}
    made: list[Plain] = []
    if ports.http is not None:
        made.append({"name": HTTP, "port": ports.http, "protocol": "HTTP", **own})
    for host in gateway.hosts if ports.https is not None else ():
        if host.tls is not None:
            tls = {"mode": "Terminate", "certificateRefs": [{"name": credential(gateway.name, host)}]}
            named = {"name": _section(host), "port": ports.https, "protocol": "HTTPS", **_hostname(host)}
            made.append({**named, "tls": tls, **own})
    return tuple(made)


def http_routes(gateway: Ingress) -> dict[str, Plain]:
    """The HTTPRoutes of the Gateway API, by the role that each plays
    (https://gateway-api.sigs.k8s.io/guides/http-routing/)."""
    made: dict[str, Plain] = {}
    for host in gateway.hosts:
        name, part = f"{gateway.name}-{host_name(host.host)}", host_name(host.host)
        if host.routes:
            rules = [_http_rule(route) for route in _longest_first(host.routes)]
            made[f"route-{part}"] = _http_route(name, gateway.namespace, host, _parents(gateway, host), rules)
        if host.https_redirect and gateway.ports.http is not None:
            port = {} if gateway.ports.https == 443 else {"port": gateway.ports.https}
            to = {"scheme": "https", "statusCode": 301, **port}
            rules = [{"filters": [{"type": "RequestRedirect", "requestRedirect": to}]}]
            parents = [_parent(gateway, HTTP)]
            made[f"redirect-{part}"] = _http_route(f"{name}-redirect", gateway.namespace, host, parents, rules)
    return made


def _longest_first(routes: Sequence[IngressRoute]) -> list[IngressRoute]:
    return sorted(routes, key=lambda route: len(route.path.rstrip("/")), reverse=True)


def _istio_route(route: IngressRoute) -> dict[str, Any]:
    path = route.path.rstrip("/")
    match = {"match": [{"uri": {"exact": path}}, {"uri": {"prefix": f"{path}/"}}]} if path else {}
    return {**match, "route": [{"destination": {"host": full_host(route.service), "port": {"number": route.port}}}]}


def _http_rule(route: IngressRoute) -> dict[str, Any]:
    # By its name in the mesh: a Service would have to be in this cluster, and its namespace to allow it.
    backend = {"group": "networking.istio.io", "kind": "Hostname", "name": full_host(route.service), "port": route.port}
    path = {"type": "PathPrefix", "value": route.path.rstrip("/") or "/"}
    return {"matches": [{"path": path}], "backendRefs": [backend]}


def _http_route(
    name: str, namespace: Any, host: IngressHost, parents: Sequence[Plain], rules: Sequence[Plain]
) -> dict[str, Any]:
    hostnames = {} if host.host == "*" else {"hostnames": [host.host]}
    return {
        "apiVersion": API,
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"parentRefs": list(parents), **hostnames, "rules": list(rules)},
    }


def _parents(gateway: Ingress, host: IngressHost) -> list[Plain]:
    plain = gateway.ports.http is not None and not host.https_redirect
    secure = gateway.ports.https is not None and host.tls is not None
    return [_parent(gateway, name) for name, wanted in ((HTTP, plain), (_section(host), secure)) if wanted]


def _parent(gateway: Ingress, listener: str) -> Plain:
    return {"name": gateway.name, "sectionName": listener}


def _section(host: IngressHost) -> str:
    return f"{HTTPS}-{host_name(host.host)}"


def _hostname(host: IngressHost) -> dict[str, str]:
    return {} if host.host == "*" else {"hostname": host.host}


def _port(number: int | None, name: str, protocol: str) -> dict[str, Any]:
    return {"number": number, "name": name, "protocol": protocol}
