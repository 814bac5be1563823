"""Interrupted anywhere, the next run goes on from there: no orphan, no duplicate, the same objects in the end."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.support.objects import inventory
from tests.support.project import Project

pytestmark = pytest.mark.lab
CLUSTERS = ("cluster1", "cluster2")
POINTS = sorted(random.Random(20261122).sample(range(1, 45), 10))
"""After how many finished steps, of 47, the run is killed; drawn once, so that a failure can be seen again."""


@pytest.fixture(scope="module")
def project(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("interrupted"), lab.dir)
    yield project
    project.done("destroy", "--yes")


def inventories(lab: RealLab) -> dict[str, Any]:
    return {name: inventory(Api(lab.kubeconfig(name))) for name in CLUSTERS}


@pytest.fixture(scope="module")
def empty(project: Project, lab: RealLab) -> dict[str, Any]:
    assert {row["op"] for row in project.preview()} == {"create"}
    return inventories(lab)


@pytest.fixture(scope="module")
def complete(project: Project, lab: RealLab, empty: dict[str, Any]) -> dict[str, Any]:
    """What an undisturbed run makes."""
    project.done("up", "--yes", "--skip-preview")
    found = inventories(lab)
    assert found != empty
    project.done("destroy", "--yes")
    assert inventories(lab) == empty
    return found


def up_until(project: Project, steps: int, how: signal.Signals) -> int:
    """Run `mesh up`, and end it after that many finished steps. Returns its exit code."""
    with project.running("up", "--yes") as run:
        seen = 0
        for line in run.stderr:
            seen += line.startswith(" + ")
            if seen >= steps:
                run.send_signal(how)
                break
        run.stderr.read()
        return run.wait()


@pytest.mark.parametrize("steps", POINTS)
def test_killed_and_run_again(
    project: Project, lab: RealLab, complete: dict[str, Any], empty: dict[str, Any], steps: int
) -> None:
    assert up_until(project, steps, signal.SIGKILL) == -signal.SIGKILL
    project.done("up", "--yes", "--skip-preview")
    assert inventories(lab) == complete
    assert project.changes() == []
    project.done("destroy", "--yes")
    assert inventories(lab) == empty


def test_killed_while_destroying(
    project: Project, lab: RealLab, complete: dict[str, Any], empty: dict[str, Any]
) -> None:
    project.done("up", "--yes")
    assert inventories(lab) == complete
    with project.running("destroy", "--yes") as run:
        for line in run.stderr:
            if line.startswith(" - ") and "/" in line and "Secret" in line:
                run.send_signal(signal.SIGKILL)
                break
        run.stderr.read()
    project.done("destroy", "--yes")
    assert inventories(lab) == empty


def test_ctrl_c_ends_in_order(project: Project, lab: RealLab, complete: dict[str, Any], empty: dict[str, Any]) -> None:
    project.done("destroy", "--yes")
    assert inventories(lab) == empty
    assert up_until(project, 5, signal.SIGINT) == 130
    json.loads(project.state.read_text())
    project.done("up", "--yes")
    assert inventories(lab) == complete


def test_an_api_server_goes_away(
    project: Project, lab: RealLab, complete: dict[str, Any], empty: dict[str, Any]
) -> None:
    project.done("destroy", "--yes")
    assert inventories(lab) == empty
    with project.running("up", "--yes") as run:
        seen = ""
        for line in run.stderr:
            seen += line
            if line.startswith(" + ") and "mesh-trust-root-key" in line:
                lab.stop_apiserver("cluster2")
                break
        seen += run.stderr.read()
        assert run.wait() not in (0, None)
    assert "cluster2" in seen
    assert "does not answer" in seen
    assert "Traceback" not in seen
    json.loads(project.state.read_text())
    lab.start_apiserver("cluster2")
    project.done("up", "--yes")
    assert inventories(lab) == complete


def test_two_runs_at_once_do_not_meet(project: Project, lab: RealLab, complete: dict[str, Any]) -> None:
    project.done("destroy", "--yes")
    with project.running("up", "--yes") as first:
        for line in first.stderr:
            if line.startswith(" + "):
                break
        # Stopped in the middle, so that the second run comes while the first one is under way, on any machine.
        first.send_signal(signal.SIGSTOP)
        second = project.run("up", "--yes")
        first.send_signal(signal.SIGCONT)
        rest = first.stderr.read()
        assert first.wait() == 0, rest
    assert second.returncode == 1
    assert f"process {first.pid}" in second.stderr
    assert inventories(lab) == complete
