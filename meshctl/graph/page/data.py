"""What the script of the page knows: the picture with numbers in the place of names, since a mesh of a hundred clusters
has ten thousand pairs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh_components.settings import Finding
from mesh_components.topology import names
from meshctl.graph import words
from meshctl.graph.model import Cluster, Graph
from meshctl.graph.scene import EMPTY, MARKS, Pair, Part, Scene, Thing


def data(scene: Scene) -> dict[str, Any]:
    """All of it, as JSON takes it. Pairs have positions in `clusters`, reader or caller first."""
    graph = scene.graph
    order = [cluster.name for cluster in graph.clusters()] + list(scene.gone)
    at = {name: number for number, name in enumerate(order)}
    known = {cluster.name: cluster for cluster in graph.clusters()}
    links = _links(graph)
    return {
        "mesh": {"name": graph.mesh, "facts": _mesh(graph), **_part(scene.mesh)},
        "marks": {state: list(mark) for state, mark in MARKS.items()},
        "clusters": [
            {
                "name": name,
                "network": known[name].network if name in known else "",
                "gateways": [gateway.kind for gateway in known[name].gateways] if name in known else [],
                "facts": _cluster(graph, known[name], scene.clusters.get(name, EMPTY)) if name in known else [],
                **_part(scene.clusters.get(name, EMPTY)),
            }
            for name in order
        ],
        "pairs": [
            {
                "from": at[pair[0]],
                "to": at[pair[1]],
                "links": links.get(pair, []),
                **_part(scene.pairs.get(pair, EMPTY)),
            }
            for pair in dict.fromkeys([*links, *scene.pairs])
        ],
    }


def _links(graph: Graph) -> dict[Pair, list[list[Any]]]:
    """By pair, its links: the kind first, then what tells one from others of its kind."""
    found: dict[Pair, list[list[Any]]] = {}
    for read in graph.discovery:
        link = ["config" if read.config else "discovery", read.secret]
        found.setdefault((read.reader, read.source), []).append(link)
    for served in graph.control:
        link = ["control", served.gateway, " and ".join(map(str, served.ports))]
        found.setdefault((served.cluster, served.server), []).append(link)
    for call in graph.calls:
        mine = found.setdefault((call.caller, call.target), [])
        way: list[Any] = [call.plane if call.through else "direct", call.port]
        if way not in mine:
            mine.append(way)
    return found


def _part(part: Part) -> dict[str, Any]:
    told: dict[str, Any] = {
        "state": part.state,
        "note": part.note,
        "control": part.control,
        "things": [_thing(item) for item in part.things],
        "findings": [_finding(item) for item in part.findings],
    }
    return {key: value for key, value in told.items() if value}


def _thing(item: Thing) -> dict[str, Any]:
    told = {
        "name": item.name,
        "type": item.type,
        "what": item.what,
        "state": item.state,
        "fields": list(item.fields),
    }
    return {key: value for key, value in told.items() if value}


def _finding(item: Finding) -> dict[str, str]:
    return dict(item.as_json())


def _mesh(graph: Graph) -> list[list[str]]:
    return [
        ["Trust domain", graph.trust_domain],
        ["Istio", graph.version or "installed by something else"],
        ["Root CA signs for", f"{len(graph.signs)} istiod{'' if len(graph.signs) == 1 else 's'}"],
        ["Discovery", words.discovery(graph).partition(", ")[2]],
    ]


def _cluster(graph: Graph, cluster: Cluster, part: Part) -> list[list[str]]:
    return [list(row) for row in _rows(graph, cluster, part) if row[1]]


def _rows(graph: Graph, cluster: Cluster, part: Part) -> Iterator[tuple[str, str]]:
    yield "Role", cluster.role
    yield "Network", cluster.network
    yield "Platform", "" if cluster.platform == "generic" else cluster.platform
    yield "Locality", cluster.locality
    yield "Control plane", ", ".join(map(words.istiod, cluster.istiods)) or f"served by {cluster.control_plane}"
    yield "Tags", ", ".join(f"{tag} → {names.istiod(revision)}" for tag, revision in cluster.tags)
    yield "Data plane", " and ".join(cluster.planes)
    yield "Trust", "an intermediate of the mesh's root" if cluster.name in graph.signs else ""
    for gateway in dict.fromkeys((*cluster.gateways, *part.gateways)):
        ports = f", {' and '.join(map(str, gateway.ports))}" if gateway.ports else ""
        state = part.gateways.get(gateway, "")
        said = ": {} {}".format(*MARKS[state]) if state else ""
        yield f"{gateway.kind.capitalize()} gateway", f"{gateway.name}{ports}{said}"
