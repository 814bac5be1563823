"""Recipes that make clusters, previewed offline and without credentials. No API server is asked; the lab's helm renders
the charts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meshctl.lab import programs, silent
from tests.support.graph import ROOT
from tests.support.project import Project

pytestmark = pytest.mark.lab

RECIPES = ["gke-gke", "gke-ibm", "gke-ibm-created"]
UNKNOWN = "<known after apply>"


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A recipe as it is, but for the charts, which are in no package registry."""
    monkeypatch.setenv("PATH", f"{programs.ensure(['helm'], silent)['helm'].parent}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS", "IC_API_KEY", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    project = Project(tmp_path / "project", tmp_path / "lab", stack=request.param)
    wanted = project.document
    wanted["istio"]["charts"] = {"folder": str(ROOT / "tests/charts")}
    project.write(wanted)
    return project


def preview(project: Project) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(project.done("preview", "--json", "--properties", "--without-credentials"))
    return rows


@pytest.mark.parametrize("project", RECIPES, indirect=True)
def test_every_resource_is_shown_and_unknown_is_only_what_others_decide(project: Project) -> None:
    """The golden file changes with the program: read the difference; docs/clusters.md explains the kinds.
    With `rm tests/lab/golden/<recipe>.txt` it is written anew."""
    rows = preview(project)
    made = [row for row in rows if row["type"].startswith(("gcp:", "kubernetes:", "pulumi-python:"))]
    assert all(row["fields"] and row["op"] == "create" for row in made)
    unknown = sorted({f"{row['type']} {row['name']} {field['path']}" for row in rows for field in row["fields"]
                      if UNKNOWN in json.dumps(field["new"])})  # fmt: skip
    golden = ROOT / "tests/lab/golden" / f"{project.stack}.txt"
    if not golden.exists():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text("\n".join(unknown) + "\n")
    assert unknown == golden.read_text().splitlines()


@pytest.mark.parametrize("project", RECIPES[:1], indirect=True)
def test_nothing_secret_is_shown(project: Project) -> None:
    text = json.dumps(preview(project))
    assert "gke-gcloud-auth-plugin" not in text
    assert "PRIVATE KEY" not in text


@pytest.mark.parametrize("project", RECIPES[:1], indirect=True)
def test_up_is_refused_before_anything_is_done(project: Project) -> None:
    result = project.run("up", "--yes")
    assert result.returncode == 1
    assert "nothing was done: gcp needs the Pulumi CLI" in result.stderr
    assert not project.state.exists()


@pytest.mark.parametrize("project", ["gke-ibm"], indirect=True)
def test_without_credentials_is_for_previews(project: Project) -> None:
    assert "MESH501" in project.run("preview").stderr
    result = project.run("up", "--yes", "--skip-preview", over={"MESH_WITHOUT_CREDENTIALS": "true"})
    assert "MESH_WITHOUT_CREDENTIALS is for previews" in result.stderr
