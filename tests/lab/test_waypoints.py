"""Waypoints on real API servers, with Istio's own schemas where they are at hand: Gateways are accepted and waited for,
namespaces are labelled whoever made them, policies are at the waypoint too, and what is taken out leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.support.objects import nothing_left
from tests.support.project import Project
from tests.support.recipes import on_lab

pytestmark = pytest.mark.lab

CLUSTERS = ("cluster1", "cluster2")
GATEWAYS = "/apis/gateway.networking.k8s.io/v1/namespaces"
POLICIES = "/apis/security.istio.io/v1/namespaces"
USES = "istio.io/use-waypoint"


def document() -> dict[str, Any]:
    """The recipe; with a team that is closed, and a namespace that is there already."""
    wanted = on_lab("waypoints")
    wanted["teams"] = [{"name": "shop", "namespaces": ["shop"]}]
    wanted["policies"] = {"authorization": "deny"}
    wanted["waypoints"] += [{"namespace": "shop"}, {"namespace": "others", "name": "way", "for": "all"}]
    return wanted


@pytest.fixture
def project(bare_crd_lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, list[Api]]]:
    project = Project(tmp_path_factory.mktemp("waypoints"), bare_crd_lab.dir, stack="waypoints")
    apis = [Api(bare_crd_lab.kubeconfig(name)) for name in CLUSTERS]
    for api in apis:
        metadata = {"name": "others", "labels": {"istio.io/dataplane-mode": "ambient"}}
        api.request("POST", "/api/v1/namespaces", {"metadata": metadata})
    with nothing_left(project, apis, "waypoint"):
        yield project, apis
    for api in apis:
        assert USES not in labels(api, "others")
        api.request("DELETE", "/api/v1/namespaces/others")


def labels(api: Api, namespace: str) -> dict[str, str]:
    found: dict[str, str] = api.get(f"/api/v1/namespaces/{namespace}")["metadata"]["labels"]
    return found


def waypoints(api: Api, namespace: str) -> list[str]:
    return [item["metadata"]["name"] for item in api.get(f"{GATEWAYS}/{namespace}/gateways")["items"]]


def test_the_recipe_with_a_team_and_a_namespace_of_others(project: tuple[Project, list[Api]]) -> None:
    mesh, apis = project
    wanted = document()
    mesh.write(wanted)
    mesh.done("up", "--yes", "--skip-preview")
    assert mesh.changes() == []
    for api in apis:
        assert {name: waypoints(api, name) for name in ("sample", "bookinfo", "shop", "others")} == {
            "sample": ["waypoint"], "bookinfo": ["waypoint"], "shop": ["waypoint"], "others": ["way"],
        }  # fmt: skip
        gateway = api.get(f"{GATEWAYS}/bookinfo/gateways/waypoint")
        assert gateway["status"]["addresses"][0]["value"] == "waypoint.bookinfo.svc.cluster.local"
        assert gateway["metadata"]["labels"] == {"istio.io/waypoint-for": "service", "istio.io/global": "true"}
        parameters = api.get("/api/v1/namespaces/bookinfo/configmaps/waypoint-parameters")["data"]
        assert yaml.safe_load(parameters["horizontalPodAutoscaler"])["spec"]["minReplicas"] == 2
        assert [labels(api, name)[USES] for name in ("sample", "shop", "others")] == ["waypoint", "waypoint", "way"]
        assert labels(api, "others")["istio.io/dataplane-mode"] == "ambient"
        at_waypoint, at_workloads = (
            api.get(f"{POLICIES}/shop/authorizationpolicies/{name}")["spec"] for name in ("team-at-waypoint", "team")
        )
        assert at_waypoint["rules"] == at_workloads["rules"]
        denied = api.get(f"{POLICIES}/istio-system/authorizationpolicies/default-deny-at-waypoints")["spec"]
        assert denied["targetRefs"][0]["name"] == "istio-waypoint"

    # Two of them are taken out again.
    wanted["waypoints"] = [item for item in wanted["waypoints"] if item["namespace"] in ("bookinfo", "sample")]
    mesh.write(wanted)
    mesh.done("up", "--yes", "--skip-preview")
    assert mesh.changes() == []
    for api in apis:
        assert waypoints(api, "shop") == waypoints(api, "others") == []
        assert USES not in labels(api, "others")
        assert USES not in labels(api, "shop")
        assert labels(api, "others")["istio.io/dataplane-mode"] == "ambient"
        names = {item["metadata"]["name"] for item in api.get(f"{POLICIES}/shop/authorizationpolicies")["items"]}
        assert names == {"team"}
