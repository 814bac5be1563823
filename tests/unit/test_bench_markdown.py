"""The bench writes the tables of docs/performance.md, so that nobody copies figures by hand."""

from __future__ import annotations

import re

from tests.bench.markdown import tables
from tests.bench.recipes import Case, Cost, Figures
from tests.support.graph import ROOT


def figures(recipe: str, clusters: int, secrets: str, charts_from: str = "given") -> Figures:
    cost = Cost(wall=9, cpu=3, helm=1.24, peak_mib=99.6)
    return Figures(Case(recipe, clusters, secrets), charts_from, [3], [11], 5, 44, 4, cost, charts_cpu=2.12)


def test_a_recipe_has_a_row_for_each_kind_of_secret_and_an_empty_cell_for_what_was_not_measured() -> None:
    measured = [
        figures("ambient-multi-network", 2, "separate"),
        figures("ambient-multi-network", 5, "separate"),
        figures("ambient-multi-network", 5, "bundled"),
        figures("ambient-multi-network", 5, "bundled", "stand-in"),
    ]
    assert list(tables(measured)) == [
        "",
        "| recipe | Secrets | 2 clusters | 5 clusters |",
        "| --- | --- | --- | --- |",
        "| `ambient-multi-network` | separate | 4.2 s, 100 MiB | 4.2 s, 100 MiB |",
        "| | bundled | | 4.2 s, 100 MiB |",
        "",
        "| recipe | Secrets | 2 clusters | 5 clusters |",
        "| --- | --- | --- | --- |",
        "| `ambient-multi-network` | separate | 64: charts 44, edges 4; charts' time 50% | 64: charts 44, edges 4; "
        "charts' time 50% |",
        "| | bundled | | 64: charts 44, edges 4; charts' time 50% |",
    ]


def test_the_rows_are_those_of_the_page() -> None:
    line = next(iter(list(tables([figures("mixed-data-planes", 2, "separate")]))[3:]))
    page = (ROOT / "docs/performance.md").read_text()
    shape = re.sub(r"[\d.]+", "0", line)
    assert shape in {re.sub(r"[\d.]+", "0", row)[: len(shape)] for row in page.splitlines()}
