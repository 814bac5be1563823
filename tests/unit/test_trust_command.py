"""`mesh trust`: written on one side, looked at on the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mesh_components.settings.facts import read
from meshctl.cli import main
from tests.support.graph import ROOT
from tests.support.mesh_authority import MeshAuthority, facts

FACTS = facts(MeshAuthority("Root CA of mesh2"))

PROGRAM = """
import json, pulumi
pulumi.export("publicFacts", json.loads({facts!r}))
pulumi.export("hidden", pulumi.Output.secret("a secret"))
"""


def mesh(*words: Any) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: two\nruntime: python\n")
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    (tmp_path / "__main__.py").write_text(PROGRAM.format(facts=json.dumps(FACTS.document())))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "a passphrase")
    made = mesh("up", "--yes", "--engine", "local", "--stack", "prod", "--cwd", tmp_path)
    assert made.exit_code == 0, made.output
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    return tmp_path


def test_what_is_exported_is_what_is_signed_off(stack: Path) -> None:
    """Without the passphrase: nothing that is asked for is secret."""
    file = stack / "to" / "mesh2.json"
    done = mesh("trust", "export", "--engine", "local", "--stack", "prod", "--cwd", stack, "-o", file)
    assert done.exit_code == 0, done.output
    assert read(file.read_text()).digest == FACTS.digest
    shown = mesh("trust", "digest", file)
    assert shown.exit_code == 0
    for words in (
        FACTS.digest,
        "spiffe://mesh2.example",
        "203.0.113.7:15443",
        "5000/HTTP by sample/helloworld to mesh1",
    ):
        assert words in shown.output
    assert json.loads(mesh("trust", "digest", "--json", file).output) == FACTS.document()
    printed = mesh("trust", "export", "--engine", "local", "--stack", "prod", "--cwd", stack)
    assert (printed.stdout, printed.stderr) == (file.read_text(), "")


def test_the_page_shows_what_is_signed_off() -> None:
    shown = mesh("trust", "digest", ROOT / "tests/support/facts/mesh2.json")
    call = "$ mesh trust digest trust/mesh2.json"
    assert f"```console\n{call}\n{shown.stdout}```\n" in (ROOT / "docs/mesh-trust.md").read_text()


def test_a_stack_that_says_nothing(stack: Path) -> None:
    (stack / "Pulumi.other.yaml").write_text("config: {}\n")
    done = mesh("trust", "export", "--engine", "local", "--stack", "other", "--cwd", stack)
    assert done.exit_code == 1
    assert "two/other has no output publicFacts" in done.output


@pytest.mark.parametrize(
    "contents",
    [None, "", "{}", json.dumps({**FACTS.document(), "mesh": "mesh9"})],
    ids=["no file", "empty", "no facts", "changed"],
)
def test_what_cannot_be_signed_off(tmp_path: Path, contents: str | None) -> None:
    file = tmp_path / "mesh2.json"
    if contents is not None:
        file.write_text(contents)
    done = mesh("trust", "digest", file)
    assert done.exit_code == 1
    assert str(file) in done.output
    assert "Traceback" not in done.output
