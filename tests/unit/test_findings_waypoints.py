"""Findings about waypoints that their pages do not show."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import parse
from mesh_components.topology.findings import findings
from tests.support.meshes import document

SHOP = {"namespace": "shop"}
REVIEWS = {"host": "reviews.bookinfo", "subsets": {"v2": {"version": "v2"}}}
TO_V2 = {**REVIEWS, "routes": [{"to": "v2"}]}


def found(*waypoints: dict[str, Any], plane: str = "ambient", **mesh: Any) -> list[tuple[str, str]]:
    """Number and place of what is found about waypoints in two clusters with the CRDs of the Gateway API."""
    wanted = document("east", "west", istio={"version": "1.30.5", "dataPlane": plane}, **mesh)
    for cluster in wanted["clusters"]:
        cluster["gatewayApi"] = False
    seen = findings(parse({**wanted, "waypoints": list(waypoints)}))
    return [(one.code, one.place) for one in seen if one.code.startswith(("MESH912", "MESH97"))]


class TestLed:
    """MESH912: of what ambient carries, as far as the document knows."""

    def test_each_service_without_a_waypoint_is_named(self) -> None:
        traffic = [REVIEWS, {"host": "web.shop"}, {"host": "api.example.com"}]
        assert found(SHOP, traffic=traffic) == [("MESH912", "traffic[0].host"), ("MESH912", "traffic[2].host")]

    def test_one_for_workloads_does_not_count(self) -> None:
        assert found({**SHOP, "for": "workload"}, traffic=[{"host": "web.shop"}]) == [("MESH912", "traffic[0].host")]
        assert found({**SHOP, "for": "all"}, traffic=[{"host": "web.shop"}]) == []

    @pytest.mark.parametrize(
        ("applications", "expected"),
        [({"bookinfo": {"dataPlane": "ambient"}}, [("MESH912", "traffic[0].host")]), ({"bookinfo": {}}, []), ({}, [])],
    )
    def test_in_a_mesh_with_both_only_what_is_known_to_be_ambient(
        self, applications: dict[str, Any], expected: list[tuple[str, str]]
    ) -> None:
        assert found(plane="mixed", traffic=[REVIEWS], applications=applications) == expected

    def test_a_team_of_ambient_too(self) -> None:
        team = {"name": "shop", "namespaces": ["shop"], "dataPlane": "ambient"}
        assert found(plane="mixed", traffic=[{"host": "web.shop"}], teams=[team]) == [("MESH912", "traffic[0].host")]


def test_sidecars_in_a_mesh_with_both_need_none() -> None:
    sample = {"namespace": "sample"}
    assert found(sample, plane="mixed", applications={"helloworld": {}}) == [("MESH970", "waypoints[0].namespace")]
    assert found(sample, plane="mixed", applications={"helloworld": {"dataPlane": "ambient"}}) == []
    assert found(SHOP, plane="mixed") == []


@pytest.mark.parametrize("namespace", ["istio-system", "kube-system", "istio-ingress", "Shop", ""])
def test_a_namespace_that_cannot_be_used(namespace: str) -> None:
    ingress = [{"name": "east", "network": "n1", "kubeconfig": {"file": "e"}, "ingress": [{}]}]
    wanted = document("east", "west", istio={"version": "1.30.5", "dataPlane": "ambient"})
    wanted["clusters"][0] |= ingress[0]
    seen = findings(parse({**wanted, "waypoints": [{"namespace": namespace}]}))
    assert ("MESH972", "waypoints[0].namespace") in [(one.code, one.place) for one in seen]


def test_a_service_of_the_namespace_has_its_name() -> None:
    reviews = {"namespace": "bookinfo", "name": "reviews"}
    assert found(reviews, applications={"bookinfo": {}}) == [("MESH972", "waypoints[0].name")]
    assert found(reviews) == []


def test_two_in_different_clusters_are_no_two_for_one_but_should_be_called_alike() -> None:
    east, west = {**SHOP, "clusters": ["east"]}, {**SHOP, "clusters": ["west"]}
    assert found(east, west) == []
    assert found(east, {**west, "name": "other"}) == [("MESH974", "waypoints[1].name")]
    assert found(east, {**SHOP, "name": "other"}) == [("MESH973", "waypoints[1].namespace")]


def test_an_empty_list_of_clusters_is_none_and_so_no_difference() -> None:
    assert found({**SHOP, "clusters": []}) == []


class TestSubsets:
    """MESH976: what another network does not keep."""

    def blurred(self, versions: dict[str, list[str]], *traffic: dict[str, Any]) -> list[tuple[str, str]]:
        return found(
            {"namespace": "bookinfo"}, traffic=list(traffic), applications={"bookinfo": {"versions": versions}}
        )

    MIXED = {"reviews-v1": ["east"], "reviews-v2": ["east"], "reviews-v3": ["west"]}  # noqa: RUF012

    def test_percent_and_mirrors_name_subsets_too(self) -> None:
        subsets = {"v2": {"version": "v2"}, "v3": {"version": "v3"}}
        route = {"to": {"v2": 90, "v3": 10}, "mirror": {"to": "v2"}}
        assert self.blurred(self.MIXED, {**REVIEWS, "subsets": subsets, "routes": [route]}) == [
            ("MESH976", "traffic[0].routes[0].mirror.to"),
            ("MESH976", "traffic[0].routes[0].to.v2"),
        ]

    def test_a_subset_of_a_cluster_is_kept(self) -> None:
        by_cluster = {"host": "reviews.bookinfo", "subsetPerCluster": True, "routes": [{"to": "east"}]}
        assert self.blurred(self.MIXED, by_cluster) == []

    def test_so_is_one_that_is_alone_in_its_network(self) -> None:
        assert self.blurred({"reviews-v1": ["east"], "reviews-v2": ["west"], "reviews-v3": []}, TO_V2) == []

    def test_of_services_of_others_nothing_is_known(self) -> None:
        assert found(SHOP, traffic=[{**TO_V2, "host": "web.shop"}]) == []


def test_the_crds_are_missed_once_a_cluster() -> None:
    wanted = document("east", "west", istio={"version": "1.30.5", "dataPlane": "ambient"})
    seen = findings(parse({**wanted, "waypoints": [SHOP, {"namespace": "bank"}]}))
    assert [one.place for one in seen if one.code == "MESH932"] == ["clusters[0].gatewayApi", "clusters[1].gatewayApi"]
