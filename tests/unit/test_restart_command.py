"""`mesh restart` before it has asked any cluster: what it needs, and what it says when that is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from meshctl.cli import main

KUBECONFIG = """
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""
CLUSTERS: list[dict[str, Any]] = [
    {"name": "control", "network": "network0", "role": "external"},
    {"name": "east", "network": "network1", "kubeconfig": {"file": "east.kubeconfig"}, "role": "config"},
    {"name": "west", "network": "network2", "kubeconfig": {"environment": "NOT_SET"}, "role": "remote"},
    {"name": "far", "network": "network3", "role": "remote"},
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    document = {"id": "mesh1", "clusters": CLUSTERS}
    (tmp_path / "Pulumi.yaml").write_text("name: mesh\nruntime: python\nmain: program\n")
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "__main__.py").write_text("raise SystemExit('not run')\n")
    (tmp_path / "program" / "east.kubeconfig").write_text(KUBECONFIG)
    (tmp_path / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {"mesh:mesh": document}}))
    return tmp_path


def restart(project: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["restart", "--stack", "dev", "--cwd", str(project), *args])


class TestUnasked:
    """Nothing restarts unless somebody agrees."""

    def test_no_terminal(self, project: Path) -> None:
        result = restart(project)
        assert result.exit_code == 2
        assert "`mesh restart` asks before it acts" in result.stderr
        assert "look at `mesh restart --dry-run`, add --yes" in result.stderr


class TestClusters:
    """All of them, each by its own kubeconfig; also the one of an external control plane, whose gateway has a proxy."""

    def test_all_kubeconfigs_that_are_missing_are_named(self, project: Path) -> None:
        result = restart(project, "--dry-run")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "clusters[0].kubeconfig, of control: nothing says how it is reached" in result.stderr
        assert "clusters[2].kubeconfig, of west: the environment variable NOT_SET is not set" in result.stderr
        assert "clusters[3].kubeconfig, of far: nothing says how it is reached" in result.stderr

    def test_one_of_them(self, project: Path) -> None:
        result = restart(project, "--dry-run", "--cluster", "east")
        assert result.exit_code == 1
        assert "east: the API server https://127.0.0.1:1 does not answer" in result.stderr

    def test_one_that_is_not_there(self, project: Path) -> None:
        result = restart(project, "--yes", "--cluster", "north")
        assert result.exit_code == 1
        assert 'the mesh has no cluster "north"; it has ' in result.stderr
