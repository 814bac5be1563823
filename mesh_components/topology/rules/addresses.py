"""Addresses: where each API server is for the istiods that read it.

The kubeconfig that works on a laptop often names an address that only the laptop reaches; istiod then reports the
cluster as `timeout` and knows none of its endpoints (https://istio.io/latest/docs/ops/diagnostic-tools/multicluster/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.topology.rules.context import (
    Context,
    at,
    clusters_named,
    error,
    quoted,
    quoted_key,
    warning,
)

_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)
"""RFC 1918, RFC 6598, RFC 4193 and link-local. `ipaddress.is_private` has more, even the ranges for documentation."""

_PRIVATE_SUFFIXES = (".internal", ".local")
_HTTPS = 443


@dataclass(frozen=True)
class Url:
    """The parts of an API server's URL that tell two servers apart. A proxy such as Rancher's has one per path."""

    host: str
    port: int
    path: str

    @property
    def ip(self) -> IPv4Address | IPv6Address | None:
        """The host as an address; None where it is a name."""
        try:
            address = ip_address(self.host)
        except ValueError:
            return None
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return mapped or address

    @property
    def own_machine(self) -> bool:
        """Whether the address means whoever asks."""
        if self.ip is not None:
            return self.ip.is_loopback or self.ip.is_unspecified
        return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def private(self) -> bool:
        """Whether the address means something only inside of some network."""
        if self.ip is not None:
            return any(self.ip in range_ for range_ in _PRIVATE)
        return self.host.endswith(_PRIVATE_SUFFIXES)


def url(text: str) -> Url | str:
    """The URL, or what is wrong with it, in words that do not quote it: it may hold a password."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "is no URL"
    if parts.username or parts.password:
        return "holds credentials"
    if parts.scheme != "https":
        return f"begins with {parts.scheme}://" if "://" in text and parts.scheme else "does not begin with https://"
    if not parts.hostname or " " in parts.hostname:
        return "has no host"
    return Url(parts.hostname.rstrip("."), port or _HTTPS, parts.path.rstrip("/"))


def own_machine(context: Context) -> Iterator[Finding]:
    """MESH204 (istio#44826, istio#29938, sail-operator#157). The lab runs all API servers on one machine."""
    for index, place, address, readers in _read_addresses(context):
        if address.own_machine and context.mesh.clusters[index].platform != "lab":
            yield error(
                "MESH204",
                place,
                f'"{address.host}" means the machine of whoever asks; the istiod of '
                f"{clusters_named(readers)} would ask itself and never learn this cluster's endpoints",
                "set `apiServer.address` to a URL that the other clusters' pods reach",
            )


def private(context: Context) -> Iterator[Finding]:
    """MESH205 (istio#57525). A warning: networks may be joined in ways the document does not tell of."""
    for index, place, address, readers in _read_addresses(context):
        network = context.mesh.clusters[index].network
        outside = tuple(reader for reader in readers if reader.network != network)
        # Who wrote an address for one reader thought of that reader's way.
        if (
            outside
            and address.private
            and context.mesh.clusters[index].platform != "lab"
            and ".addressFor" not in place
        ):
            yield warning(
                "MESH205",
                place,
                f'"{address.host}" is a private address, and the istiod of {clusters_named(outside)} asks from another '
                "network; without a route it waits 30 s at each start and never learns this cluster's endpoints",
                "set `apiServer.address` to one that is reachable from there, or `apiServer.addressFor` for those "
                "readers; go on if a peering or VPN leads here",
            )


def malformed(context: Context) -> Iterator[Finding]:
    """MESH206. What is stated in the document is looked at even where nobody reads the cluster yet."""
    for index, cluster in context.clusters():
        stated = cluster.api_server.address
        places = {at(index, "apiServer.address"): stated} if stated is not None else {}
        for reader, text in cluster.api_server.address_for.items():
            places[at(index, f"apiServer.addressFor.{quoted_key(reader)}")] = text
        places |= {place: text for place, text, _ in _known(context, index)}
        for place, text in places.items():
            problem = url(text)
            if isinstance(problem, str):
                yield error(
                    "MESH206",
                    place,
                    f"the address of the API server {problem}; over http istiod would send its token in clear, and "
                    "without a scheme and a host it would ask nobody",
                    "write it as https://host:port, such as https://203.0.113.10:6443",
                )


def unknown_reader(context: Context) -> Iterator[Finding]:
    """MESH213."""
    for index, cluster in context.clusters():
        readers = {reader.name for reader in context.readers(index)}
        for name in cluster.api_server.address_for:
            place = at(index, f"apiServer.addressFor.{quoted_key(name)}")
            if context.index(name) is None:
                yield error(
                    "MESH213",
                    place,
                    f"no cluster is called {quoted(name)}, so nobody asks at this address",
                    "write the name of the cluster whose istiod asks",
                )
            elif name not in readers:
                yield warning(
                    "MESH213",
                    place,
                    f'no istiod of {quoted(name)} reads "{cluster.name}", so nobody asks at this address',
                    "take it out, or let `discovery` have that cluster read this one",
                )


def _known(context: Context, index: int) -> Iterator[tuple[str, str, tuple[ClusterSettings, ...]]]:
    """Each address at which this cluster is read: its place, the text, and who reads it there."""
    found: dict[tuple[str, str], list[ClusterSettings]] = {}
    for reader in context.readers(index):
        known = context.address(index, reader.name)
        if known:
            found.setdefault((known[1], known[0]), []).append(reader)
    return ((place, text, tuple(readers)) for (place, text), readers in found.items())


def _read_addresses(context: Context) -> Iterator[tuple[int, str, Url, tuple[ClusterSettings, ...]]]:
    """The well-formed addresses of the clusters that somebody reads; MESH206 tells of the others."""
    for index, _ in context.clusters():
        for place, text, readers in _known(context, index):
            address = url(text)
            if isinstance(address, Url):
                yield index, place, address, readers


RULES = (own_machine, private, malformed, unknown_reader)
