"""Ingress gateways: whether what is described can be reached, and by nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.settings.ingress import IngressHost, IngressSettings
from mesh_components.topology import meshes, names
from mesh_components.topology.rules.context import Context, at, error, quoted, warning
from mesh_components.topology.rules.names import DNS_LABEL

NODE_PORTS = range(30000, 32768)
"""Unless `--service-node-port-range` says otherwise
(https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport)."""

HOST = re.compile(r"(?=.{1,253}\Z)(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SECRET = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_NAMESPACE_AND_NAME = 2


@dataclass(frozen=True)
class Gateway:
    """One ingress gateway of the document."""

    index: int
    number: int
    cluster: ClusterSettings
    settings: IngressSettings

    def at(self, key: str) -> str:
        """The place of a key of it."""
        return at(self.index, f"ingress[{self.number}].{key}")

    def hosts(self) -> Iterator[tuple[str, IngressHost]]:
        """Each with its place."""
        return ((self.at(f"hosts[{n}]"), host) for n, host in enumerate(self.settings.hosts))


def gateways(context: Context) -> Iterator[Gateway]:
    """Those of all clusters."""
    for index, cluster in context.clusters():
        for number, settings in enumerate(cluster.ingress):
            yield Gateway(index, number, cluster, settings)


def same_host(context: Context) -> Iterator[Finding]:
    """MESH922."""
    for gateway in gateways(context):
        first: dict[str, str] = {}
        for place, host in gateway.hosts():
            earlier = first.setdefault(host.host, place)
            if earlier != place:
                yield error(
                    "MESH922",
                    f"{place}.host",
                    f"{quoted(host.host)} is let in at {earlier} too, on the same ports; one of the two would be "
                    "ignored",
                    "put their routes together",
                )


def same_name(context: Context) -> Iterator[Finding]:
    """MESH923. Selectors look into all namespaces, so those do not keep gateways apart."""
    for index, cluster in context.clusters():
        first = {
            names.gateway_label(names.EAST_WEST_GATEWAY): "the east-west gateway",
            names.gateway_label(names.AMBIENT_GATEWAY): "the ambient gateway",
            names.gateway_label(names.CROSS_MESH_GATEWAY): "the gateway for other meshes",
        }
        stated = [(at(index, f"ingress[{n}].name"), item.name) for n, item in enumerate(cluster.ingress)]
        stated += [(at(index, "egress.name"), cluster.egress.name)] if cluster.egress else []
        for place, name in stated:
            earlier = first.setdefault(names.gateway_label(name), place)
            if earlier != place:
                yield error(
                    "MESH923",
                    place,
                    f"{quoted(name)} is the name of {earlier} too, but for `istio-`; by what follows that Istio's "
                    "Gateways select proxies, in all namespaces, and each would do what is meant for the other",
                    "give each gateway of a cluster a name of its own",
                )


def redirect(context: Context) -> Iterator[Finding]:
    """MESH924."""
    for gateway in gateways(context):
        ports = gateway.settings.ports
        for place, host in gateway.hosts():
            if not host.https_redirect:
                continue
            if host.tls is None or ports.https is None:
                yield error(
                    "MESH924",
                    f"{place}.httpsRedirect",
                    f"clients of {quoted(host.host)} are sent to the port with TLS, and "
                    f"{'the host has no certificate' if host.tls is None else 'there is none'}",
                    "add `tls`" if host.tls is None else "give `ports.https` a number",
                )
            elif ports.http is None:
                yield error(
                    "MESH924",
                    f"{place}.httpsRedirect",
                    "there is no port without TLS, so nobody can come there to be sent on",
                    "take `httpsRedirect` out, or give `ports.http` a number",
                )


def closed(context: Context) -> Iterator[Finding]:
    """MESH925."""
    for gateway in gateways(context):
        ports = gateway.settings.ports
        for place, host in gateway.hosts():
            if host.tls is not None and ports.https is None:
                yield error(
                    "MESH925",
                    f"{place}.tls",
                    f"{quoted(host.host)} has a certificate, and the gateway has no port for TLS",
                    "give `ports.https` a number",
                )
            elif host.tls is None and ports.http is None:
                yield error(
                    "MESH925",
                    f"{place}.host",
                    f"{quoted(host.host)} has no certificate, and the gateway has no port without TLS",
                    "add `tls`, or give `ports.http` a number",
                )
        if ports.http is not None and ports.http == ports.https:
            yield error(
                "MESH925",
                gateway.at("ports.https"),
                f"{ports.https} is the port without TLS too; the API server refuses such a Service",
                "write another number",
            )


def node_ports(context: Context) -> Iterator[Finding]:
    """MESH926."""
    for index, _ in context.clusters():
        first: dict[int, str] = {}
        for gateway in gateways(context):
            stated = gateway.settings.node_ports
            for key, number in (("http", stated.http), ("https", stated.https)):
                if gateway.index != index or number is None:
                    continue
                place = gateway.at(f"nodePorts.{key}")
                earlier = first.setdefault(number, place)
                if earlier != place:
                    reason = f"{number} is taken by {earlier}; the API server refuses the second Service"
                    yield error("MESH926", place, reason, "write another number, or leave it out")
                elif gateway.settings.service_type == "ClusterIP":
                    reason = "a Service of type ClusterIP has no ports of nodes; the API server refuses it"
                    yield error("MESH926", place, reason, "write `serviceType: NodePort`, or take it out")
                elif number not in NODE_PORTS:
                    yield warning(
                        "MESH926",
                        place,
                        f"{number} is outside of {NODE_PORTS[0]} to {NODE_PORTS[-1]}, and the API server refuses it "
                        "unless it was started with another `--service-node-port-range`",
                        "write a number of that range, or leave it out",
                    )


def words(context: Context) -> Iterator[Finding]:
    """MESH927."""
    for gateway in gateways(context):
        for key, value in (("name", gateway.settings.name), ("namespace", gateway.settings.namespace)):
            if not DNS_LABEL.fullmatch(value):
                yield error(
                    "MESH927",
                    gateway.at(key),
                    f"{quoted(value)} cannot be the name of a {'gateway' if key == 'name' else 'namespace'}",
                    "use lower-case letters, digits and inner dashes, at most 63",
                )
        for place, host in gateway.hosts():
            if host.host != "*" and not HOST.fullmatch(host.host):
                yield error(
                    "MESH927",
                    f"{place}.host",
                    f"{quoted(host.host)} is no host name that clients ask for",
                    "write a DNS name in lower case without scheme and port, `*.example.com`, or `*`",
                )
            for number, route in enumerate(host.routes):
                if not route.path.startswith("/") or re.search(r"[?#*\s]|//", route.path):
                    yield error(
                        "MESH927",
                        f"{place}.routes[{number}].path",
                        f"{quoted(route.path)} is no path",
                        "write one that begins with a slash, without patterns, query and spaces, such as /api",
                    )
                if not is_service(route.service):
                    yield error(
                        "MESH927",
                        f"{place}.routes[{number}].service",
                        f"{quoted(route.service)} is not the name of a Service, so requests would end at nobody",
                        f"write <service>.<namespace>, such as productpage.bookinfo, or that with "
                        f"{meshes.SERVICE_DOMAIN} behind it",
                    )


def is_service(host: str) -> bool:
    """Whether it is `reviews.bookinfo`, or that in full."""
    labels = meshes.full_host(host).removesuffix(meshes.SERVICE_DOMAIN).split(".")
    return len(labels) == _NAMESPACE_AND_NAME and all(DNS_LABEL.fullmatch(label) for label in labels)


def same_path(context: Context) -> Iterator[Finding]:
    """MESH928."""
    for gateway in gateways(context):
        for place, host in gateway.hosts():
            first: dict[str, int] = {}
            for number, route in enumerate(host.routes):
                earlier = first.setdefault(route.path.rstrip("/"), number)
                if earlier != number:
                    yield error(
                        "MESH928",
                        f"{place}.routes[{number}].path",
                        f"{quoted(route.path)} leads to {quoted(host.routes[earlier].service)} already, so nobody "
                        "would come here",
                        "take one of the two out; a share of the requests for each is a weight, and no second path",
                    )


RULES = (
    same_host,
    same_name,
    redirect,
    closed,
    node_ports,
    words,
    same_path,
)
