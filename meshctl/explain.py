"""`mesh explain`: why a resource, an edge or a finding is there, what it needs, and what needs it.

Everything is told from the document: it is run against stand-ins (`local.foresight`), so no cluster is asked.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from mesh_components.settings import FindingsError, MeshSettings
from mesh_components.settings.findings import DOCS
from mesh_components.topology.catalogue import CATALOGUE
from mesh_components.topology.findings import check, findings
from mesh_components.topology.plan import Topology, plan
from mesh_components.topology.reasons import reason
from meshctl import display, document
from meshctl.display import short_type
from meshctl.local.foresight import Resource, foresee
from meshctl.local.project import ProjectError, load

_FINDING = re.compile(r"MESH\d{3}", re.IGNORECASE)
_EDGE = re.compile(r"\s*(?P<source>\S+?)\s*(?:->|→)\s*(?P<reader>\S+)\s*")
_WRITTEN = "written 'source -> reader'"
_LISTED = 12
_NEAR = 3
_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Explanation:
    """What is told, in the order in which it is told. Empty parts are left out."""

    what: str
    kind: str
    why: str
    document: tuple[str, ...] = ()
    """Places of the document that ask for it."""
    part_of: tuple[str, ...] = ()
    """Components around it, the nearest first."""
    consists_of: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    needed_by: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    page: str = ""


_TITLES = {
    "document": "asked for at",
    "part_of": "part of",
    "consists_of": "consists of",
    "needs": "needs",
    "needed_by": "needed by",
    "findings": "in this document",
    "page": "see",
}


def run(stack: str, cwd: Path, what: str, *, as_json: bool) -> int:
    """Explain, and print it. Raises what `commands.UserError` names."""
    mesh = document.mesh(load(cwd, stack))
    if _FINDING.fullmatch(what):
        told = [_finding(what.upper(), mesh)]
    else:
        try:
            check(mesh, brought=_brought(mesh))
        except FindingsError as error:
            raise ProjectError(str(error)) from None
        told = _Mesh(mesh).explain(what)
    if as_json:
        display.print_json([{key: value for key, value in asdict(item).items() if value} for item in told])
    else:
        click.echo("\n\n".join("\n".join(_lines(item)) for item in told))
    return 0


def _brought(mesh: MeshSettings) -> frozenset[str]:
    return frozenset(cluster.name for cluster in mesh.clusters)


def _finding(code: str, mesh: MeshSettings) -> Explanation:
    if code not in CATALOGUE:
        raise ProjectError(f"there is no finding {code}{_near(code, CATALOGUE)}")
    found = [item for item in findings(mesh, brought=_brought(mesh)) if item.code == code]
    said = tuple(f"{item.place}: {item.reason}; fix: {item.fix}" for item in found)
    nothing = ("the rule finds nothing in it; rules about kubeconfigs and certificates are run by a preview",)
    return Explanation(code, "finding", CATALOGUE[code], findings=said or nothing, page=f"{DOCS}/{code}.md")


class _Mesh:
    """A document, and what it leads to."""

    def __init__(self, mesh: MeshSettings) -> None:
        self._topology: Topology = plan(mesh)
        self._resources = {
            urn: item for urn, item in foresee(mesh).resources.items() if item.goal.type not in (_STACK,)
        }

    def explain(self, what: str) -> list[Explanation]:
        """All that has this name: a resource in Pulumi, an object, a cluster, or an edge."""
        if match := _EDGE.fullmatch(what):
            return [self._edge(match["source"], match["reader"])]
        found = [self._resource(item) for item in self._resources.values() if what in _names(item)]
        if found:
            return found
        clusters = [cluster.name for cluster in self._topology.clusters]
        if what in clusters:
            return [self._cluster(what)]
        known = [*clusters, *CATALOGUE, *(name for item in self._resources.values() for name in _names(item))]
        raise ProjectError(f"nothing here has the name {what!r}, and edges are {_WRITTEN}{_near(what, known)}")

    def _edge(self, source: str, reader: str) -> Explanation:
        edges = {(edge.source, edge.reader): edge for edge in self._topology.edges}
        if (source, reader) not in edges:
            wrong = next((name for name in (source, reader) if name not in self._clusters()), None)
            if wrong is not None:
                raise ProjectError(f"the mesh has no cluster {wrong!r}{_near(wrong, self._clusters())}")
            reach = self._topology.mesh.discovery.reach
            raise ProjectError(
                f"the istiod of {reader} does not read {source}: discovery.reach is {reach}, and remotes read nobody; "
                f"edges are {_WRITTEN}"
            )
        named = f"mesh-{source}-to-{reader}"
        mine = [item for item in self._resources.values() if item.goal.name == named]
        mine = mine or [item for item in self._resources.values() if item.goal.name == f"mesh-{reader}-sources"]
        why, places = reason(self._topology, "edge", source, reader)
        return Explanation(
            f"{source} -> {reader}",
            "edge of discovery",
            why,
            places,
            consists_of=_told(inner for item in mine for inner in (item, *self._inside(item))),
            needs=tuple(name for item in mine for name in self._needs(item)),
        )

    def _clusters(self) -> list[str]:
        return [cluster.name for cluster in self._topology.clusters]

    def _cluster(self, name: str) -> Explanation:
        why, places = reason(self._topology, "cluster", name)
        mine = [item for item in self._resources.values() if item.cluster == name]
        edges = tuple(f"{edge} (edge)" for edge in self._topology.edges if name in (edge.source, edge.reader))
        return Explanation(name, "cluster", why, places, consists_of=_told(mine), needed_by=edges)

    def _resource(self, item: Resource) -> Explanation:
        above = list(self._above(item))
        nearest = next((one for one in (item, *above) if one.goal.type.startswith("mesh:index:")), item)
        why, places = reason(self._topology, nearest.goal.type.rpartition(":")[2], *self._about(nearest))
        if nearest is not item:
            why = f"{nearest.goal.name} consists of it: {why}"
        return Explanation(
            item.goal.name,
            f"{short_type(item.goal.type)}{f' in {item.cluster}' if item.cluster else ''}",
            why,
            places,
            _told(above),
            _told(self._inside(item)),
            tuple(self._needs(item)),
            tuple(self._needed_by(item)),
        )

    def _about(self, item: Resource) -> tuple[str, ...]:
        """The clusters that a component's name tells: one, or a source and a reader."""
        named = item.goal.name.removeprefix("mesh-")
        for edge in self._topology.edges:
            if named == f"{edge.source}-to-{edge.reader}":
                return edge.source, edge.reader
        ordered = sorted(self._clusters(), key=len, reverse=True)
        return tuple(name for name in ordered if named == name or named.startswith(f"{name}-"))[:1]

    def _above(self, item: Resource) -> Iterator[Resource]:
        while (parent := self._resources.get(item.goal.parent)) is not None:
            yield parent
            item = parent

    def _inside(self, item: Resource) -> list[Resource]:
        return [one for one in self._resources.values() if any(two is item for two in self._above(one))]

    def _needs(self, item: Resource) -> Iterator[str]:
        """What its values come from, and what it waits for, without what is inside of itself."""
        inside = {item.goal.urn, *(one.goal.urn for one in self._inside(item))}
        mine = (item, *self._inside(item))
        asked = {urn for one in mine for urns in one.origins.values() for urn in urns}
        asked |= {urn for one in mine for urn in one.goal.dependencies}
        yield from _told(self._resources[urn] for urn in sorted(asked - inside) if urn in self._resources)

    def _needed_by(self, item: Resource) -> Iterator[str]:
        inside = {item.goal.urn, *(one.goal.urn for one in self._inside(item))}
        yield from _told(
            one
            for urn, one in self._resources.items()
            if urn not in inside and not inside.isdisjoint((*one.goal.dependencies, *_origins(one)))
        )


def _origins(item: Resource) -> Iterator[str]:
    yield from (urn for urns in item.origins.values() for urn in urns)


def _names(item: Resource) -> tuple[str, ...]:
    metadata = item.goal.inputs.get("metadata")
    object_ = metadata.get("name") if isinstance(metadata, dict) else None
    return (item.goal.name, item.goal.urn, *([object_] if isinstance(object_, str) else []))


def _told(resources: Iterable[Resource]) -> tuple[str, ...]:
    return tuple(f"{item.goal.name} ({short_type(item.goal.type)})" for item in resources)


def _near(what: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(what, list(dict.fromkeys(known)), _NEAR, 0.6)
    return f"; did you mean {', '.join(near)}?" if near else ""


def _lines(item: Explanation) -> Iterator[str]:
    yield click.style(item.what, bold=True) + f"  {item.kind}"
    yield f"  {item.why}"
    for key, title in _TITLES.items():
        found: str | Sequence[Any] = getattr(item, key)
        listed = [found] if isinstance(found, str) and found else list(found)
        if not listed:
            continue
        yield f"  {title}:"
        yield from (f"    {one}" for one in listed[:_LISTED])
        if len(listed) > _LISTED:
            yield f"    and {len(listed) - _LISTED} more (--json has all)"
