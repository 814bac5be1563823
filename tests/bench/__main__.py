"""`make bench`: the figures of the documentation, measured now."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import click

from meshctl.lab.commands import plain_report
from meshctl.lab.lab import Lab, running_lab
from tests.bench import many, recipes
from tests.bench.check import fifteen_clusters
from tests.bench.markdown import tables
from tests.bench.measure import Report, Run, as_installed, once
from tests.bench.recipes import Figures
from tests.support.project import Project
from tests.support.recipes import CHARTS, TOPOLOGIES

RUNS = 5
PARTS = ("imports", "check", "recipes", "mesh", "many")


def imports(folder: Path, report: Report) -> None:
    """What `import mesh_components` costs on top of `import pulumi`."""
    plain, ours = "import pulumi", "import pulumi, mesh_components"
    environment = as_installed(os.environ, folder)
    commands = [[sys.executable, "-c", code] for code in (plain, ours)]
    pairs = [tuple(once(command, folder, environment) for command in commands) for _ in range(RUNS + 1)][1:]
    report.runs("import pulumi", [pair[0] for pair in pairs])
    report.runs("import pulumi, mesh_components", [pair[1] for pair in pairs])
    extra = statistics.median(pair[1].wall - pair[0].wall for pair in pairs)
    report.number("  the difference, pair by pair", extra, "s")


def two_clusters(folder: Path, lab: Lab, report: Report) -> None:
    """The life of the two-cluster mesh."""
    project = Project(folder / "mesh", lab.dir)
    environment = as_installed(project.environment(), folder)

    def measured(*words: str) -> Run:
        return once(project.command(*words), project.folder, environment)

    measured("preview")
    report.runs("mesh preview, nothing exists", [measured("preview") for _ in range(RUNS)])
    report.runs("mesh up --yes, everything is made", [measured("up", "--yes")])
    report.runs("mesh preview, nothing changes", [measured("preview") for _ in range(RUNS)])
    report.runs("mesh destroy --yes", [measured("destroy", "--yes")])


def many_objects(folder: Path, lab: Lab, report: Report) -> None:
    """400 objects over two API servers: the local engine, and kubectl on the same files, in turns: a machine that is
    shared has another pace a minute later."""
    kubeconfigs = {name: lab.kubeconfig(name) for name in many.CLUSTERS}
    place = folder / "many"
    place.mkdir()
    many.write(place, kubeconfigs)
    environment = as_installed({**os.environ, "PULUMI_CONFIG_PASSPHRASE": "bench"}, folder)
    mesh = [sys.executable, "-m", "meshctl.cli"]
    rest = ["--stack", "bench", "--engine", "local", "--yes"]
    kubectl = shutil.which("kubectl")
    up, at_once, down, theirs = [], [], [], []
    for _ in range(RUNS):
        up.append(once([*mesh, "up", *rest], place, environment))
        down.append(once([*mesh, "destroy", *rest], place, environment))
        at_once.append(once([*mesh, "up", *rest, "--skip-preview"], place, environment))
        down.append(once([*mesh, "destroy", *rest], place, environment))
        if kubectl is not None:
            theirs.append(_kubectl(kubectl, kubeconfigs, place))
    report.runs("400 objects: mesh up", up)
    report.runs("400 objects: mesh up --skip-preview", at_once)
    report.runs("400 objects: mesh destroy", down)
    if not theirs:
        report.say("400 objects: no kubectl here to compare with")
        return
    report.runs("400 objects: kubectl apply --server-side, one cluster after the other", theirs)
    for what, ours in (("mesh up", up), ("mesh up --skip-preview", at_once)):
        ratio = statistics.median(r.wall for r in theirs) / statistics.median(r.wall for r in ours)
        report.number(f"  kubectl takes so many times as long as {what}", ratio)


def every_recipe(folder: Path, report: Report, cases: Iterable[recipes.Case], charts: Path | None) -> list[Figures]:
    """Whose the resources of each recipe are, and what its preview takes: one run each, after one for the caches."""
    found: list[Figures] = []
    sets = {"stand-in": CHARTS, **({"given": charts} if charts else {})}
    recipes.preview(recipes.Case(TOPOLOGIES[0], 2, "separate"), folder, CHARTS)
    for heading in recipes.HEADINGS:
        report.say(recipes.aligned(heading))
    for case in cases:
        for figures in recipes.measured(case, folder, sets):
            report.say(recipes.aligned(recipes.columns(figures)))
            report.recipes.append(recipes.data(figures))
            found.append(figures)
    return found


def _kubectl(kubectl: str, kubeconfigs: dict[str, Path], place: Path) -> Run:
    total = Run(0, 0, 0)
    for name, kubeconfig in kubeconfigs.items():
        run = once([kubectl, f"--kubeconfig={kubeconfig}", "apply", "--server-side", f"--filename={name}"], place)
        total = Run(total.wall + run.wall, total.cpu + run.cpu, max(total.peak_mib, run.peak_mib))
    for kubeconfig in kubeconfigs.values():
        subprocess.run(
            [kubectl, f"--kubeconfig={kubeconfig}", "delete", "namespace", "many-objects"],
            check=True,
            capture_output=True,
        )
    return total


@click.command()
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Default: all of it.")
@click.option("--recipe", "names", type=click.Choice(TOPOLOGIES), multiple=True, help="Default: every one.")
@click.option("--size", "sizes", type=click.IntRange(2), multiple=True, default=recipes.SIZES, show_default=True)
@click.option(
    "--charts",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    envvar="MESH_BENCH_CHARTS",
    help="Folder with Istio's charts in base, istiod, cni and ztunnel: recipes are measured with these too.",
)
@click.option("--markdown", is_flag=True, help="At the end, the recipes' figures as the tables of docs/performance.md.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output; the rows go to the other.")
def main(
    only: tuple[str, ...],
    names: tuple[str, ...],
    sizes: tuple[int, ...],
    charts: Path | None,
    *,
    markdown: bool,
    as_json: bool,
) -> None:
    """Measure speed and memory on this machine, one row a figure."""
    report = Report(partial(click.echo, err=as_json))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        machine = {"processors": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
        report.say(f"{machine['processors']} processors, load {machine['load']} at the start")
        if "imports" in (only or ("imports",)):
            imports(folder, report)
        if "check" in (only or ("check",)):
            fifteen_clusters(folder, report)
        if "recipes" in (only or ("recipes",)):
            measured = every_recipe(folder, report, recipes.cases(names or TOPOLOGIES, sizes), charts)
            for line in tables(measured) if markdown else ():
                report.say(line)
        on_lab = {"mesh": two_clusters, "many": many_objects}
        chosen = [measure for part, measure in on_lab.items() if part in (only or on_lab)]
        if chosen:
            with running_lab(folder / "lab", many.CLUSTERS, plain_report(report.say)) as lab:
                for measure in chosen:
                    measure(folder, lab, report)
        report.say(f"load {os.getloadavg()[0]:.1f} at the end")
    if as_json:
        click.echo(json.dumps({"machine": machine, "figures": report.figures, "recipes": report.recipes}, indent=2))


if __name__ == "__main__":
    main()
