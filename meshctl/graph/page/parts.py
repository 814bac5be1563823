"""What is on the page without its script: the head with figures, and where its sections are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html import escape

from meshctl.graph import words
from meshctl.graph.page import place, tables, tiles
from meshctl.graph.scene import MARKS, Scene


def body(scene: Scene) -> str:
    """Everything but the script."""
    return "\n".join(
        [*_header(scene), "<main>", *tiles.area(scene), *_panel(), *_matrix(scene), *tables.section(scene), "</main>"]
    )


def _header(scene: Scene) -> Iterator[str]:
    graph = scene.graph
    yield '<a class="skip" href="#tables">Skip to the tables</a>'
    yield f"<header><div><h1>{escape(graph.mesh)}</h1><p>{escape(words.facts(graph))}</p></div><ul>"
    for count, noun in _counts(scene):
        yield f"<li><b>{count}</b> {noun}</li>"
    yield f"</ul><p class='about'>{escape(scene.about)}</p></header>"


def _counts(scene: Scene) -> Iterator[tuple[str, str]]:
    graph = scene.graph
    found = sum(len(part.findings) for part in scene.parts())
    for count, noun in (
        (len(graph.clusters()), "cluster"),
        (len(graph.networks), "network"),
        (len(graph.discovery), "edge of discovery"),
        (found, "finding"),
    ):
        yield f"{count:,}".replace(",", "\u2009"), noun if count == 1 else _plural(noun)
    changes: Counter[str] = Counter(thing.state for part in scene.parts() for thing in part.things if thing.state)
    for state, (mark, what) in MARKS.items():
        if changes[state]:
            yield f"{mark} {changes[state]}", what.replace("is ", "", 1) if scene.source == "preview" else what


def _plural(noun: str) -> str:
    return noun.replace("edge", "edges") if noun.startswith("edge") else f"{noun}s"


def _panel() -> Iterator[str]:
    yield '<aside id="panel" aria-live="polite" aria-labelledby="panel-title" tabindex="-1">'
    yield '<h2 id="panel-title">Details</h2><p>A cluster or a line, clicked, shows here what is behind it.</p></aside>'


def _matrix(scene: Scene) -> Iterator[str]:
    if len(scene.graph.clusters()) < place.FOLDED_FROM:
        return
    yield '<section class="matrix" aria-labelledby="matrix-title"><h2 id="matrix-title">Who reads whom</h2>'
    yield (
        '<p class="hint" id="matrix-keys">A row is a cluster, a column whom its istiod reads, or by whom it is served. '
        "Arrow keys go from cell to cell, Enter shows the pair.</p>"
    )
    yield '<div id="matrix" class="scroll"></div><ul class="legend" aria-label="Signs in the matrix">'
    yield '<li><b class="sign discovery">●</b>reads its services and endpoints</li>'
    if scene.graph.control:
        yield '<li><b class="sign control">▲</b>is served by its istiod</li>'
    yield "</ul></section>"
