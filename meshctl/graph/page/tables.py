"""All of the page as tables, for those who would rather read than look, and for pages without their script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from meshctl.graph import words
from meshctl.graph.model import TITLES, Cluster, Graph
from meshctl.graph.scene import EMPTY, MARKS, Scene, State


def section(scene: Scene) -> Iterator[str]:
    """All tables."""
    graph = scene.graph
    yield '<section id="tables" class="tables" aria-labelledby="tables-title" tabindex="-1">'
    yield '<h2 id="tables-title">The same as tables</h2>'
    names = [*(cluster.name for cluster in graph.clusters()), *scene.gone]
    known = {cluster.name: cluster for cluster in graph.clusters()}
    rows = [_row(scene, name, known.get(name)) for name in names]
    head = (
        "Cluster",
        "Network",
        "Role",
        "Control plane",
        "Gateways",
        *(("State",) if scene.source != "document" else ()),
    )
    yield from _table("Clusters", head, (row[: len(head)] for row in rows))
    yield from _table("Discovery", ("The istiod of", "reads"), _reads(scene))
    ways = {pair: part.control for pair, part in scene.pairs.items()}
    served = (
        (link.cluster, _with(link.server, ways.get((link.cluster, link.server), "")), TITLES[link.gateway])
        for link in graph.control
    )
    yield from _table("Control planes of others", ("Cluster", "is served by", "through"), served)
    yield from _table("Requests", ("Workloads of", "call those of"), _calls(graph))
    machines = ((item.name, item.network, item.cluster, item.server) for item in graph.machines)
    yield from _table("Virtual machines", ("Machines", "Network", "belong to", "are served by"), machines)
    meshes = ((x.name, x.trust_domain, ", ".join(x.imports), ", ".join(x.exports)) for x in graph.meshes)
    yield from _table("Other meshes", ("Mesh", "Trust domain", "is asked for", "may call"), meshes)
    yield from _table("Findings", ("Finding", "Where", "Why", "Fix"), _findings(scene))
    yield "</section>"


def _row(scene: Scene, name: str, cluster: Cluster | None) -> tuple[str, ...]:
    part = scene.clusters.get(name, EMPTY)
    state = ", ".join(filter(None, (_said(part.state), part.note)))
    if cluster is None:
        return (name, "", "", "", "", state)
    doors = dict.fromkeys((*cluster.gateways, *part.gateways))
    istiods = ", ".join(map(words.istiod, cluster.istiods)) or f"of {cluster.control_plane}"
    return (
        name,
        cluster.network,
        cluster.role,
        istiods,
        ", ".join(_with(words.door(cluster, gateway), part.gateways.get(gateway, "")) for gateway in doors),
        state,
    )


def _with(text: str, state: State) -> str:
    return f"{text}: {MARKS[state][1]}" if state else text


def _said(state: State) -> str:
    return MARKS[state][1] if state in MARKS else "unchanged"


def _reads(scene: Scene) -> Iterator[tuple[str, str]]:
    """A row for each reader; where it reads all there are, they are not listed."""
    sources: dict[str, list[str]] = {}
    for link in scene.graph.discovery:
        sources.setdefault(link.reader, []).append(link.source)
    for reader, found in sources.items():
        yield reader, _all_or(scene.graph, reader, found)
    for state in scene.states():
        for (reader, source), part in scene.pairs.items():
            if part.state == state:
                yield reader, f"{source}: {' '.join(filter(None, (MARKS[state][1], part.note)))}"


def _calls(graph: Graph) -> Iterator[tuple[str, str]]:
    targets: dict[tuple[str, str], list[str]] = {}
    for call in graph.calls:
        way = words.between(call.plane).partition(": ")[2] if call.through else "from pod to pod"
        targets.setdefault((call.caller, way), []).append(call.target)
    for (caller, way), found in targets.items():
        yield caller, f"{_all_or(graph, caller, found)}: {way}"


def _all_or(graph: Graph, name: str, found: Sequence[str]) -> str:
    everyone = {cluster.name for network in graph.networks for cluster in network.clusters} - {name}
    return f"all {len(everyone)} others" if len(everyone) > 1 and everyone == set(found) else ", ".join(found)


def _findings(scene: Scene) -> Iterator[tuple[str, str, str, str]]:
    for item in (finding for part in scene.parts() for finding in part.findings):
        yield f"{item.code} {item.severity}", item.place, item.reason, item.fix


def _table(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    lines = [f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows]
    if lines:
        heads = "".join(f'<th scope="col">{name}</th>' for name in head)
        yield f"<details><summary>{title} ({len(lines)})</summary>"
        yield f"<div class='scroll' tabindex='0' role='region' aria-label='{title}'>"
        yield f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div></details>"
