"""Sample applications in whole meshes: the same Services everywhere, each version where it is placed, all of it after
what it needs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.settings import parse
from mesh_components.topology.applications import SERVICES
from mesh_components.topology.plan import plan
from tests.support.graph import Graph, Registered
from tests.support.meshes import document, federation
from tests.support.order import after, awaited
from tests.support.recipes import TOPOLOGIES
from tests.support.recipes import document as recipe

BOTH: dict[str, Any] = {"helloworld": {}, "bookinfo": {}}


def objects(graph: Graph, kind: str, application: str = "helloworld") -> dict[tuple[str, str], Registered]:
    """Of an application, by cluster and name."""
    return {
        (cluster, item.kubernetes_name): item
        for item in graph.kubernetes()
        for cluster in [item.provider.removeprefix("mesh-").removesuffix("-kubernetes")]
        if item.type.endswith(f":{kind}") and item.parent == f"mesh-{cluster}-{application}"
    }


def running(graph: Graph, application: str) -> dict[str, list[str]]:
    """Names of Deployments by cluster."""
    found: dict[str, list[str]] = {}
    for cluster, name in sorted(objects(graph, "Deployment", application)):
        found.setdefault(cluster, []).append(name)
    return found


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_every_topology_can_have_them(name: str) -> None:
    wanted = {**recipe(name), "applications": BOTH}
    up, preview = federation(wanted), federation(wanted, preview=True)
    assert up.drawing() == preview.drawing()
    mesh = parse(wanted)
    members = {cluster.name for cluster in mesh.clusters if cluster.role != "external"}
    for application, services in SERVICES.items():
        assert set(objects(up, "Service", application)) == {(c, service) for c in members for service in services}
        assert {cluster for cluster, _ in objects(up, "Namespace", application)} == members
    clients = {cluster for cluster, deployment in objects(up, "Deployment") if deployment == "curl"}
    assert clients == members


def test_they_are_spread_where_nothing_is_said() -> None:
    graph = federation(document("a", "b", "c", applications=BOTH))
    assert running(graph, "helloworld") == {
        "a": ["curl", "helloworld-v1"],
        "b": ["curl", "helloworld-v2"],
        "c": ["curl", "helloworld-v1"],
    }
    assert running(graph, "bookinfo") == {
        "a": ["details-v1", "productpage-v1"],
        "b": ["ratings-v1", "reviews-v1", "reviews-v3"],
        "c": ["reviews-v2"],
    }


def test_they_are_where_the_document_says() -> None:
    wanted = {
        "helloworld": {"versions": {"v2": ["a"]}, "client": False},
        "bookinfo": {"versions": {"reviews-v1": [], "ratings-v1": ["a", "b"]}},
    }
    graph = federation(document("a", "b", applications=wanted))
    assert running(graph, "helloworld") == {"a": ["helloworld-v1", "helloworld-v2"]}
    assert running(graph, "bookinfo") == {
        "a": ["details-v1", "productpage-v1", "ratings-v1"],
        "b": ["ratings-v1", "reviews-v2", "reviews-v3"],
    }


@pytest.mark.parametrize(
    ("istio", "settings", "labels", "exported"),
    [
        ({}, {}, {"istio-injection": "enabled"}, False),
        ({"revision": "1-30-3"}, {}, {"istio.io/rev": "1-30-3"}, False),
        ({"revision": "x", "tags": {"prod": "x"}}, {"revision": "prod"}, {"istio.io/rev": "prod"}, False),
        ({"dataPlane": "ambient"}, {}, {"istio.io/dataplane-mode": "ambient"}, True),
        ({"dataPlane": "mixed"}, {}, {"istio-injection": "enabled"}, True),
        ({"dataPlane": "mixed"}, {"dataPlane": "ambient"}, {"istio.io/dataplane-mode": "ambient"}, True),
    ],
)
def test_the_namespace_says_who_takes_its_pods_into_the_mesh(
    istio: dict[str, Any], settings: dict[str, Any], labels: dict[str, str], exported: bool
) -> None:
    wanted = document("a", "b", istio={"version": "1.30.3", **istio}, applications={"helloworld": settings})
    graph = federation(wanted)
    for item in objects(graph, "Namespace").values():
        assert item.inputs["metadata"]["labels"] == labels
    for item in objects(graph, "Service").values():
        assert ("istio.io/global" in item.inputs["metadata"]["labels"]) is exported


def test_a_service_is_waited_for_where_it_has_pods_and_nowhere_else() -> None:
    """Pulumi would wait ten minutes for pods that are in another cluster, and give up."""
    graph = federation(document("a", "b", "c", applications={"helloworld": {"versions": {"v1": ["a"], "v2": ["b"]}}}))
    waits = {
        cluster: "pulumi.com/skipAwait" not in item.inputs["metadata"].get("annotations", {})
        for (cluster, _), item in objects(graph, "Service").items()
    }
    assert waits == {"a": True, "b": True, "c": False}


@pytest.mark.parametrize(
    "name", ["primary-remote-multi-network", "multi-primary-multi-network", "ambient-multi-network"]
)
def test_pods_come_after_control_planes_gateways_and_what_lets_an_istiod_inject_them(name: str) -> None:
    graph = federation({**recipe(name), "applications": BOTH})
    for cluster in recipe(name)["clusters"]:
        prefix = f"mesh-{cluster['name']}"
        kinds = ("Istiod", "RemoteIstiod", "EastWestGateway", "AmbientGateway", "Ztunnel")
        needed = [
            item.name
            for item in graph.resources_by_name.values()
            if item.name.startswith(f"{prefix}-") and item.type.rsplit(":", 1)[-1] in kinds
        ]
        assert needed
        for application in SERVICES:
            assert all(after(graph, f"{prefix}-{application}", name) for name in needed)


def test_nothing_that_runs_waits_for_a_service() -> None:
    """The Service waits for what runs."""
    graph = federation(document("a", "b", applications=BOTH))
    for application in SERVICES:
        for item in objects(graph, "Deployment", application).values():
            kinds = {graph.resources_by_name[name].type for name in awaited(graph, item) if application in name}
            assert "kubernetes:core/v1:Namespace" in kinds
            assert "kubernetes:core/v1:Service" not in kinds


def test_a_document_without_them_has_none() -> None:
    assert federation(document("a", "b", applications={})).drawing() == federation(document("a", "b")).drawing()


names = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=1, max_size=5, unique=True)


@given(names)
def test_every_service_has_a_version_and_every_cluster_its_services(clusters: list[str]) -> None:
    """Whatever the mesh: switched on and not said more, an application works, and crosses clusters if there are two."""
    topology = plan(parse(document(*clusters, applications=BOTH)))
    for position, application in enumerate(SERVICES):
        parts = {cluster.name: cluster.applications[position].versions for cluster in topology.clusters}
        placed = [version for versions in parts.values() for version in versions]
        assert {v for versions in SERVICES[application].values() for v in versions} == set(placed)
        assert len(clusters) == 1 or len({cluster for cluster, versions in parts.items() if versions}) > 1
