"""What an ingress gateway lets in and where it leads: from the objects of either API to what a document says. Pure.

The other direction is `mesh_components.gateways.ingress_objects`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from itertools import chain, pairwise
from typing import Any

from mesh_components.gateways.ingress_objects import HTTP
from mesh_components.settings.ingress import IngressHost, IngressSettings
from mesh_components.topology import names
from mesh_components.topology.meshes import SERVICE_DOMAIN, full_host
from mesh_components.topology.outside import credential
from meshctl.importing.asking import Object
from meshctl.importing.doors import Door


@dataclass
class _Hosts:
    """What is said of each host."""

    credentials: dict[str, str] = field(default_factory=dict)
    redirected: set[str] = field(default_factory=set)
    routes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    order: list[list[str]] = field(default_factory=list)
    """Hosts that follow each other."""

    def entries(self, gateway: str, cluster: str, ours: Collection[str]) -> Iterator[dict[str, Any]]:
        for host in _in_one_order([*self.order, *([name] for name in sorted(self.routes))]):
            yield {
                "host": host,
                "tls": self._tls(gateway, cluster, host, ours),
                "https_redirect": host in self.redirected,
                "routes": self.routes.get(host, []),
            }

    def _tls(self, gateway: str, cluster: str, host: str, ours: Collection[str]) -> dict[str, Any] | None:
        name = self.credentials.get(host)
        if name is None:
            return None
        if name not in ours:
            return {"credential": name}
        usual = name == credential(gateway, IngressHost(host=host))
        places = {"certificate": {"file": f"{cluster}/{name}.pem"}, "key": {"secret": f"{cluster}-{name}"}}
        return places if usual else {"credential": name, **places}


def istio(
    name: str,
    namespace: str,
    door: Door,
    objects: Iterable[Object],
    *,
    cluster: str = "",
    credentials: Collection[str] = (),
) -> IngressSettings:
    """A gateway in Istio's own words.

    Args:
        name: of the proxy's objects.
        namespace: where they are.
        door: the proxy.
        objects: Gateways and VirtualServices of the namespace.
        cluster: which this is; for the places of certificates.
        credentials: names of the Secrets that this library has made there.

    Raises:
        ValidationError: where something of it is nothing that a document can say.
    """
    label, found = names.gateway_label(name), _Hosts()
    first: list[str] = []
    for item in objects:
        spec = item.get("spec") or {}
        if item["kind"] == "Gateway" and item["metadata"]["name"] == label:
            for server in spec.get("servers") or ():
                hosts, tls = [str(host) for host in server.get("hosts") or ()], server.get("tls") or {}
                found.order.append(hosts)
                if tls.get("httpsRedirect"):
                    found.redirected.update(hosts)
                if "credentialName" in tls:
                    found.credentials |= dict.fromkeys(hosts, str(tls["credentialName"]))
                    first += hosts[:1]
        if item["kind"] == "VirtualService" and label in (spec.get("gateways") or ()):
            for host in spec.get("hosts") or ():
                found.routes[str(host)] = [_istio_route(rule) for rule in spec.get("http") or ()]
    found.order.append(first)
    ports = {"http": door.ports.get("http2"), "https": door.ports.get("https")}
    return _settings(name, namespace, "istio", door, ports, found.entries(name, cluster, credentials))


def gateway_api(
    name: str,
    namespace: str,
    door: Door,
    objects: Iterable[Object],
    *,
    cluster: str = "",
    credentials: Collection[str] = (),
) -> IngressSettings:
    """The same in the words of the Gateway API: `objects` are Gateways and HTTPRoutes."""
    found, ports = _Hosts(), dict[str, int | None](http=None)
    for item in objects:
        spec = item.get("spec") or {}
        if item["kind"] == "Gateway" and item["metadata"]["name"] == name:
            for listener in spec.get("listeners") or ():
                ports[HTTP if listener.get("name") == HTTP else "https"] = listener.get("port")
                for secret in (listener.get("tls") or {}).get("certificateRefs") or ():
                    found.credentials[str(listener.get("hostname") or "*")] = str(secret.get("name"))
            found.order.append(list(found.credentials))
        if item["kind"] == "HTTPRoute" and any(to.get("name") == name for to in spec.get("parentRefs") or ()):
            for host in map(str, spec.get("hostnames") or ("*",)):
                rules = spec.get("rules") or ()
                if any(part.get("type") == "RequestRedirect" for rule in rules for part in rule.get("filters") or ()):
                    found.redirected.add(host)
                else:
                    found.routes[host] = [_http_route(rule) for rule in rules]
    return _settings(name, namespace, "gateway-api", door, ports, found.entries(name, cluster, credentials))


def _settings(
    name: str, namespace: str, api: str, door: Door, ports: Mapping[str, int | None], hosts: Iterable[dict[str, Any]]
) -> IngressSettings:
    return IngressSettings.model_validate(
        {
            "name": name,
            "namespace": namespace,
            "api": api,
            "ports": ports,
            "node_ports": {key: door.node_ports.get(port or 0) for key, port in ports.items()},
            "hosts": list(hosts),
            **door.settings(),
        }
    )


def _istio_route(rule: Mapping[str, Any]) -> dict[str, Any]:
    exact = [match["uri"]["exact"] for match in rule.get("match") or () if "exact" in (match.get("uri") or {})]
    to = _first(rule.get("route")).get("destination") or {}
    return {
        "path": exact[0] if exact else "/",
        "service": _short(str(to.get("host") or "")),
        "port": (to.get("port") or {}).get("number"),
    }


def _http_route(rule: Mapping[str, Any]) -> dict[str, Any]:
    to, path = _first(rule.get("backendRefs")), _first(rule.get("matches")).get("path") or {}
    return {"path": path.get("value") or "/", "service": _short(str(to.get("name") or "")), "port": to.get("port")}


def _short(host: str) -> str:
    short = host.removesuffix(SERVICE_DOMAIN)
    return short if full_host(short) == host else host


def _first(items: Any) -> Mapping[str, Any]:
    return items[0] if items else {}


def _in_one_order(chains: Iterable[list[str]]) -> list[str]:
    """All of them, each once, so that each of the chains keeps its order."""
    listed = list(chains)
    sorter = TopologicalSorter[str]()
    for hosts in listed:
        for host in hosts:
            sorter.add(host)
        for before, after in pairwise(hosts):
            sorter.add(after, before)
    try:
        return list(sorter.static_order())
    except CycleError:
        return list(dict.fromkeys(chain.from_iterable(listed)))
