"""`mesh traffic plan`: requests that move from one version to another, as rows of documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.settings import Severity, parse
from mesh_components.topology.findings import findings
from mesh_components.topology.shift import shift_plan
from mesh_components.topology.steps import PlanError
from meshctl.cli import main
from tests.support.graph import ROOT
from tests.support.recipes import document

HOST = "reviews.bookinfo"


def weights(made: Mapping[str, Any]) -> Any:
    return made["traffic"][0]["routes"][1]["to"]


def command(*args: str) -> Result:
    words = ["traffic", "plan", "--stack", "traffic", "--cwd", str(ROOT), "--host", HOST, *args]
    return CliRunner().invoke(main, words)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=6, unique=True).map(sorted))
def test_every_step_is_a_sound_document_that_differs_in_weights_alone(percents: list[int]) -> None:
    start = document("traffic")
    steps = shift_plan(start, HOST, "v2", percents)
    assert [step.kind for step in steps] == [f"v2-{percent}" for percent in percents if percent > 10]
    for step, percent in zip(steps, (item for item in percents if item > 10), strict=True):
        assert weights(step.document) == ({"v1": 100 - percent, "v2": percent} if percent < 100 else "v2")
        step.document["traffic"][0]["routes"][1]["to"] = weights(start)
        assert step.document == start
        assert not [f for f in findings(parse(step.document)) if f.severity is Severity.ERROR]


def test_a_plan_from_the_middle_is_the_rest_and_from_the_end_there_is_none() -> None:
    whole = shift_plan(document("traffic"), HOST, "v2")
    rest = shift_plan(whole[0].document, "reviews.bookinfo.svc.cluster.local", "v2")
    assert [step.document for step in rest] == [step.document for step in whole[1:]]
    assert shift_plan(whole[-1].document, HOST, "v2") == ()


def test_blue_green_is_one_step_and_its_way_back_too() -> None:
    (step,) = shift_plan(document("traffic"), HOST, "v2", [100])
    assert (weights(step.document), weights(step.rollback.document)) == ("v2", {"v1": 90, "v2": 10})
    assert step.clusters == ("cluster1", "cluster2")


def test_another_route_by_its_name() -> None:
    (step,) = shift_plan(document("traffic"), HOST, "v1", [100], route="testers")
    assert step.document["traffic"][0]["routes"][0]["to"] == "v1"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"host": "review.bookinfo"}, "has no review.bookinfo; it has reviews.bookinfo, "),
        ({"to": "v9"}, "'v9' is no subset of reviews.bookinfo; it has v1, v2, v3"),
        ({"route": "none"}, "no route is called none"),
        ({"percents": [50, 10]}, "each more than the one before"),
        ({"percents": []}, "percent from 1 to 100"),
        ({"percents": [0]}, "percent from 1 to 100"),
        ({"to": "v3"}, "here they go to v1, v2"),
        ({"host": "ratings.bookinfo", "to": "v1"}, "it has none"),
    ],
)
def test_what_cannot_be_planned(asked: dict[str, Any], why: str) -> None:
    with pytest.raises(PlanError, match=why):
        shift_plan(document("traffic"), **{"host": HOST, "to": "v2", **asked})


def test_the_page_shows_what_the_command_prints() -> None:
    result = command("--to", "v2", "--steps", "50,100")
    assert result.exit_code == 0, result.output
    call = f"$ mesh traffic plan --stack traffic --host {HOST} --to v2 --steps 50,100"
    assert f"```console\n{call}\n{result.stdout}```\n" in (ROOT / "docs/traffic.md").read_text()


def test_each_document_is_a_file_and_machines_read_json(tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    data = json.loads(command("--to", "v2", "--json", "--write", str(folder)).stdout)
    assert (data["host"], data["to"], len(data["steps"])) == (HOST, "v2", 2)
    assert sorted(path.name for path in folder.iterdir()) == ["00-before.yaml", "01-v2-50.yaml", "02-v2-100.yaml"]
    last = yaml.safe_load((folder / "02-v2-100.yaml").read_text())["config"]["mesh:mesh"]
    assert weights(last) == "v2"


def test_steps_that_are_no_numbers() -> None:
    result = command("--to", "v2", "--steps", "10;50")
    assert result.exit_code == 1
    assert "write 10,50,100" in result.stderr
