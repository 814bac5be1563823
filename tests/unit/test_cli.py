"""The `mesh` command as a person uses it: what is printed where, and what it ends with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from meshctl.cli import main
from meshctl.commands import choose, run
from meshctl.local import passphrase
from tests.support.graph import ROOT

TLS = """
import pulumi, pulumi_tls as tls
key = tls.PrivateKey("key", algorithm="ECDSA", ecdsa_curve="P256")
pulumi.export("key", key.private_key_pem)
pulumi.export("public", key.public_key_pem.apply(lambda pem: pem.splitlines()[0]))
pulumi.log.warn("mind the gap")
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)
    (tmp_path / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(TLS)
    return tmp_path


def mesh(project: Path, *args: str) -> Result:
    return CliRunner().invoke(main, [*args, "--stack", "dev", "--cwd", str(project)])


class TestLife:
    """preview, up, preview, destroy."""

    def test_as_text(self, project: Path) -> None:
        preview = mesh(project, "preview")
        assert preview.exit_code == 0
        assert "+ tls:PrivateKey  key" in preview.stdout
        assert preview.stdout.endswith("2 to create\n")
        assert "by the local engine (pulumi is not on PATH)" in preview.stderr
        assert "warning: mind the gap" in preview.stderr
        up = mesh(project, "up", "--yes")
        assert up.exit_code == 0
        assert "2 created" in up.stdout
        assert re.search(r"^outside the clusters +2$", up.stdout, re.MULTILINE)
        assert "  key     [secret]" in up.stdout
        assert "  public  -----BEGIN PUBLIC KEY-----" in up.stdout
        assert "PRIVATE KEY" not in up.output
        assert mesh(project, "preview").stdout == "0 changes, 2 unchanged\n"
        again = mesh(project, "up", "--yes").stdout
        assert again.startswith("0 changes, 2 unchanged\n")
        assert again.count("0 changes") == 1
        destroy = mesh(project, "destroy", "--yes")
        assert destroy.stdout.rstrip().endswith("2 deleted")
        assert mesh(project, "destroy", "--yes").stdout == "0 changes\n"

    def test_as_json_with_nothing_else_on_stdout(self, project: Path) -> None:
        rows = json.loads(mesh(project, "preview", "--json").stdout)
        assert [set(row) for row in rows] == [{"urn", "type", "name", "parent", "cluster", "op", "fields"}] * 2
        assert [(row["name"], row["op"]) for row in rows] == [("tiny-dev", "create"), ("key", "create")]
        up = json.loads(mesh(project, "up", "--json", "--yes").stdout)
        assert set(up) == {"resources", "outputs"}
        assert up["outputs"]["key"] == "[secret]"
        assert all(row["op"] == "same" for row in json.loads(mesh(project, "preview", "--json").stdout))
        assert len(json.loads(mesh(project, "destroy", "--json", "--yes").stdout)) == 2

    def test_the_state_may_lie_elsewhere(self, project: Path, tmp_path: Path) -> None:
        state = tmp_path / "elsewhere" / "s.json"
        assert mesh(project, "up", "--yes", "--state", str(state)).exit_code == 0
        assert state.exists()
        assert not (project / ".pulumi-local").exists()


class TestMistakes:
    """Are told in a line or two, without a traceback."""

    @pytest.mark.parametrize("command", ["up", "destroy"])
    def test_nothing_is_done_unasked(self, project: Path, command: str) -> None:
        result = mesh(project, command)
        assert result.exit_code == 2
        assert "this is not a terminal; look at `mesh preview`, add --yes" in result.stderr

    def test_no_project(self, tmp_path: Path) -> None:
        result = mesh(tmp_path, "preview")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "no Pulumi.yaml here or above" in result.stderr

    def test_a_program_that_fails(self, project: Path) -> None:
        (project / "__main__.py").write_text("import pulumi\nraise pulumi.RunError('mesh: no clusters')\n")
        result = mesh(project, "preview")
        assert result.exit_code == 1
        assert result.stderr.endswith("error: mesh: no clusters\n")

    def test_what_is_refused_is_not_said_to_be_made(self, project: Path) -> None:
        (project / "__main__.py").write_text(TLS + 'pulumi.CustomResource("aws:compute/x:X", "x", {})\n')
        result = mesh(project, "up", "--yes")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "error: x: " in result.stderr
        assert json.loads(mesh(project, "up", "--yes", "--json").stdout) == {"resources": [], "outputs": {}}

    @pytest.mark.parametrize("command", ["up", "destroy"])
    def test_what_was_not_agreed_to_is_not_said_to_be_done(
        self, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
    ) -> None:
        if command == "destroy":
            mesh(project, "up", "--yes")
        monkeypatch.setattr(click, "confirm", lambda *_, **__: False)
        report = run(command, stack="dev", cwd=project, state=None, engine=None, as_json=False, yes=False)
        printed = capsys.readouterr()
        assert report.exit_code == 1
        assert printed.out.endswith("2 to create\n" if command == "up" else "2 to delete\n")
        assert printed.err.endswith("error: nothing was changed, as you did not agree\n")

    def test_a_broken_state(self, project: Path) -> None:
        mesh(project, "up", "--yes")
        (project / ".pulumi-local" / "tiny" / "dev.json").write_text("{")
        result = mesh(project, "preview")
        assert result.exit_code == 1
        assert "dev.json: the state file cannot be used" in result.stderr

    def test_state_is_of_the_local_engine(self, project: Path) -> None:
        result = mesh(project, "preview", "--engine", "pulumi", "--state", "x")
        assert "--state is of the local engine" in result.stderr


def test_the_engine_is_chosen_and_said() -> None:
    assert choose(None, "/bin/pulumi") == ("pulumi", "it is on PATH")
    assert choose(None, None) == ("local", "pulumi is not on PATH")
    assert choose("local", "/bin/pulumi") == ("local", "as asked")


def test_schema_is_the_documents() -> None:
    printed = CliRunner().invoke(main, ["schema"]).stdout
    assert {"id", "clusters"} <= set(json.loads(printed)["properties"])
    head = "".join(printed.splitlines(keepends=True)[:8])
    assert f"$ mesh schema | head -8\n{head}```\n" in (ROOT / "docs/settings.md").read_text()


def test_help_loads_neither_pulumi_nor_kubernetes() -> None:
    text = (
        "import sys, click.testing, meshctl.cli as cli\n"
        "result = click.testing.CliRunner().invoke(cli.main, ['--help'])\n"
        "assert 'preview' in result.stdout and 'lab' in result.stdout, result.output\n"
        "print([m for m in ('pulumi', 'kubernetes', 'cryptography', 'rich', 'yaml') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("command", [["restart"], ["upgrade"], ["upgrade", "plan"]])
def test_what_a_command_is_for_is_said(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0
    assert f"mesh {' '.join(command)}" in " ".join(result.stdout.split()).replace("main", "mesh")


class TestSkipPreview:
    """As Pulumi has it: at once, and only for those who said so twice."""

    def test_it_acts_without_a_plan(self, project: Path) -> None:
        up = mesh(project, "up", "--yes", "--skip-preview")
        assert up.exit_code == 0, up.output
        assert "to create" not in up.stdout
        assert "2 created" in up.stdout
        assert mesh(project, "preview").stdout == "0 changes, 2 unchanged\n"

    def test_it_needs_yes(self, project: Path) -> None:
        refused = mesh(project, "up", "--skip-preview")
        assert refused.exit_code == 2
        assert "needs --yes" in refused.output
