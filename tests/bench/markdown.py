"""The figures of the recipes as the tables of docs/performance.md, for a run of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.bench.recipes import Figures


def tables(measured: Sequence[Figures]) -> Iterator[str]:
    """Lines of Markdown: time and memory, then whose the resources are; with Istio's own charts if they were given."""
    known = {figures.charts_from for figures in measured}
    chosen = [figures for figures in measured if figures.charts_from == ("given" if "given" in known else "stand-in")]
    sizes = sorted({figures.case.clusters for figures in chosen})
    for cell in (_cost, _share):
        yield from ("", *_table(chosen, sizes, cell))


def _table(figures: Sequence[Figures], sizes: Sequence[int], cell: Callable[[Figures], str]) -> Iterator[str]:
    """A row for each recipe and kind of Secret; a mesh that was not measured leaves its cell empty."""
    yield f"| recipe | Secrets | {' | '.join(f'{size} clusters' for size in sizes)} |"
    yield f"| --- | --- |{' --- |' * len(sizes)}"
    cells = {(item.case.recipe, item.case.secrets, item.case.clusters): cell(item) for item in figures}
    shown = ""
    for recipe, secrets in dict.fromkeys((item.case.recipe, item.case.secrets) for item in figures):
        first = f"`{recipe}`" if recipe != shown else ""
        shown = recipe
        row = (cells.get((recipe, secrets, size), "") for size in sizes)
        yield f"| {first} | {secrets} | {' | '.join(row)} |".replace("|  |", "| |")


def _cost(figures: Figures) -> str:
    return f"{figures.cost.cpu + figures.cost.helm:.1f} s, {figures.cost.peak_mib:.0f} MiB"


def _share(figures: Figures) -> str:
    cpu = figures.charts_cpu / (figures.cost.cpu + figures.cost.helm)
    return f"{figures.resources}: charts {figures.charts}, edges {figures.edges}; charts' time {cpu:.0%}"
