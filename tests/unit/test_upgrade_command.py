"""`mesh upgrade plan` as a person uses it, and the page that shows a whole one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mesh_components.topology.upgrade import upgrade_plan
from meshctl.cli import main
from meshctl.plans import difference
from tests.support.graph import ROOT

STACK = """\
# A comment.
encryptionsalt: v1:c2FsdA==:v1:bm9uY2U=:b3BlbiBzZXNhbWU=
config:
  mesh:eastKubeconfig: {secure: not to be opened}
  mesh:mesh:
    id: mesh1
    istio: {version: 1.30.3, revision: 1-30-3, tags: {prod: 1-30-3}}
    clusters:
      - {name: east, network: network1, kubeconfig: {secret: eastKubeconfig}}
      - {name: west, network: network2, kubeconfig: {file: west.kubeconfig}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: mesh\nruntime: python\n")
    (tmp_path / "__main__.py").write_text("raise SystemExit('not run')\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(STACK)
    return tmp_path


def plan(project: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["upgrade", "plan", "--stack", "dev", "--cwd", str(project), *args])


class TestText:
    """Steps with what changes, what to run, what to look at, and how to go back; no secret is opened for it."""

    def test_a_plan(self, project: Path) -> None:
        result = plan(project, "--to", "1.30.4")
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("10 steps to 1.30.4\n\n1. CRDs and base at 1.30.4\n")
        assert "     -  version: 1.30.3\n     +  version: 1.30.4\n" in result.stdout
        assert "     mesh up --stack dev\n     mesh restart --cluster east --stack dev\n" in result.stdout
        assert "     kubectl label namespace -l istio.io/rev=1-30-3 --overwrite istio.io/rev=1-30-4" in result.stdout
        assert "   document:\n     as it is\n" in result.stdout
        assert "     (the document before)\n     mesh preview --stack dev\n" in result.stdout
        assert result.stdout.count("   go on when:\n") == 10

    def test_warnings_stand_where_they_arise(self, project: Path) -> None:
        assert "MESH4" in plan(project, "--to", "1.32.0").output

    def test_nothing_to_do(self, project: Path) -> None:
        result = plan(project, "--to", "1.30.3")
        assert (result.exit_code, result.stdout) == (0, "nothing to do: the whole mesh is at 1.30.3\n")

    @pytest.mark.parametrize(
        ("to", "message"),
        [("1.31", '"1.31" is no version of Istio'), ("1.29.0", "1.30.3 already, which is newer than 1.29.0")],
    )
    def test_refused(self, project: Path, to: str, message: str) -> None:
        result = plan(project, "--to", to)
        assert (result.exit_code, result.stdout) == (1, "")
        assert message in result.stderr

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("config: {}", "has no mesh document; set `mesh:mesh` to a mapping"),
            ("config: {'mesh:mesh': not json}", "has no mesh document"),
            ("config: {'mesh:mesh': {id: mesh1, cluster: []}}", "MESH001 error at cluster: this key is unknown"),
        ],
    )
    def test_no_document(self, project: Path, text: str, message: str) -> None:
        (project / "Pulumi.dev.yaml").write_text(text)
        result = plan(project, "--to", "1.30.4")
        assert result.exit_code == 1
        assert message in result.stderr


class TestJson:
    """For machines: every document whole."""

    def test_each_step(self, project: Path) -> None:
        data = json.loads(plan(project, "--to", "1.30.4", "--canary", "west", "--json").stdout)
        assert data["to"] == "1.30.4"
        start = yaml.safe_load(STACK)["config"]["mesh:mesh"]
        for number, (step, made) in enumerate(
            zip(data["steps"], upgrade_plan(start, "1.30.4", canary="west"), strict=True), 1
        ):
            assert step["number"] == number
            assert step["document"] == made.document
            assert step["rollback"]["document"] == made.rollback.document
            assert set(step) == {
                *("number", "kind", "title", "why", "clusters"),
                *("document", "commands", "watch", "rollback", "findings"),
            }
        assert data["steps"][1]["clusters"] == ["west"]


class TestWrite:
    """Each document as a file of the stack: the rest of the file as it is, secrets sealed."""

    def test_files(self, project: Path, tmp_path: Path) -> None:
        folder = tmp_path / "plan"
        result = plan(project, "--to", "1.30.4", "--write", str(folder))
        assert result.exit_code == 0
        files = sorted(path.name for path in folder.iterdir())
        assert files[:3] == ["00-before.yaml", "01-base.yaml", "02-control-plane.yaml"]
        assert files[-2:] == ["09-default.yaml", "10-remove.yaml"], "step 8 changes no document"
        assert len(files) == 10
        stack = yaml.safe_load(STACK)
        assert yaml.safe_load((folder / "00-before.yaml").read_text()) == stack
        last = yaml.safe_load((folder / "10-remove.yaml").read_text())
        assert last["config"]["mesh:eastKubeconfig"] == {"secure": "not to be opened"}
        assert last["config"]["mesh:mesh"]["istio"] == {
            "version": "1.30.4",
            "revision": "1-30-4",
            "tags": {"prod": "1-30-4"},
        }
        (project / "Pulumi.dev.yaml").write_text((folder / "10-remove.yaml").read_text())
        assert plan(project, "--to", "1.30.4").stdout.startswith("nothing to do")

    def test_nothing_is_written_over(self, project: Path, tmp_path: Path) -> None:
        result = plan(project, "--to", "1.30.4", "--write", str(tmp_path))
        assert result.exit_code == 1
        assert "not an empty folder; name a new one" in result.stderr


class TestPage:
    """docs/upgrades.md shows the plan that the code makes of the document on it."""

    def test_the_worked_example(self) -> None:
        page = (ROOT / "docs/upgrades.md").read_text()
        call = ["upgrade", "plan", "--stack", "multi-primary-multi-network", "--to", "1.31.0"]
        told = CliRunner().invoke(main, [*call, "--cwd", str(ROOT)]).stdout.splitlines(keepends=True)
        assert f"$ mesh {' '.join(call)} | head -26\n{''.join(told[:26])}```\n" in page
        start, *shown = re.findall(r"```(?:yaml|diff)\n(.*?)```", page.partition("## An example")[2], re.DOTALL)
        steps = upgrade_plan(yaml.safe_load(start), "1.31.0")
        titles = re.findall(r"^### \d+\. (.*)$", page, re.MULTILINE)
        assert titles == [step.title[0].upper() + step.title[1:] for step in steps]
        changing = [step for step in steps if step.changes_document]
        assert shown[: len(changing)] == ["\n".join(difference(step)) + "\n" for step in changing]
        assert yaml.safe_load(shown[len(changing)]) == steps[-1].document
