"""The picture in words: title, description for those who cannot see it, and what the legend says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mesh_components.topology import names
from mesh_components.topology.revisions import Revision
from meshctl.graph.model import GATEWAY_OF, OUTSIDE, PORT_OF, TITLES, Cluster, Gateway, Graph, Plane

LISTED = 6
"""A longer list of pairs is counted and not read out."""


def title(graph: Graph) -> str:
    """What the picture is of."""
    count = len(graph.clusters())
    networks = len(graph.networks)
    return f"{graph.mesh}: {count} {_plural(count, 'cluster')} in {networks} {_plural(networks, 'network')}"


def facts(graph: Graph) -> str:
    """The line below the mesh's name."""
    istio = f"Istio {graph.version}" if graph.version else "Istio installed by something else"
    return f"{istio} · trust domain {graph.trust_domain}"


def description(graph: Graph) -> str:
    """The whole picture, sentence by sentence."""
    return " ".join(_sentences(graph))


def istiod(revision: Revision) -> str:
    """`istiod-1-30-3`, or with its version where the name does not tell it."""
    name = names.istiod(revision.name)
    told = revision.version in ("", revision.name.replace("-", "."))
    return name if told else f"{name} {revision.version}"


def trust() -> str:
    """Legend."""
    return "trust: the root signs an intermediate for each istiod"


def discovery(graph: Graph) -> str:
    """Legend."""
    how = (
        "one Secret for all"
        if graph.bundled
        else "mounted kubeconfigs"
        if graph.mounted
        else "a remote secret for each"
    )
    return f"discovery: istiod reads services and endpoints, {how}"


def config() -> str:
    """Legend."""
    return f"discovery: istiod reads its configuration too, Secret {names.CONFIG_SECRET}"


def control() -> str:
    """Legend."""
    ports = f"{names.ISTIOD_PORT} and {names.WEBHOOK_PORT}"
    return f"control: proxies and injection reach istiod through its gateway, {ports}"


def direct() -> str:
    """Legend."""
    return "requests within a network, from pod to pod"


def between(plane: Plane) -> str:
    """Legend."""
    who = {"sidecar": "sidecars", "ambient": "ambient"}[plane]
    return f"requests between networks, {who}: through {GATEWAY_OF[plane]} gateways, {PORT_OF[plane]}"


def foreign() -> str:
    """Legend."""
    return "trust: the roots of two meshes, each accepted by the other"


def incoming() -> str:
    """Legend."""
    return f"requests of other meshes: through cross-mesh gateways, {names.MTLS_PORT}"


def door(cluster: Cluster, gateway: Gateway) -> str:
    """What a gateway is; one of several alike goes by its name."""
    alike = sum(other.kind == gateway.kind for other in cluster.gateways)
    return TITLES[gateway.kind] if alike == 1 else gateway.name


def machines(graph: Graph) -> list[list[str]]:
    """Of each group of machines its name, and the lines below."""
    return [
        [item.name, f"network {item.network}", f"belong to {item.cluster}, served by the istiod of {item.server}"]
        for item in graph.machines
    ]


def meshes(graph: Graph) -> list[list[str]]:
    """Of each other mesh its name, and the lines below."""
    return [
        [
            item.name,
            f"trust domain {item.trust_domain}",
            *([f"called from here: {_list(item.imports)}"] if item.imports else []),
            *([f"may call: {_list(item.exports)}"] if item.exports else []),
        ]
        for item in graph.meshes
    ]


def _sentences(graph: Graph) -> Iterator[str]:
    yield f"The root CA signs an intermediate for {_list(graph.signs)}."
    for cluster in graph.outside:
        yield f"{cluster.name}, outside of the networks, runs the control plane."
    for network in graph.networks:
        yield f"{network.name} has {_list(f'{cluster.name} ({cluster.role})' for cluster in network.clusters)}."
    for reader in dict.fromkeys(link.reader for link in graph.discovery):
        sources = [link.source for link in graph.discovery if link.reader == reader]
        yield f"The istiod of {reader} reads {_list(sources)}."
    for link in graph.discovery:
        if link.config:
            yield f"{link.source} holds the configuration of the istiod of {link.reader}."
    for server in dict.fromkeys(link.server for link in graph.control):
        served = [link.cluster for link in graph.control if link.server == server]
        yield f"{_list(served)} {'is' if len(served) == 1 else 'are'} served by the istiod of {server}."
    if any(not link.through for link in graph.calls):
        yield "Within a network pods reach each other directly."
    for plane in PORT_OF:
        doors = dict.fromkeys(name for link in graph.calls if link.plane == plane for name in link.through)
        if doors:
            yield (
                f"Requests between networks go through the {GATEWAY_OF[plane]} gateways of {_list(doors)}, "
                f"port {PORT_OF[plane]}."
            )
    yield from _beside(graph)


def _beside(graph: Graph) -> Iterator[str]:
    """What not every mesh has."""
    for kind in OUTSIDE:
        having = [cluster.name for cluster in graph.clusters() if cluster.gateway(kind)]
        if having:
            article = "a" if kind == "cross-mesh" else "an"
            yield f"{_list(having)} {'has' if len(having) == 1 else 'have'} {article} {TITLES[kind]}."
    for name, *about in machines(graph):
        yield f"Virtual machines {name}: {', '.join(about)}."
    for name, *about in meshes(graph):
        yield f"Another mesh, {name}: {'; '.join(about)}."


def _list(items: Iterable[str]) -> str:
    found = list(items)
    if len(found) > LISTED:
        found = [*found[: LISTED - 1], f"{len(found) - LISTED + 1} more"]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}" if found else "none"


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
