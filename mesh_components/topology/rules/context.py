"""What a rule looks at, and how it says what it found.

A rule is a function from a context to findings. It reads nothing else: no file, no cluster, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mesh_components.settings import ClusterSettings, Finding, MeshSettings, Severity
from mesh_components.settings.facts import FactsError, MeshFacts
from mesh_components.settings.gateway import GatewaySettings, GatewaySize
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError
from mesh_components.topology.edges import readers
from mesh_components.topology.material import Texts

Kubeconfigs = Mapping[int, Kubeconfig | KubeconfigError]
"""By position in `clusters`, not by name: a name that stands there twice is one of the things to be found."""

Facts = Mapping[int, MeshFacts | FactsError]
"""What other meshes say of themselves, by position in `meshes`; of a stack it is known later."""

HoldsChart = Callable[[str, str], bool]
"""Whether a folder holds a chart, `("./charts", "istiod")`."""

_LONGEST_QUOTE = 80


@dataclass(frozen=True)
class Context:
    """One document, and what could be read of the kubeconfigs it names."""

    mesh: MeshSettings
    kubeconfigs: Kubeconfigs = field(default_factory=dict)
    peer_kubeconfigs: Kubeconfigs = field(default_factory=dict)
    holds_chart: HoldsChart | None = None
    texts: Texts = field(default_factory=dict, repr=False)
    """Certificates and keys that the document names, as far as they were read."""
    now: datetime | None = None
    """The time; None where certificates are not looked at."""
    brought: frozenset[str] = frozenset()
    """Clusters that the calling program hands over ready: it has its own way to them."""
    facts: Facts = field(default_factory=dict)

    def clusters(self) -> Iterator[tuple[int, ClusterSettings]]:
        """The clusters with their positions."""
        return enumerate(self.mesh.clusters)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Each two clusters once, the earlier one first."""
        count = len(self.mesh.clusters)
        return ((i, j) for j in range(count) for i in range(j))

    def doors(self) -> Iterator[tuple[str, ClusterSettings, GatewaySettings]]:
        """The gateways that are reached from outside of their clusters, each with its place."""
        for index, cluster in self.clusters():
            yield at(index, "eastWest"), cluster, cluster.east_west
            for number, gateway in enumerate(cluster.ingress):
                yield at(index, f"ingress[{number}]"), cluster, gateway

    def gateways(self) -> Iterator[tuple[str, ClusterSettings, GatewaySize]]:
        """These, and those through which workloads leave."""
        yield from self.doors()
        for index, cluster in self.clusters():
            if cluster.egress is not None:
                yield at(index, "egress"), cluster, cluster.egress

    def readers(self, index: int) -> tuple[ClusterSettings, ...]:
        """The clusters whose istiod reads this one."""
        return readers(self.mesh, self.mesh.clusters[index])

    def index(self, name: str) -> int | None:
        """The position of the first cluster of that name."""
        return next((index for index, cluster in self.clusters() if cluster.name == name), None)

    def address(self, index: int, reader: str = "") -> tuple[str, str] | None:
        """Where this cluster's API server is for its peers, or for one of them, and the place that says so.

        A ready-made kubeconfig is handed on as it is, so its server counts; then the address in the document; then the
        server of the kubeconfig that this program uses. None while none of them is known.
        """
        cluster = self.mesh.clusters[index]
        ready_made = self.peer_kubeconfigs.get(index)
        own = self.kubeconfigs.get(index)
        if cluster.peer_kubeconfig is not None:
            return (ready_made.server, at(index, "peerKubeconfig")) if isinstance(ready_made, Kubeconfig) else None
        if reader in cluster.api_server.address_for:
            return cluster.api_server.address_for[reader], at(index, f"apiServer.addressFor.{quoted_key(reader)}")
        if cluster.api_server.address is not None:
            return cluster.api_server.address, at(index, "apiServer.address")
        return (own.server, at(index, "kubeconfig")) if isinstance(own, Kubeconfig) else None


Rule = Callable[[Context], Iterator[Finding]]


def at(index: int, key: str) -> str:
    """`clusters[1].network`."""
    return f"clusters[{index}].{key}"


def error(code: str, place: str, reason: str, fix: str) -> Finding:
    """A finding that stops the program before it creates anything."""
    return Finding(code, Severity.ERROR, place, reason, fix)


def warning(code: str, place: str, reason: str, fix: str) -> Finding:
    """A finding that is printed, and the program goes on."""
    return Finding(code, Severity.WARNING, place, reason, fix)


def quoted(value: str) -> str:
    """The value as a reader recognises it, cut where it is too long to be one: it may be anything, even a secret."""
    return f'"{value}"' if len(value) <= _LONGEST_QUOTE else f'"{value[:20]}…" ({len(value)} characters)'


def quoted_key(key: str) -> str:
    """A key of the document as part of a place, cut where it is too long to be one."""
    return key if len(key) <= _LONGEST_QUOTE else f"{key[:20]}…"


def versions(context: Context) -> list[tuple[str, str]]:
    """The version of each revision and the place that says it."""
    istio = context.mesh.istio
    stated = [(f"istio.revisions[{n}].version", item.version) for n, item in enumerate(istio.revisions)]
    if not stated:
        return [("istio.version", istio.version)]
    return [(place, text) if text is not None else ("istio.version", istio.version) for place, text in stated]


def clusters_named(clusters: tuple[ClusterSettings, ...]) -> str:
    """`"east" and "west"`, or how many where the list would be long."""
    few = 3
    if len(clusters) > few:
        return f"{len(clusters)} clusters"
    return " and ".join(f'"{cluster.name}"' for cluster in clusters)
