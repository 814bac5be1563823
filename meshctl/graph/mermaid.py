"""The picture as a Mermaid flowchart, which GitHub and GitLab draw in a pull request.

Where everyone is linked to everyone, the links go through one node in the middle: N clusters then have 2 N links and
not N x N, and the picture stays one that can be read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256

from meshctl.graph import words
from meshctl.graph.model import GATEWAY_OF, PORT_OF, Cluster, GatewayKind, Graph
from meshctl.graph.scene import MARKS, NOTHING, Owner, Part, State
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
_FEW = 2
"""So many links are drawn one by one even where they could go through a node in the middle."""


def write(graph: Graph, parts: Mapping[Owner, Part] = NOTHING) -> str:
    """One flowchart, without the fence around it. `parts` colour clusters by their state, and a sign says it too."""
    states = {name: part for (name, other), part in parts.items() if name and not other and part.state}
    ids = {cluster.name: f"c{number}" for number, cluster in enumerate(graph.clusters())}
    lines = [
        "flowchart LR",
        '  root(["Root CA"]):::trust',
        *(line for cluster in graph.outside for line in _cluster(cluster, ids, "  ", states)),
    ]
    for number, network in enumerate(graph.networks):
        lines.append(f"  subgraph n{number}[{_quoted(network.name)}]")
        lines += [line for cluster in network.clusters for line in _cluster(cluster, ids, "    ", states)]
        lines.append("  end")
    lines += [f"  root -->|signs| {ids[name]}_istiod" for name in graph.signs]
    for links in (_discovery, _control, _direct, _between):
        lines += [f"  {line}" for line in links(graph, ids)]
    lines += [f"  classDef {name} {style}" for name, style in _STYLES.items()]
    if gone := [name for name in states if name not in ids]:
        lines += [
            "  subgraph gone[not in the document]",
            *(f"    {_gone(name, states[name])}" for name in gone),
            "  end",
        ]
    lines += [f"  style {ids[name]} {STATES[part.state]}" for name, part in states.items() if name in ids]
    return "\n".join(lines) + "\n"


def _gone(name: str, part: Part) -> str:
    mark, said = MARKS[part.state]
    return f"gone_{sha256(name.encode()).hexdigest()[:8]}[{_quoted(f'{mark} {name}: {said}')}]"


def _cluster(cluster: Cluster, ids: Ids, indent: str, states: Mapping[str, Part]) -> Iterator[str]:
    node = ids[cluster.name]
    title = f"{cluster.name} ({cluster.role})"
    if part := states.get(cluster.name):
        title = f"{MARKS[part.state][0]} {title}: {MARKS[part.state][1]}"
    yield f"{indent}subgraph {node}[{_quoted(title)}]"
    if cluster.istiods:
        text = "<br>".join(map(words.istiod, cluster.istiods))
        yield f'{indent}  {node}_istiod["{text}"]:::istiod'
    if cluster.planes:
        yield f'{indent}  {node}_server["API server"]:::server'
    if cluster.gateway("external"):
        yield f'{indent}  {node}_gateway_external["ingress gateway"]:::istiod'
    for plane in cluster.planes:
        yield f'{indent}  {node}_{plane}["{plane} workloads"]:::{plane}'
        if gateway := cluster.gateway(GATEWAY_OF[plane]):
            yield f'{indent}  {_gateway(node, gateway.kind)}["{gateway.kind} gateway"]:::{plane}'
    yield f"{indent}end"


def _discovery(graph: Graph, ids: Ids) -> Iterator[str]:
    pairs = [(link.reader, link.source) for link in graph.discovery if not link.config]
    everyone = {cluster.name: cluster.name for cluster in graph.clusters()}
    ends = [(f"{ids[reader]}_istiod", f"{ids[source]}_server") for reader, source in pairs]
    if len(pairs) > _FEW and complete(pairs, everyone):
        yield from _through("discovery", "remote secrets", "server", "-.->", ends)
    else:
        yield from (f'{reader} -.->|"remote secret"| {source}' for reader, source in ends)
    for link in graph.discovery:
        if link.config:
            yield f'{ids[link.reader]}_istiod -.->|"{link.secret}"| {ids[link.source]}_server'


def _control(graph: Graph, ids: Ids) -> Iterator[str]:
    planes = {cluster.name: cluster.planes for cluster in graph.clusters()}
    for link in graph.control:
        ports = ", ".join(map(str, link.ports))
        yield f'{ids[link.cluster]}_{planes[link.cluster][0]} -->|"{ports}"| {_gateway(ids[link.server], link.gateway)}'
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


def _through(hub: str, label: str, style: str, arrow: str, ends: Collection[tuple[str, str]]) -> Iterator[str]:
    yield f'{hub}(("{label}")):::{style}'
    yield from (f"{start} {arrow} {hub}" for start in dict.fromkeys(start for start, _ in ends))
    yield from (f"{hub} {arrow} {end}" for end in dict.fromkeys(end for _, end in ends))


def _gateway(node: str, kind: GatewayKind) -> str:
    return f"{node}_gateway_{kind.replace('-', '_')}"


def _quoted(text: str) -> str:
    """In double quotes, which a name must not end."""
    return '"' + text.replace('"', "#quot;") + '"'
