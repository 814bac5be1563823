"""`make bench`: the figures of the documentation, measured now."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

from meshctl.lab.commands import plain_report
from meshctl.lab.lab import Lab, running_lab
from tests.bench import many
from tests.bench.measure import Run, line, once
from tests.support.project import Project

RUNS = 5


def imports(folder: Path) -> None:
    """What `import mesh_components` costs on top of `import pulumi`."""
    plain, ours = "import pulumi", "import pulumi, mesh_components"
    environment = _as_installed(os.environ, folder)
    commands = [[sys.executable, "-c", code] for code in (plain, ours)]
    pairs = [tuple(once(command, folder, environment) for command in commands) for _ in range(RUNS + 1)][1:]
    click.echo(line("import pulumi", [pair[0] for pair in pairs]))
    click.echo(line("import pulumi, mesh_components", [pair[1] for pair in pairs]))
    extra = statistics.median(pair[1].wall - pair[0].wall for pair in pairs)
    click.echo(f"{'  the difference, pair by pair':<58}{extra:>8.2f} s")


def _as_installed(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Without the switch that has Python compile our modules anew at every start: an installed command has them."""
    kept = {key: value for key, value in environment.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def two_clusters(folder: Path, lab: Lab) -> None:
    """The life of the two-cluster mesh."""
    project = Project(folder / "mesh", lab.dir)
    environment = _as_installed(project.environment(), folder)

    def measured(*words: str) -> Run:
        return once(project.command(*words), project.folder, environment)

    measured("preview")
    click.echo(line("mesh preview, nothing exists", [measured("preview") for _ in range(RUNS)]))
    click.echo(line("mesh up --yes, everything is made", [measured("up", "--yes")]))
    click.echo(line("mesh preview, nothing changes", [measured("preview") for _ in range(RUNS)]))
    click.echo(line("mesh destroy --yes", [measured("destroy", "--yes")]))


def many_objects(folder: Path, lab: Lab) -> None:
    """400 objects over two API servers: the local engine, and kubectl on the same files."""
    kubeconfigs = {name: lab.kubeconfig(name) for name in many.CLUSTERS}
    place = folder / "many"
    place.mkdir()
    many.write(place, kubeconfigs)
    environment = _as_installed({**os.environ, "PULUMI_CONFIG_PASSPHRASE": "bench"}, folder)
    mesh = [sys.executable, "-m", "meshctl.cli"]
    rest = ["--stack", "bench", "--engine", "local", "--yes"]
    up, at_once, down = [], [], []
    for _ in range(3):
        up.append(once([*mesh, "up", *rest], place, environment))
        down.append(once([*mesh, "destroy", *rest], place, environment))
        at_once.append(once([*mesh, "up", *rest, "--skip-preview"], place, environment))
        down.append(once([*mesh, "destroy", *rest], place, environment))
    click.echo(line("400 objects: mesh up", up))
    click.echo(line("400 objects: mesh up --skip-preview", at_once))
    click.echo(line("400 objects: mesh destroy", down))
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        click.echo("400 objects: no kubectl here to compare with")
        return
    runs = [_kubectl(kubectl, kubeconfigs, place) for _ in range(3)]
    click.echo(line("400 objects: kubectl apply --server-side, one cluster after the other", runs))
    for what, ours in (("mesh up", up), ("mesh up --skip-preview", at_once)):
        ratio = statistics.median(r.wall for r in runs) / statistics.median(r.wall for r in ours)
        click.echo(f"{f'  kubectl takes so many times as long as {what}':<58}{ratio:>8.1f}")


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


def main() -> None:
    """All of it, one row a figure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        click.echo(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
        imports(folder)
        with running_lab(folder / "lab", many.CLUSTERS, plain_report(click.echo)) as lab:
            two_clusters(folder, lab)
            many_objects(folder, lab)


if __name__ == "__main__":
    main()
