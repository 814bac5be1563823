"""The recipes at several sizes: how many resources, whose they are, and what the preview of them takes.

The preview is the real one: `mesh preview --engine local` on an empty state, every measurement in a process of its own.
The API servers refuse connections at once, so the engine compares with the (empty) state: what is measured is start,
program, charts and engine, and no network.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mesh_components.settings import parse
from mesh_components.topology.plan import plan
from tests.bench.grown import grown
from tests.bench.measure import as_installed, once
from tests.bench.parts import Made, from_urn, own
from tests.support import recipes
from tests.support.meshes import kubeconfig
from tests.support.project import Project

SIZES = (2, 5, 10, 20)


@dataclass(frozen=True)
class Case:
    """One mesh to preview."""

    recipe: str
    clusters: int
    secrets: str

    def document(self) -> dict[str, Any]:
        """The recipe at this size."""
        document = grown(recipes.document(self.recipe), self.clusters)
        return {**document, "discovery": {**document.get("discovery", {}), "secrets": self.secrets}}


@dataclass(frozen=True)
class Cost:
    """What one preview took. Processor seconds of `helm` are apart, and its memory is not in the peak."""

    wall: float
    cpu: float
    """Of the `mesh` process itself."""
    helm: float
    peak_mib: float


@dataclass(frozen=True)
class Figures:
    """What is reported of one mesh."""

    case: Case
    charts_from: str
    """`stand-in` or `given`."""
    own_objects: Sequence[int]
    """In each cluster: what an API server is asked to hold, without charts and edges."""
    own_resources: Sequence[int]
    """For each cluster: the same with components, provider, keys and certificates."""
    once: int
    """Resources that the mesh has once: root, federation, renderer."""
    charts: int
    edges: int
    cost: Cost
    charts_cpu: float
    """Processor seconds: those of `helm`, and those of ours that charts which render nothing do not cost."""

    @property
    def resources(self) -> int:
        """All of them."""
        return sum(self.own_resources) + self.once + self.charts + self.edges


def cases(names: Iterable[str], sizes: Iterable[int]) -> Iterator[Case]:
    """Each recipe as it is and at the sizes; where several istiods read several clusters, with both kinds of Secret."""
    for name in names:
        document = recipes.document(name)
        stated = document.get("discovery", {}).get("secrets", "separate")
        for size in sorted({len(document["clusters"]), *sizes}):
            edges = plan(parse(grown(document, size))).edges
            several = size > 2 and len({edge.reader for edge in edges}) > 1
            yield from (Case(name, size, secrets) for secrets in (("separate", "bundled") if several else (stated,)))


def measured(case: Case, folder: Path, charts: Mapping[str, Path]) -> Iterator[Figures]:
    """Preview with each of these charts, and once with charts that render nothing."""
    silent, _ = preview(case, folder, empty_charts(folder))
    names = [cluster["name"] for cluster in case.document()["clusters"]]
    for label, place in charts.items():
        cost, made = preview(case, folder, place)
        resources, objects = own(made, names)
        parts = Counter(item.part for item in made)
        yield Figures(
            case=case,
            charts_from=label,
            own_objects=[objects[name] for name in names],
            own_resources=[resources[name] for name in names],
            once=resources[""],
            charts=parts["charts"],
            edges=parts["edges"],
            cost=cost,
            charts_cpu=max(cost.cpu - silent.cpu, 0) + cost.helm,
        )


def preview(case: Case, folder: Path, charts: Path) -> tuple[Cost, list[Made]]:
    """One preview of a case, in a process of its own."""
    with TemporaryDirectory(dir=folder) as name:
        project = _project(case, Path(name), charts)
        # From `python -m meshctl.cli preview ...`: the same words for the same command, measured from inside too.
        words = project.command("preview", "--json")[3:]
        command = [sys.executable, "-m", "tests.bench.child", name, *words]
        run = once(command, project.folder, as_installed(project.environment(), folder))
        took = json.loads((Path(name) / "took.json").read_text())
        rows = json.loads((Path(name) / "rows.json").read_text())
    return Cost(run.wall, took["own"], took["helm"], took["peak_mib"]), [from_urn(row["urn"]) for row in rows]


def _project(case: Case, folder: Path, charts: Path) -> Project:
    """The stack of a case. Nobody answers at the API servers of its kubeconfigs."""
    lab = folder / "kubeconfigs"
    lab.mkdir()
    project = Project(folder / "project", lab, stack=case.recipe)
    document = case.document()
    document["istio"]["charts"] = {"folder": str(charts)}
    for number, cluster in enumerate(document["clusters"], 1):
        name = cluster["name"]
        (lab / name).write_text(kubeconfig(name).replace(f"{name}.example.com:6443", f"127.0.0.{number}:1"))
        cluster["kubeconfig"] = {"file": f".lab/{name}"}
    project.write(document)
    return project


def empty_charts(folder: Path) -> Path:
    """Charts of the right names that render nothing; those of node agents have the one object that is asked for."""
    place = folder / "empty-charts"
    for name in ("base", "istiod", "cni", "ztunnel"):
        (place / name / "templates").mkdir(parents=True, exist_ok=True)
        (place / name / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.30.3\n")
    for name in ("cni", "ztunnel"):
        agent = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name}}
        (place / name / "templates" / "agent.yaml").write_text(json.dumps(agent))
    return place


WIDTHS = (30, 8, 8, 9, 9, 9, 6, 6, 6, 6, 6, 6, 5, 9, 5)
HEADINGS = (
    ("", "", "", "", "own,", "own,", "", "", "", "", "cpu,", "cpu,", "", "charts'", "of"),
    (
        *("recipe", "clusters", "Secrets", "charts", "objects", "resources", "charts", "edges", "all"),
        *("wall s", "python", "helm", "MiB", "share", "cpu"),
    ),
)
"""`own` is for each cluster; all other counts are of the whole mesh."""


def aligned(row: Sequence[str]) -> str:
    """A row as text: the recipe to the left, figures to the right."""
    first, *rest = row
    cells = (cell.rjust(width) for cell, width in zip(rest, WIDTHS[1:], strict=True))
    return " ".join((first.ljust(WIDTHS[0]), *cells)).rstrip()


def columns(figures: Figures) -> tuple[str, ...]:
    """A row of the table."""
    case, cost = figures.case, figures.cost
    return (
        *(case.recipe, str(case.clusters), case.secrets, figures.charts_from),
        *(_span(figures.own_objects), _span(figures.own_resources)),
        *map(str, (figures.charts, figures.edges, figures.resources)),
        *(f"{seconds:.1f}" for seconds in (cost.wall, cost.cpu, cost.helm)),
        f"{cost.peak_mib:.0f}",
        f"{figures.charts / figures.resources:.0%}",
        f"{figures.charts_cpu / (cost.cpu + cost.helm):.0%}",
    )


def data(figures: Figures) -> Mapping[str, Any]:
    """The same for programs."""
    return asdict(figures) | {"resources": figures.resources}


def _span(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return str(most) if least == most else f"{least}-{most}"
