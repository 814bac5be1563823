"""`mesh vm bundle` says no before it asks a cluster for a token, and writes all or nothing. With real API servers it is
in tests/lab/test_virtual_machines.py."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from meshctl import vm
from meshctl.cli import main
from meshctl.local.project import ProjectError
from tests.support.meshes import kubeconfig

PROGRAM = """
import pulumi
pulumi.export("gateways", {"east": "198.51.100.7", "west": None, "north": "lb.example.com"})
pulumi.export("rootCertificates", "-----BEGIN CERTIFICATE-----")
"""
MACHINES = [
    {"name": f"on-{cluster}", "namespace": "accounting", "cluster": cluster} for cluster in ("east", "west", "north")
]


def mesh(*words: Any) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    document = {
        "id": "mesh1",
        "clusters": [
            {"name": name, "network": "network1", "kubeconfig": {"file": name}} for name in ("east", "west", "north")
        ],
        "virtualMachines": MACHINES,
    }
    (tmp_path / "Pulumi.yaml").write_text("name: two\nruntime: python\n")
    for stack in ("prod", "fresh"):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": {"two:mesh": document}}))
    (tmp_path / "__main__.py").write_text(PROGRAM)
    (tmp_path / "east").write_text(kubeconfig("east"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "a passphrase")
    made = mesh("up", "--yes", "--engine", "local", "--stack", "prod", "--cwd", tmp_path)
    assert made.exit_code == 0, made.output
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    return tmp_path


def bundle(folder: Path, name: str, *words: Any, stack: str = "prod") -> Result:
    out = folder / "bundle"
    return mesh("vm", "bundle", name, "--out", out, "--engine", "local", "--stack", stack, "--cwd", folder, *words)


@pytest.mark.parametrize(
    ("name", "stack", "words"),
    [
        ("ledger", "prod", 'no virtual machine "ledger" (virtualMachines: on-east, on-west, on-north)'),
        ("on-west", "prod", 'the gateway of "west", through which "on-west" reaches istiod, has no address'),
        ("on-north", "prod", "has the host name lb.example.com, and the file `hosts` takes an IP"),
        ("on-east", "fresh", "run `mesh up`"),
    ],
)
def test_what_it_refuses(folder: Path, name: str, stack: str, words: str) -> None:
    done = bundle(folder, name, stack=stack)
    assert done.exit_code == 1
    assert words in done.output
    assert "Traceback" not in done.output
    assert not (folder / "bundle").exists()


def test_a_cluster_that_does_not_answer(folder: Path) -> None:
    """Nothing of the kubeconfig is in the message, and nothing is written."""
    done = bundle(folder, "on-east")
    assert done.exit_code == 1
    assert "east" in done.output
    assert "admin-token-of-east" not in done.output
    assert not (folder / "bundle").exists()


def test_a_machine_has_one_address(folder: Path) -> None:
    done = bundle(folder, "on-east", "--internal-ip", "10.0.0.1", "--external-ip", "192.0.2.1")
    assert done.exit_code == 2
    assert "give one" in done.output


@pytest.mark.parametrize("contents", ["a file", {"notes.txt": "mine"}])
def test_what_is_no_bundle_is_left_alone(tmp_path: Path, contents: Any) -> None:
    out = tmp_path / "bundle"
    if isinstance(contents, str):
        out.write_text(contents)
    else:
        out.mkdir()
        (out / "notes.txt").write_text(contents["notes.txt"])
    with pytest.raises(ProjectError, match="so it is no bundle that could be replaced"):
        vm._check_folder(out)


FILES = {"istio-token": "a token", "hosts": "198.51.100.7 istiod\n"}


class TestWriting:
    def test_nobody_else_reads_it(self, tmp_path: Path) -> None:
        out = tmp_path / "new" / "bundle"
        before = os.umask(0)
        try:
            vm._write(out, FILES)
        finally:
            os.umask(before)
        assert stat.S_IMODE(out.stat().st_mode) == 0o700
        assert {item.name: item.read_text() for item in out.iterdir()} == FILES
        assert {stat.S_IMODE(item.stat().st_mode) for item in out.iterdir()} == {0o600}

    def test_the_one_before_goes_as_a_whole(self, tmp_path: Path) -> None:
        out = tmp_path / "bundle"
        vm._write(out, {"cluster.env": "old", "istio-token": "old"})
        vm._write(out, FILES)
        assert {item.name: item.read_text() for item in out.iterdir()} == FILES
        assert [item.name for item in tmp_path.iterdir()] == ["bundle"], "nothing is left beside it"

    def test_a_write_that_fails_leaves_what_was_there(self, tmp_path: Path) -> None:
        out = tmp_path / "bundle"
        vm._write(out, FILES)
        with pytest.raises(ProjectError, match="No such file or directory"):
            vm._write(out, {"istio-token": "another token", "no/such/folder": ""})
        assert {item.name: item.read_text() for item in out.iterdir()} == FILES
        assert [item.name for item in tmp_path.iterdir()] == ["bundle"]
