"""The map of clusters, tile by tile, and its legend; the script of the page draws the lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from meshctl.graph import words
from meshctl.graph.doors import with_gone
from meshctl.graph.model import OUTSIDE, TITLES, Cluster, GatewayKind, Graph
from meshctl.graph.page import place
from meshctl.graph.scene import EMPTY, MARKS, Part, Scene, State

KINDS = {"discovery": "Discovery", "requests": "Requests", "control": "Control plane"}
"""Layers of the map that can be shown and hidden."""
_STYLES: Mapping[GatewayKind, str] = {"east-west": "sidecar", "ambient": "ambient", "external": "istiod"}
"""Colour of a gateway of the mesh's own."""
KEYS = "Arrow keys go from part to part, Enter shows what is behind it, Escape the whole mesh."


def area(scene: Scene) -> Iterator[str]:
    """The section with the map."""
    groups = place.groups(scene)
    size = place.size(scene)
    rows = place.rows(scene)
    styles, room = place.where(groups, rows) if size == "few" else ([""] * len(groups), "")
    yield '<section class="map" aria-labelledby="map-title">'
    yield '<div class="bar"><h2 id="map-title">Map</h2>'
    yield '<label class="find">Find a cluster <input type="search" id="find" autocomplete="off"></label>'
    yield '<fieldset id="layers"><legend>Lines</legend>'
    for key, text in KINDS.items():
        yield f'<label><input type="checkbox" value="{key}" checked> {text}</label>'
    yield "</fieldset></div>"
    yield f'<p id="keys" class="hint">{KEYS}</p><div class="scroll">'
    yield (
        f'<div id="map" class="{size}" style="--rows:{rows}" role="group" aria-labelledby="map-title" '
        'aria-describedby="keys">'
    )
    yield (
        '<button type="button" class="root" data-mesh>'
        f"<b>Root CA</b> of {escape(scene.graph.mesh)}, signs for {len(scene.graph.signs)}</button>"
    )
    yield '<svg id="lines" aria-hidden="false"></svg>'
    yield f'<div class="networks"{room}>'
    number = 0
    for group, where in zip(groups, styles, strict=True):
        yield f'<section class="network {group.kind}"{where}><h3>{escape(group.title)}</h3>'
        yield f'<div class="tiles"{place.columns(size, group)}>'
        for name in group.clusters:
            yield _tile(scene, name, number)
            number += 1
        yield "</div></section>"
    yield "</div></div></div>"
    yield from _beside(scene.graph)
    yield from _legend(scene)
    yield "</section>"


def _beside(graph: Graph) -> Iterator[str]:
    """What is no cluster, below the map."""
    for title, items in (("Virtual machines", words.machines(graph)), ("Other meshes", words.meshes(graph))):
        if items:
            told = (f"<li><b>{escape(name)}</b>{escape(' · '.join(about))}</li>" for name, *about in items)
            yield f'<h3 class="beside">{title}</h3><ul class="beside" aria-label="{title}">{"".join(told)}</ul>'


def _tile(scene: Scene, name: str, number: int) -> str:
    drawn = with_gone(scene.graph, {(name, ""): scene.clusters.get(name, EMPTY)}).clusters()
    cluster = next((item for item in drawn if item.name == name), None)
    part = scene.clusters.get(name, EMPTY)
    mark, said = MARKS.get(part.state, ("", ""))
    label = [name, cluster.role if cluster else "", said]
    if part.findings:
        label.append(f"{len(part.findings)} finding{'' if len(part.findings) == 1 else 's'}")
    signs = f"<span class='mark'>{mark}</span>" if mark else ""
    signs += "<span class='mark warned'>⚠</span>" if part.findings else ""
    marks = f"<span class='marks'>{signs}<span class='peer'></span></span>"
    inside = [f"<span class='top'><b>{_name(name)}</b>{marks}</span>"]
    if cluster:
        inside.append(f"<span class='role'>{escape(_role(cluster))}</span>")
        inside.append(f"<span class='chips'>{''.join(_chips(scene.graph, cluster, part))}</span>")
        label += [f"{words.door(cluster, gateway)} {MARKS[state][1]}" for gateway, state in part.gateways.items()]
    role = cluster.role if cluster else "gone"
    return (
        f'<button type="button" class="tile {role}" data-cluster="{number}" data-state="{part.state}" tabindex="-1" '
        f'aria-label="{escape(", ".join(filter(None, label)))}" title="{escape(name)}">'
        f"{''.join(inside)}</button>"
    )


def _name(name: str) -> str:
    """In two parts, so that the end of a long name, which tells it from others, is never cut off."""
    kept = min(4, len(name) // 2)
    return f"<span>{escape(name[:-kept])}</span>{escape(name[-kept:])}" if kept else escape(name)


def _role(cluster: Cluster) -> str:
    place_ = cluster.platform if cluster.platform != "generic" else ""
    # The frame around it says the network already.
    locality = cluster.locality if cluster.locality != cluster.network else ""
    return " · ".join(filter(None, (cluster.role, place_, locality)))


def _chips(graph: Graph, cluster: Cluster, part: Part) -> Iterator[str]:
    for revision in cluster.istiods:
        yield f"<i class='istiod'>{escape(words.istiod(revision))}</i>"
    for plane in cluster.planes:
        yield f"<i class='{plane}'>{plane}</i>"
    for gateway in cluster.gateways:
        if gateway.kind not in OUTSIDE:
            yield _door(_STYLES[gateway.kind], TITLES[gateway.kind], part.gateways.get(gateway, ""))
    if cluster.name in graph.signs:
        yield "<i class='trust'>signs</i>"
    for gateway in cluster.gateways:
        if gateway.kind in OUTSIDE:
            text = words.door(cluster, gateway).removesuffix(" gateway")
            yield _door("outside", text, part.gateways.get(gateway, ""))


def _door(style: str, text: str, state: State) -> str:
    sign = f"{MARKS[state][0]} " if state else ""
    told = f" data-state='{state}' title='{MARKS[state][1]}'" if state else ""
    return f"<i class='gateway {style}'{told}>{sign}{escape(text)}</i>"


def _legend(scene: Scene) -> Iterator[str]:
    yield '<ul class="legend" aria-label="Legend">'
    size = place.size(scene)
    for style, text in _lines(scene.graph) if size == "few" else ():
        yield (
            f'<li><svg width="34" height="10" aria-hidden="true"><path class="line {style}" d="M1 5H33"/></svg>'
            f"{escape(text)}</li>"
        )
    for sign, text in (("⇄", "each reads the other"), ("←", "read by the chosen one"), ("→", "reads the chosen one")):
        if size != "few":
            yield f'<li><span class="peer">{sign}</span>{text}</li>'
    for state in scene.states():
        mark, text = MARKS[state]
        yield f'<li><span class="mark" data-state="{state}">{mark}</span>{text}</li>'
    if any(part.findings for part in scene.clusters.values()):
        yield '<li><span class="mark warned">⚠</span>has findings</li>'
    yield "</ul>"


def _lines(graph: Graph) -> Iterator[tuple[str, str]]:
    if graph.discovery:
        yield "discovery", words.discovery(graph)
    if graph.control:
        yield "control", words.control()
    if any(not call.through for call in graph.calls):
        yield "direct", words.direct()
    for plane in ("sidecar", "ambient"):
        if any(call.through and call.plane == plane for call in graph.calls):
            yield plane, words.between(plane)
