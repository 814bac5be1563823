"""`mesh destroy --rehearse`: the order, what stays, what would hold it up; and that nothing is touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from meshctl.cli import main
from meshctl.local import passphrase

PROGRAM = """
import pulumi, pulumi_tls as tls
key = tls.PrivateKey("key", algorithm="ECDSA", opts=pulumi.ResourceOptions(protect={protect}))
tls.SelfSignedCert("cert", private_key_pem=key.private_key_pem, allowed_uses=[], validity_period_hours=1,
                   opts=pulumi.ResourceOptions(retain_on_delete={retain}))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)
    (tmp_path / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    return tmp_path


def write(project: Path, *, protect: bool = False, retain: bool = False) -> None:
    (project / "__main__.py").write_text(PROGRAM.format(protect=protect, retain=retain))
    assert mesh(project, "up", "--yes").exit_code == 0


def mesh(project: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--stack", "dev", "--cwd", str(project)])


def test_what_leans_on_something_goes_before_it_and_nothing_is_touched(project: Path) -> None:
    write(project)
    before = {path: path.read_bytes() for path in project.rglob("*.json")}
    found = mesh(project, "destroy", "--rehearse")
    assert found.exit_code == 0
    assert found.stdout == (
        "1.\n   outside the clusters: tls:SelfSignedCert\n2.\n   outside the clusters: tls:PrivateKey\n\n"
        "2 to delete in 2 steps, 0 stay, nothing would hold it up; nothing was changed\n"
    )
    assert {path: path.read_bytes() for path in project.rglob("*.json")} == before


def test_what_is_protected_holds_it_up(project: Path) -> None:
    write(project, protect=True)
    found = mesh(project, "destroy", "--rehearse")
    assert found.exit_code == 1
    assert "outside: tls:PrivateKey key: it is protected: nothing at all is deleted" in found.stdout
    (block,) = json.loads(mesh(project, "destroy", "--rehearse", "--json").stdout)["blocks"]
    assert block["name"] == "key"
    assert mesh(project, "destroy", "--yes").exit_code == 1


def test_what_is_kept_stays(project: Path) -> None:
    write(project, retain=True)
    data = json.loads(mesh(project, "destroy", "--rehearse", "--json").stdout)
    assert [item["name"] for item in data["stays"]] == ["cert"]
    assert [[item["name"] for item in step] for step in data["steps"]] == [["key"]]


def test_without_a_state_there_is_nothing(project: Path) -> None:
    (project / "__main__.py").write_text("")
    assert mesh(project, "destroy", "--rehearse").stdout == "there is nothing to delete\n"


def test_pulumi_has_a_plan_of_its_own(project: Path) -> None:
    write(project)
    found = mesh(project, "destroy", "--rehearse", "--engine", "pulumi")
    assert found.exit_code == 1
    assert "pulumi destroy --preview-only" in found.stderr
