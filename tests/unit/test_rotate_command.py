"""`mesh rotate plan` as a person uses it, and the page that shows a whole one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mesh_components.topology.rotate import rotation_plan
from meshctl.cli import main
from tests.support.graph import ROOT

RECIPE = "multi-primary-multi-network"


def plan(*args: str, stack: str = RECIPE) -> Result:
    return CliRunner().invoke(main, ["rotate", "plan", *args, "--stack", stack, "--cwd", str(ROOT)])


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (f"root --stack {RECIPE}", "5 steps to root 2\n\n1. istiods and proxies take more than one root\n"),
        (f"intermediate --stack {RECIPE} --cluster cluster2", "1 step to new signing certificates\n\n1. a new signing"),
        (f"tokens --stack {RECIPE} --cluster cluster2", "2 steps to other tokens\n\n1. other tokens to read cluster2 "),
        (
            "kiali-tokens --stack addons",
            "2 steps to other tokens of Kiali\n\n1. other tokens for Kiali to read cluster2",
        ),
    ],
    ids=lambda text: text.split()[0],
)
def test_the_page_shows_what_the_command_prints(words: str, begins: str) -> None:
    result = CliRunner().invoke(main, ["rotate", "plan", *words.split(), "--cwd", str(ROOT)])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(begins)
    assert f"```console\n$ mesh rotate plan {words}\n{result.stdout}```\n" in (ROOT / "docs/rotation.md").read_text()


def test_json_says_where_there_is_no_way_back() -> None:
    data = json.loads(plan("root", "--json").stdout)
    assert data["what"] == "root"
    assert [step["rollback"]["closed"] for step in data["steps"]] == [False, False, False, False, True]
    assert data["steps"][-1]["rollback"]["commands"] == []


@pytest.mark.parametrize(
    ("what", "stack", "kinds"),
    [
        ("intermediate", RECIPE, ["intermediate", "intermediate"]),
        ("tokens", RECIPE, ["tokens", "withdraw"]),
        ("kiali-tokens", "addons", ["kiali-tokens", "withdraw"]),
    ],
)
def test_json_of_the_others(what: str, stack: str, kinds: list[str]) -> None:
    data = json.loads(plan(what, "--json", stack=stack).stdout)
    assert (data["what"], [step["kind"] for step in data["steps"]]) == (what, kinds)


@pytest.mark.parametrize(
    ("what", "stack", "said"),
    [
        ("root", "nowhere", "there is no stack 'nowhere'"),
        ("intermediate", "nowhere", "there is no stack 'nowhere'"),
        ("tokens", "nowhere", "there is no stack 'nowhere'"),
        ("kiali-tokens", RECIPE, "addons.kiali: there is no Kiali in this mesh, so it has no tokens"),
    ],
)
def test_what_cannot_be_planned(what: str, stack: str, said: str) -> None:
    refused = plan(what, stack=stack)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert said in refused.stderr


def test_each_document_is_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    assert plan("root", "--write", str(folder)).exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        *("00-before.yaml", "01-multi-root.yaml", "02-add.yaml", "03-switch.yaml", "04-retire.yaml", "05-finish.yaml")
    ]
    last = yaml.safe_load((folder / "05-finish.yaml").read_text())["config"]["mesh:mesh"]
    assert last["trust"] == {"rootSerial": 2, "multiRoot": True}


def test_one_cluster() -> None:
    result = plan("intermediate", "--cluster", "cluster2")
    assert result.stdout.startswith("1 step to new signing certificates\n\n1. a new signing certificate for cluster2\n")
    refused = plan("intermediate", "--cluster", "cluster9")
    assert refused.exit_code == 1
    assert 'no istiod runs in a cluster "cluster9"' in refused.stderr


def test_the_recipe_leads_where_the_plan_does() -> None:
    """Its comments are the documents of the plan, one after the other."""
    text = (ROOT / "stacks/Pulumi.root-rotation.yaml").read_text()
    start = yaml.safe_load(text)["config"]["mesh:mesh"]
    commented = [yaml.safe_load(line.strip().removeprefix("# ")) for line in text.splitlines() if "# ro" in line]
    made = [step.document["trust"] for step in rotation_plan(start, "root")]
    assert [{"multiRoot": True, **change} for change in commented] == [dict(trust) for trust in made]
