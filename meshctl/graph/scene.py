"""What stands behind the parts of a picture: resources, findings, and a state for each cluster and each pair.

From the document alone there is no state. `changes.py` takes states from a preview, `live.py` from what clusters hold.
Pure: no Pulumi, no cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from mesh_components.settings import Finding
from mesh_components.topology.plan import Topology
from mesh_components.topology.resources import Resource, resources
from meshctl.graph.model import Discovery, Gateway, Graph, graph

Source = Literal["document", "preview", "live"]
State = Literal["", "create", "update", "replace", "delete", "there", "missing", "differs", "extra", "unknown"]
"""Empty: nothing changes, or nobody has looked."""
MARKS: Mapping[State, tuple[str, str]] = {
    "create": ("+", "is created"),
    "update": ("~", "changes"),
    "replace": ("±", "is replaced"),
    "delete": ("−", "is deleted"),  # noqa: RUF001 (a minus sign, as wide as the plus)
    "there": ("✓", "is there"),
    "missing": ("!", "is missing"),
    "differs": ("≠", "differs from the document"),
    "extra": ("×", "is there, and not in the document"),  # noqa: RUF001 (a cross, as a sign)
    "unknown": ("?", "could not be read"),
}
"""Sign and words of each state: colour alone tells nothing to many."""
Pair = tuple[str, str]
"""Reader or caller, and whom it reads, calls or is served by."""
Owner = tuple[str, str]
"""A pair; or a cluster, with nothing after it; or the mesh, which is `MESH`."""
MESH: Owner = ("", "")

_CLUSTER = re.compile(r"^clusters\[(\d+)\]")
_EDGE = re.compile(r"^discovery\.edges\[(\d+)\]")


@dataclass(frozen=True)
class Thing:
    """One resource or object, as the page lists it. Values of fields are masked where they are secret."""

    name: str
    type: str
    what: str = ""
    """In words, where they say more than name and type."""
    state: State = ""
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What is behind a cluster, a pair of clusters, or the mesh as a whole."""

    things: tuple[Thing, ...] = ()
    findings: tuple[Finding, ...] = ()
    state: State = ""
    note: str = ""
    """Why the state is what it is."""
    gateways: Mapping[Gateway, State] = field(default_factory=dict)
    """Of a cluster: those that have a state."""
    control: State = ""
    """Of a pair: how the way is on which the one is served by the istiod of the other."""

    def states(self) -> set[State]:
        """All that a picture of it shows; what is behind it not among them."""
        return {self.state, self.control, *self.gateways.values()}


EMPTY = Part()
NOTHING: Mapping[Owner, Part] = {}
"""Behind a picture of the document alone, for those that draw states only."""


@dataclass(frozen=True)
class Scene:
    """A picture, and what is behind its parts."""

    graph: Graph
    source: Source = "document"
    about: str = "from the document alone; no cluster was asked"
    """Where it comes from, for people."""
    mesh: Part = EMPTY
    clusters: Mapping[str, Part] = field(default_factory=dict)
    """By name; those that are in no document any more among them."""
    pairs: Mapping[Pair, Part] = field(default_factory=dict)

    @property
    def gone(self) -> tuple[str, ...]:
        """Clusters that are not in the document."""
        known = {cluster.name for cluster in self.graph.clusters()}
        return tuple(name for name in self.clusters if name not in known)

    def parts(self) -> tuple[Part, ...]:
        """All that something is behind."""
        return (self.mesh, *self.clusters.values(), *self.pairs.values())

    def states(self) -> tuple[State, ...]:
        """Those that occur, in the order of `MARKS`."""
        found = {state for part in self.parts() for state in part.states()}
        found |= {thing.state for part in self.parts() for thing in part.things}
        return tuple(state for state in MARKS if state in found)

    def having(self, parts: Mapping[Owner, Part]) -> Scene:
        """The same picture with these parts behind it."""
        return replace(
            self,
            mesh=parts.get(MESH, EMPTY),
            clusters={one: part for (one, other), part in parts.items() if one and not other},
            pairs={pair: part for pair, part in parts.items() if all(pair)},
        )

    def owned(self) -> dict[Owner, Part]:
        """All parts by their owner."""
        return {MESH: self.mesh, **{(name, ""): part for name, part in self.clusters.items()}, **self.pairs}


def from_document(topology: Topology, findings: Iterable[Finding], name: str = "mesh") -> Scene:
    """The picture of a document: components by what they are of, findings by what they are about.

    Args:
        topology: the mesh, decided.
        findings: of its document.
        name: of the federation in the program.
    """
    things: dict[Owner, list[Thing]] = {}
    for item in resources(topology, name):
        things.setdefault(owner(item, name), []).append(Thing(item.name, item.type.rpartition(":")[2], item.what))
    remarks: dict[Owner, list[Finding]] = {}
    for finding in findings:
        remarks.setdefault(_about(topology, finding.place), []).append(finding)
    owners = dict.fromkeys(
        [*((cluster.name, "") for cluster in topology.clusters), *_pairs(topology), *things, *remarks]
    )
    parts = {key: Part(tuple(things.get(key, ())), tuple(remarks.get(key, ()))) for key in owners}
    return Scene(graph=graph(topology)).having(parts)


def discovered(graph: Graph, parts: Mapping[Owner, Part]) -> tuple[Discovery, ...]:
    """Links of discovery to draw: those of the document, and what has a state without being in it."""
    clusters = {cluster.name: cluster for cluster in graph.clusters()}
    known = {(link.reader, link.source) for link in graph.discovery}
    beside = [pair for pair, part in parts.items() if part.state and all(pair) and pair not in known]
    return (
        *graph.discovery,
        *(
            Discovery(reader, source, "", config=False)
            for reader, source in beside
            if reader in clusters and source in clusters and clusters[reader].istiods and clusters[source].planes
        ),
    )


def owner(item: Resource, name: str) -> Owner:
    """Whose a component is."""
    named = item.name.removeprefix(f"{name}-{item.cluster}-to-")
    return (named, item.cluster) if item.cluster and named != item.name else (item.cluster, "")


def _pairs(topology: Topology) -> Iterator[Pair]:
    yield from ((edge.reader, edge.source) for edge in topology.edges)


def _about(topology: Topology, place: str) -> Owner:
    """What a place of the document is about."""
    if match := _CLUSTER.match(place):
        return topology.mesh.clusters[int(match[1])].name, ""
    if match := _EDGE.match(place):
        edge = topology.mesh.discovery.edges[int(match[1])]
        return edge.reader, edge.source
    return MESH
