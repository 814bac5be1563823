"""The recipe `traffic` on two API servers that check with Istio's own CRDs: every object is accepted as it is written,
nothing of it is dropped, weights move in place, and destroy leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh_components.services import led
from mesh_components.settings import parse
from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.support.project import Project
from tests.support.recipes import document

pytestmark = pytest.mark.lab
CLUSTERS = ("cluster1", "cluster2")
PLURALS = {"DestinationRule": "destinationrules", "VirtualService": "virtualservices"}
PATH = "/apis/networking.istio.io/v1/namespaces/bookinfo"


def wanted(lab: RealLab) -> dict[str, Any]:
    mesh = document("traffic")
    mesh["istio"] = {"install": "none"}
    mesh["trust"] = {"protectRoot": False}
    for cluster in mesh["clusters"]:
        cluster |= {"platform": "lab", "kubeconfig": {"file": str(lab.kubeconfig(cluster["name"]))}}
        del cluster["apiServer"]
    return mesh


@pytest.fixture
def project(crd_lab: RealLab, tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path / "project", crd_lab.dir)
    yield project
    project.run("destroy", "--yes")


def test_the_recipe_is_what_api_servers_have(project: Project, crd_lab: RealLab) -> None:
    mesh = wanted(crd_lab)
    project.write(mesh)
    project.done("up", "--yes")
    assert project.changes() == []
    resources = [item.manifest() for item in led.resources(parse(mesh).traffic, CLUSTERS, "istio-system")]
    assert len(resources) == 7
    for api in (Api(crd_lab.kubeconfig(cluster)) for cluster in CLUSTERS):
        for item in resources:
            found = api.get(f"{PATH}/{PLURALS[item['kind']]}/{item['metadata']['name']}")
            assert found["spec"] == item["spec"]
    before = routes(crd_lab)
    mesh["traffic"][0]["routes"][1]["to"] = {"v1": 50, "v2": 50}
    project.write(mesh)
    changes = project.preview()
    assert {row["op"] for row in changes} == {"same", "update"}
    assert sum(row["op"] == "update" for row in changes) == len(CLUSTERS)
    project.done("up", "--yes")
    after = routes(crd_lab)
    assert [item["metadata"]["uid"] for item in after] == [item["metadata"]["uid"] for item in before]
    assert all([part["weight"] for part in item["spec"]["http"][1]["route"]] == [50, 50] for item in after)
    project.done("destroy", "--yes")
    for api in (Api(crd_lab.kubeconfig(cluster)) for cluster in CLUSTERS):
        assert all(not api.get(f"/apis/networking.istio.io/v1/{plural}")["items"] for plural in PLURALS.values())


def routes(lab: RealLab) -> list[dict[str, Any]]:
    return [Api(lab.kubeconfig(cluster)).get(f"{PATH}/virtualservices/reviews") for cluster in CLUSTERS]
