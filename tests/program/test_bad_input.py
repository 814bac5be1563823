"""What a person gets wrong: each gives one clear error that names the place, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.meshes import kubeconfig
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The lab's stack, with kubeconfigs of clusters that nobody runs."""
    lab = tmp_path / "lab"
    for name in ("cluster1", "cluster2"):
        write(lab / "clusters" / name / "kubeconfig", reachable(name))
    return Project(tmp_path / "project", lab)


def write(path: Path, contents: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(contents)


def reachable(name: str, user: dict[str, Any] | None = None) -> str:
    """A kubeconfig of a server on this machine that refuses connections."""
    document = json.loads(kubeconfig(name))
    document["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{1 if name == 'cluster1' else 2}"
    if user is not None:
        document["users"][0]["user"] = user
    return json.dumps(document)


def refused(project: Project, command: str, *words: str, **over: str | None) -> str:
    """Run a command that must be refused with clear words. Returns them."""
    before = snapshot(project)
    result = project.run(command, *(["--yes"] if command != "preview" else []), over=over)
    text = result.stdout + result.stderr
    assert result.returncode not in (0, 130), text
    assert "Traceback" not in text, text
    for word in words:
        assert word in text, text
    assert snapshot(project) == before
    return text


def snapshot(project: Project) -> dict[str, bytes]:
    folder = project.folder / ".pulumi-local"
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()} if folder.exists() else {}


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"meshId": "typo"}, "MESH001", "meshId"),
        ({"clusters": [{"name": "one"}]}, "MESH001", "clusters[0].network"),
        ({"clusters": "all"}, "MESH001", "clusters"),
        ({"clusters": 0}, "MESH102", "clusters[1].name"),
        ({"clusters": 1}, "MESH101", "clusters[0].name"),
        ({"clusters": 2}, "MESH501", "clusters[1].kubeconfig"),
        ({"clusters": 3}, "MESH204", "clusters[0].kubeconfig"),
        ({"clusters": 4}, "MESH201", "clusters[1].podRanges[0]"),
        ({"clusters": 5}, "MESH503", "clusters[0].peerKubeconfig"),
        ({"clusters": 6}, "MESH409", "clusters[1].controlPlane"),
        ({"clusters": 7}, "MESH411", "clusters[1].role"),
        ({"clusters": 8}, "MESH610", "clusters[1].tags.prod"),
    ],
)
@pytest.mark.parametrize("command", ["preview", "up"])
def test_a_document_with_an_error(
    project: Project, command: str, change: dict[str, Any], code: str, place: str
) -> None:
    document = project.document
    first, second = document["clusters"]
    edits: dict[int, Callable[[], object]] = {
        0: lambda: second.update(name="cluster1"),
        1: lambda: first.update(name="gke_project_zone_one"),
        2: lambda: second.update(kubeconfig={"file": "no/such/file"}),
        3: lambda: first.update(platform="generic"),
        4: lambda: (
            first.update(podRanges=["10.0.0.0/16"]),
            second.update(network="network1", podRanges=["10.0.128.0/17"]),
        ),
        5: lambda: first.update(peerKubeconfig={"file": "exec.kubeconfig"}),
        6: lambda: second.update(role="remote", controlPlane="cluster3"),
        7: lambda: (second.update(role="remote"), document["istio"].update(dataPlane="ambient")),
        8: lambda: (second.update(tags={"prod": "1-30-5"}), document["istio"].update(install="charts")),
    }
    write(project.folder / "exec.kubeconfig", reachable("cluster1", {"exec": {"command": "gke-gcloud-auth-plugin"}}))
    wanted = change.get("clusters")
    if isinstance(wanted, int):
        edits[wanted]()
        change = {}
    project.write({**document, **change})
    refused(project, command, code, f" at {place}", "fix:")


def test_all_mistakes_are_told_at_once(project: Project) -> None:
    document = project.document
    document["clusters"][0].update(name="Not-A-Label", kubeconfig={"file": "absent"})
    document["clusters"][1].update(network="", apiServer={"address": "http://203.0.113.1"})
    document["istio"].update(revision="1.30.3")
    project.write(document)
    refused(project, "preview", "MESH101", "MESH501", "MESH103", "MESH206", "MESH104")


@pytest.mark.parametrize(
    "contents", ["", "{", "[]", '{"version": 999}', '{"version": 1, "resources": [{"urn": 1}]}', "\x00\xff"]
)
@pytest.mark.parametrize("command", ["preview", "up", "destroy"])
def test_a_broken_state_file(project: Project, command: str, contents: str) -> None:
    write(project.state, contents)
    refused(project, command, str(project.state), "nothing was changed", "To go on")


def keys_only(project: Project) -> None:
    """A program that needs no cluster, and has something to encrypt."""
    (project.folder / "__main__.py").write_text(
        "from mesh_components import RootCA, RootCAArgs\n"
        'RootCA("trust", RootCAArgs(clusters=("one",), organization="example", protect=False))\n'
    )


def test_no_passphrase(project: Project) -> None:
    keys_only(project)
    refused(project, "up", "PULUMI_CONFIG_PASSPHRASE", PULUMI_CONFIG_PASSPHRASE=None)


@pytest.mark.parametrize("command", ["preview", "up", "destroy"])
def test_a_wrong_passphrase(project: Project, command: str) -> None:
    keys_only(project)
    project.done("up", "--yes")
    assert "ciphertext" in project.state.read_text()
    refused(project, command, "passphrase", str(project.state), PULUMI_CONFIG_PASSPHRASE="another one")


@pytest.mark.parametrize("text", ["config: [", "- a list", ""])
def test_a_stack_file_that_is_none(project: Project, text: str) -> None:
    project.settings.write_text(text)
    refused(project, "preview", "Pulumi.local.yaml" if text else "MESH002")


def test_a_stack_that_is_not_there(project: Project) -> None:
    project.stack = "nowhere"
    refused(project, "preview", "Pulumi.nowhere.yaml")


def test_a_resource_that_only_pulumi_can_make(project: Project) -> None:
    (project.folder / "__main__.py").write_text(
        'import pulumi\npulumi.CustomResource("gcp:container/cluster:Cluster", "gke", {"location": "europe-west3"})\n'
    )
    refused(project, "up", "gcp needs the Pulumi CLI")


def test_a_program_that_fails(project: Project) -> None:
    (project.folder / "__main__.py").write_text('import pulumi\nraise pulumi.RunError("the reason, and no more")\n')
    text = refused(project, "up", "the reason, and no more")
    assert yaml.safe_load(project.settings.read_text())
    assert "File" not in text


def test_clusters_that_do_not_answer(project: Project) -> None:
    """Each is told of by name; what does not need them is recorded, so that the next run goes on from it."""
    result = project.run("up", "--yes")
    text = result.stdout + result.stderr
    assert result.returncode == 1
    assert "Traceback" not in text
    for name, address in (("cluster1", "127.0.0.1:1"), ("cluster2", "127.0.0.1:2")):
        assert f"{name}: the API server https://{address} does not answer" in text
    recorded = json.loads(project.state.read_text())["resources"]
    assert {item["type"] for item in recorded if item["type"].startswith("kubernetes:")} == set()
