"""Outputs of another stack of the local engine: what is read, what stays secret, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from meshctl.local import passphrase
from tests.support.meshes import kubeconfig
from tests.support.toy import Desk

EXPORTS = """
pulumi.export("open", "plain")
pulumi.export("sealed", Output.secret({"kubeconfig": "very-secret", "apiServer": "https://a"}))
"""
READS = """
other = pulumi.StackReference("organization/there/dev")
Thing("a", size=other.require_output("open"), key=other.get_output("sealed").apply(lambda found: found["kubeconfig"]))
pulumi.export("absent", other.get_output("absent"))
pulumi.export("sealed", other.get_output("sealed"))
"""


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)
    monkeypatch.delenv("MESH_STATES", raising=False)


@pytest.fixture
def there(tmp_path: Path) -> Desk:
    (tmp_path / "there").mkdir()
    desk = Desk(tmp_path / "there")
    desk.configure("name: there\nruntime: python\n")
    desk.state_file = desk.root / ".pulumi-local" / "there" / "dev.json"
    return desk


@pytest.fixture
def here(tmp_path: Path, there: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("MESH_STATES", f"/nowhere:{there.root / '.pulumi-local'}")
    return Desk(tmp_path / "here")


def test_outputs_are_known_in_a_preview_and_arrive(there: Desk, here: Desk) -> None:
    assert not there.up(EXPORTS).failures
    assert not here.preview(READS).failures
    report = here.up()
    assert not report.failures
    made = here.recorded()["a"]["inputs"]
    assert made["size"] == "plain"
    assert here.preview().changes == 0
    assert not here.destroy().failures


def test_what_is_secret_there_is_secret_here(there: Desk, here: Desk) -> None:
    there.up(EXPORTS)
    report = here.up(READS)
    assert here.recorded()["a"]["secret_inputs"] == ["key"]
    shown = "\n".join([repr(report), *map(repr, here.asked), here.state_file.read_text()])
    assert "plain" in shown
    assert "very-secret" not in shown


def test_a_change_over_there_is_a_change_here(there: Desk, here: Desk) -> None:
    there.up(EXPORTS)
    here.up(READS)
    there.up(EXPORTS.replace("plain", "other"))
    assert [(row.name, row.op) for row in here.preview().rows if row.op != "same"] == [("a", "update")]


def test_a_stack_of_the_same_project_needs_no_folder(there: Desk, here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESH_STATES")
    there.up(EXPORTS)
    target = here.root / ".pulumi-local" / "there" / "dev.json"
    target.parent.mkdir(parents=True)
    target.write_text(there.state_file.read_text())
    assert not here.preview(READS).failures


def test_a_stack_without_a_state_is_named_with_what_to_do(here: Desk) -> None:
    (failure,) = here.up(READS).failures
    assert "the stack organization/there/dev has no state of the local engine here, looked for " in failure
    assert "run `mesh up` over there first, or name its project's folder `.pulumi-local` in MESH_STATES" in failure
    assert not here.state_file.exists()


def test_another_passphrase_is_said(there: Desk, here: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    there.up(EXPORTS)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another one")
    (failure,) = here.preview(READS).failures
    assert "the outputs of the stack there/dev cannot be opened" in failure
    assert "very-secret" not in failure


def test_a_cluster_is_taken_from_another_stack(there: Desk, here: Desk) -> None:
    exported = {"east": {"kubeconfig": kubeconfig("east"), "apiServer": "https://east.example.com"}}
    there.up(f'pulumi.export("clusters", Output.secret({exported!r}))')
    report = here.up(
        "from mesh_components import StackCluster, StackClusterArgs\n"
        'made = StackCluster("east", StackClusterArgs(stack="organization/there/dev"))\n'
        'pulumi.export("server", made.api_server)'
    )
    assert not report.failures
    assert report.outputs == {"server": "https://east.example.com"}
    recorded = here.recorded()["east-kubernetes"]
    assert recorded["inputs"]["clusterIdentifier"] == "stack/organization/there/dev/east"
    assert "kubeconfig" in recorded["secret_inputs"]
    assert "admin-token-of-east" not in here.state_file.read_text()
    (failure,) = here.preview(
        "from mesh_components import StackCluster, StackClusterArgs\n"
        'StackCluster("west", StackClusterArgs(stack="organization/there/dev"))'
    ).failures
    assert 'has no cluster "west" in its output `clusters`' in failure
