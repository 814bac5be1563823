"""`mesh render`: what becomes a file, in which order, what never does, and whose folder it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from mesh_components.settings import parse
from meshctl.cli import main
from meshctl.local.foresight import foresee
from meshctl.local.project import ProjectError
from meshctl.rendering import folder as folders
from meshctl.rendering.objects import WAVE, objects
from tests.support.recipes import document


def without_charts(recipe: str, **istio: Any) -> dict[str, Any]:
    """A mesh whose control planes something else installs: nothing to be rendered by helm."""
    wanted = document(recipe)
    wanted["istio"] = {"version": "1.30.3", "install": "none", **istio}
    return wanted


def project(root: Path, wanted: Mapping[str, Any]) -> Path:
    (root / "Pulumi.yaml").write_text("name: mesh\nruntime: python\n")
    (root / "__main__.py").write_text("raise SystemExit('the program is not run')\n")
    (root / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {"mesh:mesh": dict(wanted)}}))
    return root


def render(root: Path, target: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["render", str(target), "--stack", "dev", "--cwd", str(root), *words])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return project(tmp_path / "project", without_charts("multi-primary-multi-network"))


class TestObjects:
    def test_no_value_of_a_secret_becomes_a_file(self) -> None:
        written, left = objects(foresee(parse(without_charts("multi-primary-multi-network"))))
        secrets = [item.manifest for item in written if item.manifest["kind"] == "Secret"]
        assert all(not {"data", "stringData"} & item.keys() for item in secrets)
        assert {(item.cluster, item.name) for item in left if item.kind == "Secret"} == {
            ("cluster1", "cacerts"),
            ("cluster1", "istio-remote-secret-cluster2"),
            ("cluster2", "cacerts"),
            ("cluster2", "istio-remote-secret-cluster1"),
        }

    def test_what_comes_after_has_a_higher_wave(self) -> None:
        foreseen = foresee(parse(without_charts("multi-primary-multi-network")))
        files = {
            (one.cluster, one.manifest["kind"], one.manifest["metadata"]["name"]): one for one in objects(foreseen)[0]
        }
        gateway = files["cluster1", "Gateway", "cross-network-gateway"]
        proxy = files["cluster1", "Deployment", "istio-eastwestgateway"]
        assert gateway.wave < proxy.wave
        assert proxy.manifest["metadata"]["annotations"][WAVE] == str(proxy.wave)
        assert gateway.file < proxy.file

    def test_the_names_of_files_are_unique_and_stay_in_their_cluster(self) -> None:
        written, _ = objects(foresee(parse(without_charts("multi-primary-multi-network"))))
        assert len({item.file for item in written}) == len(written)
        assert all(item.file.count("/") == 1 and item.file.startswith(f"{item.cluster}/") for item in written)


class TestCommand:
    def test_a_folder_a_cluster_and_an_index(self, root: Path, tmp_path: Path) -> None:
        found = render(root, tmp_path / "out")
        assert found.exit_code == 0, found.output
        index = yaml.safe_load((tmp_path / "out/index.yaml").read_text())
        there = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.yaml")}
        assert there == {*index["files"], "index.yaml"}
        assert set(index["clusters"]) == {"cluster1", "cluster2"}
        assert found.stdout == (
            f"cluster1: {index['clusters']['cluster1']} files\ncluster2: {index['clusters']['cluster2']} files\n"
            f"{len(index['left'])} objects are left out; {tmp_path / 'out/index.yaml'} says which and why\n"
        )
        assert "PrivateKey mesh-trust-root-key" in index["alsoNeeded"]
        assert json.loads(render(root, tmp_path / "out", "--json").stdout)["left"] == index["left"]

    def test_the_same_mesh_gives_the_same_files(self, root: Path, tmp_path: Path) -> None:
        texts = []
        for name in ("a", "b"):
            render(root, tmp_path / name)
            files = sorted((tmp_path / name).rglob("*.yaml"))
            texts.append({path.relative_to(tmp_path / name): path.read_text() for path in files})
        assert texts[0] == texts[1]

    def test_what_is_no_longer_of_the_mesh_goes(self, root: Path, tmp_path: Path) -> None:
        render(root, tmp_path / "out")
        wanted = without_charts("multi-primary-multi-network")
        for cluster in wanted["clusters"]:
            cluster["network"] = "network1"
        project(root, wanted)
        assert render(root, tmp_path / "out").exit_code == 0
        assert not list((tmp_path / "out").rglob("*eastwest*"))
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    def test_files_of_others_are_not_written_over(self, root: Path, tmp_path: Path) -> None:
        render(root, tmp_path / "out")
        (tmp_path / "out/cluster1/kustomization.yaml").write_text("mine")
        found = render(root, tmp_path / "out")
        assert found.exit_code == 1
        assert "holds what `mesh render` has not written: cluster1/kustomization.yaml" in found.stderr
        assert (tmp_path / "out/cluster1/kustomization.yaml").read_text() == "mine"

    def test_a_document_with_errors(self, tmp_path: Path) -> None:
        wanted = without_charts("multi-primary-multi-network")
        wanted["clusters"][1]["name"] = "cluster1"
        found = render(project(tmp_path, wanted), tmp_path / "out")
        assert found.exit_code == 1
        assert "MESH102" in found.stderr
        assert not (tmp_path / "out").exists()


class TestFolder:
    def test_a_file_in_its_place_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("")
        with pytest.raises(ProjectError, match="is a file; name a folder"):
            folders.replace(tmp_path / "out", {}, {})

    def test_an_index_of_somebody_else_owns_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "index.yaml").write_text("files: [index.yaml]\n")
        with pytest.raises(ProjectError, match=r"has not written: index\.yaml"):
            folders.replace(tmp_path, {}, {})

    def test_a_failure_leaves_the_old_folder(self, tmp_path: Path) -> None:
        folders.replace(tmp_path / "out", {}, {"a/b.yaml": "one"})
        with pytest.raises(ProjectError, match="cannot be written"):
            folders.replace(tmp_path / "out", {}, {"a/b.yaml": "two", "a/b.yaml/c.yaml": "three"})
        assert (tmp_path / "out/a/b.yaml").read_text() == "one"
