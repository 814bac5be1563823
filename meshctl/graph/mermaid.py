"""The picture as a Mermaid flowchart, which GitHub and GitLab draw in a pull request.

Where everyone is linked to everyone, the links go through one node in the middle: N clusters then have 2 N links and
not N x N, and the picture stays one that can be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256

from mesh_components.topology import names
from meshctl.graph import words
from meshctl.graph.doors import with_gone
from meshctl.graph.model import GATEWAY_OF, OUTSIDE, PORT_OF, Cluster, GatewayKind, Graph
from meshctl.graph.scene import EMPTY, MARKS, NOTHING, Owner, Part, State, discovered
from meshctl.graph.sharing import complete

Ids = Mapping[str, str]
"""Node by name of a cluster: names may hold what Mermaid reads as its own."""
_STYLES = {
    "trust": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "istiod": "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
    "server": "fill:#fbefff,stroke:#8250df,color:#1f2328",
    "sidecar": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    "ambient": "fill:#ffeff7,stroke:#bf3989,color:#1f2328",
}
STATES: Mapping[State, str] = {
    "create": "stroke:#1a7f37,stroke-width:3px",
    "update": "stroke:#9a6700,stroke-width:3px",
    "replace": "stroke:#8250df,stroke-width:3px",
    "delete": "stroke:#cf222e,stroke-width:3px,stroke-dasharray:6 3",
    "there": "stroke:#1a7f37,stroke-width:3px",
    "missing": "stroke:#cf222e,stroke-width:3px,stroke-dasharray:6 3",
    "differs": "stroke:#9a6700,stroke-width:3px",
    "extra": "stroke:#8250df,stroke-width:3px",
    "unknown": "stroke:#57606a,stroke-width:3px,stroke-dasharray:2 3",
}
_OUTSIDE = "fill:#eaeef2,stroke:#57606a,color:#1f2328"
_LINK = re.compile(r" *\S+ (<?-->|-\.->|==>)")
_FEW = 2
"""So many links are drawn one by one even where they could go through a node in the middle."""


def write(graph: Graph, parts: Mapping[Owner, Part] = NOTHING) -> str:
    """One flowchart, without the fence around it. `parts` colour clusters, gateways, links of discovery and ways to
    istiod by their state, and a sign says it too."""
    states = {name: part for (name, other), part in parts.items() if name and not other and part.state}
    ids = {cluster.name: f"c{number}" for number, cluster in enumerate(graph.clusters())}
    drawn = with_gone(graph, parts)
    lines = [
        "flowchart LR",
        '  root(["Root CA"]):::trust',
        *(line for cluster in drawn.outside for line in _cluster(cluster, ids, "  ", parts)),
    ]
    for number, network in enumerate(drawn.networks):
        lines.append(f"  subgraph n{number}[{_quoted(network.name)}]")
        lines += [line for cluster in network.clusters for line in _cluster(cluster, ids, "    ", parts)]
        lines.append("  end")
    lines += [f"  root -->|signs| {ids[name]}_istiod" for name in graph.signs]
    coloured: dict[str, State] = {}
    lines += [f"  {line}" for line in _discovery(graph, ids, parts, coloured)]
    lines += [f"  {line}" for line in _control(graph, ids, parts, coloured)]
    for links in (_direct, _between, _outside, _machines, _meshes):
        lines += [f"  {line}" for line in links(graph, ids)]
    lines += [f"  classDef {name} {style}" for name, style in _STYLES.items()]
    lines += [f"  classDef outside {_OUTSIDE}"] if any(line.endswith(":::outside") for line in lines) else []
    if gone := [name for name in states if name not in ids]:
        lines += [
            "  subgraph gone[not in the document]",
            *(f"    {_gone(name, states[name])}" for name in gone),
            "  end",
        ]
    lines += [f"  style {ids[name]} {STATES[part.state]}" for name, part in states.items() if name in ids]
    lines += [f"  style {node} {STATES[state]}" for node, state in _gateways(drawn, ids, parts)]
    # Mermaid knows links by their number alone.
    numbered = [line.strip() for line in lines if _LINK.match(line)]
    lines += [f"  linkStyle {numbered.index(line)} {STATES[state]}" for line, state in coloured.items()]
    return "\n".join(lines) + "\n"


def _gone(name: str, part: Part) -> str:
    mark, said = MARKS[part.state]
    return f"gone_{sha256(name.encode()).hexdigest()[:8]}[{_quoted(f'{mark} {name}: {said}')}]"


def _cluster(cluster: Cluster, ids: Ids, indent: str, parts: Mapping[Owner, Part]) -> Iterator[str]:
    node, part = ids[cluster.name], parts.get((cluster.name, ""), EMPTY)
    signs = {gateway: f"{MARKS[state][0]} " for gateway, state in part.gateways.items() if state}
    title = f"{cluster.name} ({cluster.role})"
    if part.state:
        title = f"{MARKS[part.state][0]} {title}: {MARKS[part.state][1]}"
    yield f"{indent}subgraph {node}[{_quoted(title)}]"
    if cluster.istiods:
        text = "<br>".join(map(words.istiod, cluster.istiods))
        yield f'{indent}  {node}_istiod["{text}"]:::istiod'
    if cluster.planes:
        yield f'{indent}  {node}_server["API server"]:::server'
    if gateway := cluster.gateway("external"):
        yield f'{indent}  {node}_gateway_external["{signs.get(gateway, "")}ingress gateway"]:::istiod'
    for plane in cluster.planes:
        yield f'{indent}  {node}_{plane}["{plane} workloads"]:::{plane}'
        if gateway := cluster.gateway(GATEWAY_OF[plane]):
            sign = signs.get(gateway, "")
            yield f'{indent}  {_gateway(node, gateway.kind)}["{sign}{gateway.kind} gateway"]:::{plane}'
    for number, gateway in enumerate(cluster.gateways):
        if gateway.kind in OUTSIDE:
            text = _quoted(signs.get(gateway, "") + words.door(cluster, gateway))
            yield f"{indent}  {_beside(node, gateway.kind, number)}[{text}]:::outside"
    yield f"{indent}end"


def _discovery(graph: Graph, ids: Ids, parts: Mapping[Owner, Part], coloured: dict[str, State]) -> Iterator[str]:
    """Where something happens to any of them they are drawn one by one; `coloured` gets what happens, by line."""
    pairs = [(link.reader, link.source) for link in discovered(graph, parts) if not link.config]
    everyone = {cluster.name: cluster.name for cluster in graph.clusters()}
    ends = [(f"{ids[reader]}_istiod", f"{ids[source]}_server") for reader, source in pairs]
    states = {pair: state for pair in pairs if (state := parts.get(pair, EMPTY).state)}
    if len(pairs) > _FEW and complete(pairs, everyone) and not states:
        yield from _through("discovery", "remote secrets", "server", "-.->", ends)
    else:
        for pair, (reader, source) in zip(pairs, ends, strict=True):
            state = states.get(pair, "")
            sign = f"{MARKS[state][0]} " if state else ""
            line = f'{reader} -.->|"{sign}remote secret"| {source}'
            if state:
                coloured[line] = state
            yield line
    for link in graph.discovery:
        if link.config:
            yield f'{ids[link.reader]}_istiod -.->|"{link.secret}"| {ids[link.source]}_server'


def _gateways(graph: Graph, ids: Ids, parts: Mapping[Owner, Part]) -> Iterator[tuple[str, State]]:
    """Nodes of gateways, with their states."""
    for cluster in graph.clusters():
        node, states = ids[cluster.name], parts.get((cluster.name, ""), EMPTY).gateways
        for number, gateway in enumerate(cluster.gateways):
            named = _beside(node, gateway.kind, number) if gateway.kind in OUTSIDE else _gateway(node, gateway.kind)
            if state := states.get(gateway, ""):
                yield named, state


def _control(graph: Graph, ids: Ids, parts: Mapping[Owner, Part], coloured: dict[str, State]) -> Iterator[str]:
    planes = {cluster.name: cluster.planes for cluster in graph.clusters()}
    for link in graph.control:
        ports = ", ".join(map(str, link.ports))
        state = parts.get((link.cluster, link.server), EMPTY).control
        sign, door = f"{MARKS[state][0]} " if state else "", _gateway(ids[link.server], link.gateway)
        line = f'{ids[link.cluster]}_{planes[link.cluster][0]} -->|"{sign}{ports}"| {door}'
        if state:
            coloured[line] = state
        yield line
    for server, kind in dict.fromkeys((link.server, link.gateway) for link in graph.control):
        yield f"{_gateway(ids[server], kind)} --> {ids[server]}_istiod"


def _direct(graph: Graph, ids: Ids) -> Iterator[str]:
    """One line with two heads where both call each other."""
    calls = {(f"{ids[x.caller]}_{x.plane}", f"{ids[x.target]}_{x.plane}") for x in graph.calls if not x.through}
    for one, other in sorted(calls):
        if (other, one) not in calls:
            yield f"{one} --> {other}"
        elif one < other:
            yield f"{one} <--> {other}"


def _between(graph: Graph, ids: Ids) -> Iterator[str]:
    networks = {cluster.name: cluster.network for cluster in graph.clusters()}
    for plane, port in PORT_OF.items():
        kind = GATEWAY_OF[plane]
        pairs = list(dict.fromkeys((x.caller, name) for x in graph.calls if x.plane == plane for name in x.through))
        ends = [(f"{ids[caller]}_{plane}", _gateway(ids[name], kind)) for caller, name in pairs]
        if len(pairs) > _FEW and complete(pairs, networks):
            yield from _through(f"port{port}", str(port), plane, "==>", ends)
        else:
            yield from (f'{caller} ==>|"{port}"| {gateway}' for caller, gateway in ends)
        for name in dict.fromkeys(name for _, name in pairs):
            yield f"{_gateway(ids[name], kind)} --> {ids[name]}_{plane}"


def _outside(graph: Graph, ids: Ids) -> Iterator[str]:
    doors = [
        (gateway.kind, _beside(ids[cluster.name], gateway.kind, number))
        for cluster in graph.clusters()
        for number, gateway in enumerate(cluster.gateways)
        if gateway.kind in ("ingress", "egress")
    ]
    if doors:
        yield 'outside(("outside")):::outside'
    yield from (f"outside --> {door}" if kind == "ingress" else f"{door} --> outside" for kind, door in doors)


def _machines(graph: Graph, ids: Ids) -> Iterator[str]:
    doors = {cluster.name for cluster in graph.clusters() if cluster.gateway("east-west")}
    for number, (machine, (name, *_)) in enumerate(zip(graph.machines, words.machines(graph), strict=True)):
        yield f"machines{number}[{_quoted(f'virtual machines {name}<br>network {machine.network}')}]:::outside"
        if machine.server in doors:
            yield f'machines{number} -->|"{names.ISTIOD_PORT}"| {_gateway(ids[machine.server], "east-west")}'


def _meshes(graph: Graph, ids: Ids) -> Iterator[str]:
    gateways = {cluster.name: [item.kind for item in cluster.gateways] for cluster in graph.clusters()}
    for number, (mesh, texts) in enumerate(zip(graph.meshes, words.meshes(graph), strict=True)):
        yield f"mesh{number}[{_quoted('<br>'.join((f'mesh {texts[0]}', *texts[1:])))}]:::trust"
        yield f"root <-->|trusts| mesh{number}"
        for name in mesh.through:
            place = gateways[name].index("cross-mesh")
            yield f'mesh{number} ==>|"{PORT_OF["sidecar"]}"| {_beside(ids[name], "cross-mesh", place)}'


def _beside(node: str, kind: GatewayKind, number: int) -> str:
    """There may be several ingress gateways."""
    return f"{_gateway(node, kind)}_{number}"


def _through(hub: str, label: str, style: str, arrow: str, ends: Collection[tuple[str, str]]) -> Iterator[str]:
    yield f'{hub}(("{label}")):::{style}'
    yield from (f"{start} {arrow} {hub}" for start in dict.fromkeys(start for start, _ in ends))
    yield from (f"{hub} {arrow} {end}" for end in dict.fromkeys(end for _, end in ends))


def _gateway(node: str, kind: GatewayKind) -> str:
    return f"{node}_gateway_{kind.replace('-', '_')}"


def _quoted(text: str) -> str:
    """In double quotes, which a name must not end."""
    return '"' + text.replace('"', "#quot;") + '"'
