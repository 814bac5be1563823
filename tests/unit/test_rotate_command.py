"""`mesh rotate plan` as a person uses it, and the page that shows a whole one."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from click.testing import CliRunner, Result

from mesh_components.topology.rotate import rotation_plan
from meshctl.cli import main
from tests.support.graph import ROOT

RECIPE = "multi-primary-multi-network"


def plan(*args: str) -> Result:
    return CliRunner().invoke(main, ["rotate", "plan", *args, "--stack", RECIPE, "--cwd", str(ROOT)])


def test_the_page_shows_what_the_command_prints() -> None:
    result = plan("root")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("5 steps to root 2\n\n1. istiods and proxies take more than one root\n")
    assert f"```text\n{result.stdout}```\n" in (ROOT / "docs/rotation.md").read_text()


def test_json_says_where_there_is_no_way_back() -> None:
    data = json.loads(plan("root", "--json").stdout)
    assert data["what"] == "root"
    assert [step["rollback"]["closed"] for step in data["steps"]] == [False, False, False, False, True]
    assert data["steps"][-1]["rollback"]["commands"] == []


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
