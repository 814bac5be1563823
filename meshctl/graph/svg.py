"""The picture as SVG: of fixed size, deterministic, readable on light and dark pages, nothing loaded from elsewhere.

It has a ground of its own, so it is readable on any page, and follows the reader's preference for light or dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from meshctl.graph import words
from meshctl.graph.doors import gateway_keys, with_gone
from meshctl.graph.layout import GAP, MARGIN, NAME, PAD, TEXT, Card, Chip, Group, Layout, layout
from meshctl.graph.model import OUTSIDE, PORT_OF, Graph
from meshctl.graph.routes import routes
from meshctl.graph.scene import EMPTY, MARKS, NOTHING, Owner, Part, State
from meshctl.graph.text import fitted, width
from meshctl.graph.wires import HEAD, Head, Wires

FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
LEGEND_LINE, LEGEND_SAMPLE = 20, 34
_LIGHT = {
    "ground": "#ffffff",
    "border": "#d0d7de",
    "network": "#f6f8fa",
    "edge": "#8c959f",
    "card": "#ffffff",
    "text": "#1f2328",
    "muted": "#57606a",
    "deleted": "#cf222e",
    "trust": "#9a6700",
    "trust-fill": "#fff8c5",
    "discovery": "#8250df",
    "discovery-fill": "#fbefff",
    "control": "#0969da",
    "control-fill": "#ddf4ff",
    "sidecar": "#1a7f37",
    "sidecar-fill": "#dafbe1",
    "ambient": "#bf3989",
    "ambient-fill": "#ffeff7",
    "outside": "#57606a",
    "outside-fill": "#eaeef2",
}
_DARK = {
    "ground": "#0d1117",
    "border": "#30363d",
    "network": "#151b23",
    "edge": "#6e7681",
    "card": "#0d1117",
    "text": "#e6edf3",
    "muted": "#9198a1",
    "deleted": "#ff7b72",
    "trust": "#d29922",
    "trust-fill": "#2b2110",
    "discovery": "#a371f7",
    "discovery-fill": "#231a38",
    "control": "#58a6ff",
    "control-fill": "#0f2540",
    "sidecar": "#3fb950",
    "sidecar-fill": "#0f2d19",
    "ambient": "#f778ba",
    "ambient-fill": "#391a2b",
    "outside": "#9198a1",
    "outside-fill": "#21262d",
}
_COLOUR = {
    "trust": "trust",
    "discovery": "discovery",
    "config": "discovery",
    "server": "discovery",
    "control": "control",
    "istiod": "control",
    "direct": "sidecar",
    "sidecar": "sidecar",
    "ambient": "ambient",
}
"""Colour by kind of line and by style of part: a part has the colour of the lines that end there."""
_BESIDE = {"foreign": "trust", "incoming": "outside", "outside": "outside"}
"""The same for what not every mesh has."""
_STATES: dict[State, str] = {
    "create": "sidecar",
    "update": "trust",
    "replace": "discovery",
    "delete": "deleted",
    "there": "sidecar",
    "missing": "deleted",
    "differs": "trust",
    "extra": "discovery",
    "unknown": "muted",
}
"""Colour of each state."""
_DASHES = {"direct": "3 3", "config": "6 3", "foreign": "2 3"}
"""What tells lines of one colour from each other."""


def write(graph: Graph, parts: Mapping[Owner, Part] = NOTHING) -> str:
    """One SVG document. `parts` colour clusters, gateways, lines of discovery and ways to istiod by their state; a sign
    and a line of text say it too."""
    placed = layout(with_gone(graph, parts))
    wires, right = routes(graph, placed, parts)
    legend = _legend(graph, [item.kind for item in wires if item])
    beside = [kind for kind, _ in legend if kind in _BESIDE]
    beside += ["outside"] if any(c.gateway(kind) for c in graph.clusters() for kind in OUTSIDE) else []
    bottom = placed.groups[-1].box.bottom if placed.groups else placed.root.bottom
    widest = max(width(text, TEXT) for _, text in legend) + LEGEND_SAMPLE + GAP + 2 * MARGIN
    wide = max(right + MARGIN, widest)
    states = [state for state in MARKS if any(state in part.states() for part in parts.values())]
    high = bottom + GAP + LEGEND_LINE * (len(legend) + len(states)) + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
        f'role="img" aria-labelledby="title desc" font-family="{FONT}" font-size="{TEXT}">',
        f'<title id="title">{escape(words.title(graph))}</title>',
        f'<desc id="desc">{escape(words.description(graph))}</desc>',
        f"<style>{_style(states, beside)}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{wide - 1}" height="{high - 1}" rx="12"/>',
        *_header(graph, placed, wide),
        *(line for group in placed.groups for line in _group(group)),
        *(line for item in wires if item for line in _wires(item)),
        *(line for card in placed.cards.values() for line in _card(card, parts.get((card.cluster.name, ""), EMPTY))),
        *_legend_lines(legend, bottom + GAP),
        *_states(states, bottom + GAP + LEGEND_LINE * len(legend)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _style(states: Sequence[State], beside: Sequence[str]) -> str:
    light, dark = (_rules(colour, states, beside) for colour in (_LIGHT, _DARK))
    return f"{light}@media (prefers-color-scheme: dark){{{dark}}}"


def _rules(colour: dict[str, str], states: Sequence[State], beside: Sequence[str]) -> str:
    rules = [
        f".ground{{fill:{colour['ground']};stroke:{colour['border']}}}",
        f".network{{fill:{colour['network']};stroke:{colour['edge']};stroke-dasharray:6 4}}",
        f".outside{{fill:none;stroke:{colour['edge']};stroke-dasharray:2 4}}",
        f".card{{fill:{colour['card']};stroke:{colour['edge']}}}",
        f"text{{fill:{colour['text']}}}.muted{{fill:{colour['muted']}}}",
        f".mark{{fill:{colour['edge']}}}.mark.runs{{fill:{colour['control']}}}",
    ]
    for state in states:
        name = colour[_STATES[state]]
        rules.append(f".state.{state}{{fill:none;stroke:{name};stroke-width:2.5}}.said.{state}{{fill:{name}}}")
        rules.append(f"circle.state.{state}{{fill:{colour['ground']}}}")
    for style, name in (_COLOUR | {kind: _BESIDE[kind] for kind in beside}).items():
        rules.append(f".chip.{style}{{fill:{colour[f'{name}-fill']};stroke:{colour[name]}}}")
        rules.append(f".line.{style}{{fill:none;stroke:{colour[name]}}}.head.{style}{{fill:{colour[name]}}}")
    for state in states:
        name = colour[_STATES[state]]
        rules.append(f".line.is-{state}{{stroke:{name};stroke-width:2.5}}.head.is-{state}{{fill:{name}}}")
    return "".join(rules)


def _header(graph: Graph, placed: Layout, wide: int) -> Iterator[str]:
    root = placed.root
    x = root.right + GAP + 4
    room = wide - x - MARGIN
    yield _rect("chip trust", root.x, root.y, root.width, root.height, 6)
    yield _text("Root CA", root.middle.x, root.middle.y + 4, anchor="middle", bold=True)
    yield _text(fitted(graph.mesh, NAME, room, bold=True), x, root.y + 14, size=NAME, bold=True)
    yield _text(fitted(words.facts(graph), TEXT, room), x, root.y + 32, style="muted")


def _group(group: Group) -> Iterator[str]:
    box = group.box
    yield _rect("network" if group.network else "outside", box.x, box.y, box.width, box.height, 10)
    yield _text(group.title, box.x + GAP, box.y + 18, style="muted")
    for card in group.cards:
        yield _rect("card", card.box.x, card.box.y, card.box.width, card.box.height, 8)
    for note in group.notes:
        x, y = note.box.x + PAD, note.box.y + PAD + 14
        yield _rect("card", note.box.x, note.box.y, note.box.width, note.box.height, 8)
        yield _text(note.name, x, y, size=NAME, bold=True)
        for below, text in note.lines:
            yield _text(text, x, below, style="muted")


def _card(card: Card, part: Part) -> Iterator[str]:
    box = card.box
    if part.state:
        yield _rect(f"state {part.state}", box.x, box.y, box.width, box.height, 8)
        yield from _badge(part.state, box.right - 3, box.y + 3)
    yield f'<g data-cluster={quoteattr(card.cluster.name)} data-role="{card.cluster.role}">'
    yield f"<title>{escape(card.cluster.name)}</title>"
    mark = "mark runs" if card.cluster.istiods else "mark"
    yield _rect(mark, card.text_x - 9, box.y + 13, 3, 36, 1)
    yield _text(card.name, card.text_x, box.y + 28, size=NAME, bold=True)
    for y, text in card.lines:
        yield _text(text, card.text_x, y, style="muted")
    states = {key: part.gateways.get(gateway, "") for gateway, key in gateway_keys(card.cluster).items()}
    for chip in card.chips.values():
        yield from _chip(chip, states.get(chip.key, ""))
    yield "</g>"


def _badge(state: State, x: int, y: int, radius: int = 9) -> Iterator[str]:
    yield f'<circle class="state {state}" cx="{x}" cy="{y}" r="{radius}"/>'
    yield _text(MARKS[state][0], x, y + 4, style=f"said {state}", anchor="middle", bold=True)


def _chip(chip: Chip, state: State) -> Iterator[str]:
    box = chip.box
    yield _rect(f"chip {chip.style}", box.x, box.y, box.width, box.height, 5)
    if state:
        yield _rect(f"state {state}", box.x, box.y, box.width, box.height, 5)
    yield _text(chip.text, box.middle.x, box.middle.y + 4, anchor="middle")
    if state:
        # At the left: lines end at the right.
        yield from _badge(state, box.x + 1, box.y + 1, 8)


def _wires(wires: Wires) -> Iterator[str]:
    dashes = f' stroke-dasharray="{_DASHES[wires.kind]}"' if wires.kind in _DASHES else ""
    kind = f"{wires.kind} is-{wires.state}" if wires.state else wires.kind
    yield f'<path class="line {kind}" stroke-width="1.6"{dashes} d="{wires.line()}"/>'
    yield f'<path class="head {kind}" d="{wires.heads()}"/>'
    for mark in wires.marks():
        yield from _badge(wires.state, mark.x, mark.y, 8)


def _legend(graph: Graph, kinds: list[str]) -> list[tuple[str, str]]:
    texts: dict[str, str] = {
        "trust": words.trust(),
        "discovery": words.discovery(graph),
        "config": words.config(),
        "control": words.control(),
        "direct": words.direct(),
    }
    texts |= {plane: words.between(plane) for plane in PORT_OF}
    texts |= {"foreign": words.foreign(), "incoming": words.incoming()}
    return [(kind, text) for kind, text in texts.items() if kind in kinds]


def _legend_lines(legend: list[tuple[str, str]], top: int) -> Iterator[str]:
    for row, (kind, text) in enumerate(legend):
        y = top + LEGEND_LINE * row + LEGEND_LINE // 2
        sample = Wires(kind)
        end = MARGIN + LEGEND_SAMPLE
        sample.level(y, MARGIN, end - HEAD)
        sample.head(Head(end, y, 1, 0))
        yield from _wires(sample)
        yield _text(text, end + GAP, y + 4, style="muted")


def _states(states: Sequence[State], top: int) -> Iterator[str]:
    for row, state in enumerate(states):
        y = top + LEGEND_LINE * row + LEGEND_LINE // 2
        yield from _badge(state, MARGIN + LEGEND_SAMPLE // 2, y)
        yield _text(MARKS[state][1], MARGIN + LEGEND_SAMPLE + GAP, y + 4, style="muted")


def _rect(style: str, x: int, y: int, wide: int, high: int, radius: int) -> str:
    return f'<rect class="{style}" x="{x}" y="{y}" width="{wide}" height="{high}" rx="{radius}"/>'


def _text(
    text: str, x: int, y: int, *, style: str = "", size: int = TEXT, anchor: str = "start", bold: bool = False
) -> str:
    attributes = [f'class="{style}"'] if style else []
    attributes += [f'font-size="{size}"'] if size != TEXT else []
    attributes += [f'text-anchor="{anchor}"'] if anchor != "start" else []
    attributes += ['font-weight="600"'] if bold else []
    return f'<text x="{x}" y="{y}"{"".join(f" {item}" for item in attributes)}>{escape(text)}</text>'
