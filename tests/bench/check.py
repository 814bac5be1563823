"""How long `mesh check` takes: one healthy cluster, fifteen, and fifteen of which one is dead and one is slow.

The clusters are pretended (`tests/support/pretended.py`): each answers after a tenth of a second.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from meshctl.check.report import FAILED, GREEN, WARNED
from tests.bench.measure import Report, Run, as_installed, once
from tests.support.mesh_facts import healthy
from tests.support.pretended import Temper, pretended
from tests.support.project import Project

RUNS = 3
MANY = 15
USUAL, SLOW, DEAD = Temper(0.1), Temper(3.0), Temper(silent=True)


def fifteen_clusters(folder: Path, report: Report) -> None:
    """The answer does not wait for who is dead or slow."""
    one = _measured(folder / "one", 1, {})
    report.runs("mesh check, one cluster", one)
    report.runs(f"mesh check, {MANY} clusters", _measured(folder / "many", MANY, {}))
    tempers = {"cluster3": DEAD, "cluster7": SLOW}
    some = _measured(folder / "some", MANY, tempers)
    report.runs(f"mesh check, {MANY} clusters, one dead and one slow", some)
    ratio = min(run.wall for run in some) / min(run.wall for run in one)
    report.number("  so many times as long as one cluster, best run by best run", ratio)


def _document(number: int) -> dict[str, Any]:
    clusters = [
        {
            "name": f"cluster{n}",
            "network": f"network{n}",
            "platform": "lab",
            "kubeconfig": {"file": f"cluster{n}.kubeconfig"},
        }
        for n in range(1, number + 1)
    ]
    return {"id": "mesh1", "clusters": clusters}


def _measured(folder: Path, number: int, tempers: Mapping[str, Temper]) -> list[Run]:
    project = Project(folder, folder)
    document = _document(number)
    names = [cluster["name"] for cluster in document["clusters"]]
    project.settings.write_text(yaml.safe_dump({"config": {"mesh:mesh": document}}))
    environment = as_installed(project.environment(), folder)
    # Whose state it is, and what would be in it, is no question of clusters.
    words = ["check", "--stack", project.stack, "--engine", "pulumi"]
    command = [sys.executable, "-m", "meshctl.cli", *words]
    with pretended(healthy(document), folder, {name: tempers.get(name, USUAL) for name in names}) as texts:
        for name, text in texts.items():
            (folder / f"{name}.kubeconfig").write_text(text)
        runs = [once(command, folder, environment, (GREEN, WARNED, FAILED)) for _ in range(RUNS + 1)]
    return runs[1:]
