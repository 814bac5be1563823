"""Waypoints in whole programs: where they are, what uses them, and that nothing goes past a policy through one."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_components.gateways.waypoint import Waypoint, WaypointArgs
from mesh_components.settings import parse
from mesh_components.settings.base import ResourceAmounts
from mesh_components.topology.plan import plan
from mesh_components.topology.resources import resources
from tests.support.graph import Graph, Registered
from tests.support.meshes import document, federation, in_a_cluster
from tests.support.order import after, awaited
from tests.support.recipes import document as recipe

GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
USES = "istio.io/use-waypoint"


def mesh(*waypoints: dict[str, Any], plane: str = "ambient", **stated: Any) -> dict[str, Any]:
    """Two clusters on two networks."""
    wanted = document("east", "west", istio={"version": "1.30.5", "dataPlane": plane}, **stated)
    return {**wanted, "waypoints": list(waypoints)}


def waypoints(graph: Graph, cluster: str = "") -> list[Registered]:
    found = (item for item in graph.of_type(GATEWAY) if item.inputs["spec"]["gatewayClassName"] == "istio-waypoint")
    return [item for item in found if cluster in ("", graph.cluster(item))]


def labels(graph: Graph, namespace: str, kind: str = "Namespace") -> dict[str, dict[str, str]]:
    """Labels of a namespace by cluster."""
    found = graph.of_type(f"kubernetes:core/v1:{kind}")
    of_namespace = (item for item in found if item.kubernetes_name == namespace)
    return {graph.cluster(item): item.inputs["metadata"]["labels"] for item in of_namespace}


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Of the stack file `waypoints`."""
    return federation(recipe("waypoints"))


class TestAlone:
    """The component in a program of its own."""

    def waypoint(self, *, preview: bool = False, **args: Any) -> Graph:
        return in_a_cluster(lambda opts: Waypoint("w", WaypointArgs(namespace="shop", **args), opts), preview=preview)

    def test_a_gateway_and_then_the_label_of_the_namespace(self) -> None:
        graph = self.waypoint(revision="a")
        gateway, namespace = graph.kubernetes()
        assert gateway.inputs == {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {
                "name": "waypoint",
                "namespace": "shop",
                "labels": {"istio.io/waypoint-for": "service", "istio.io/global": "true", "istio.io/rev": "a"},
                "annotations": {"pulumi.com/waitFor": "condition=Programmed"},
            },
            "spec": {
                "gatewayClassName": "istio-waypoint",
                "listeners": [{"name": "mesh", "port": 15008, "protocol": "HBONE"}],
            },
        }
        assert namespace.type == "kubernetes:core/v1:NamespacePatch"
        assert namespace.inputs["metadata"] == {"name": "shop", "labels": {USES: "waypoint"}}
        assert gateway.name in awaited(graph, namespace)

    def test_its_size_stands_in_a_config_map_before_it(self) -> None:
        graph = self.waypoint(min_replicas=2, requests=ResourceAmounts(cpu="200m"), labels_namespace=False)
        parameters, gateway = graph.kubernetes()
        assert gateway.inputs["spec"]["infrastructure"]["parametersRef"]["name"] == parameters.kubernetes_name
        said = {key: yaml.safe_load(text) for key, text in parameters.inputs["data"].items()}
        assert sorted(said) == ["deployment", "horizontalPodAutoscaler", "podDisruptionBudget"]
        assert said["horizontalPodAutoscaler"]["spec"]["minReplicas"] == 2

    def test_a_network_policy_opens_its_ports(self) -> None:
        graph = self.waypoint(network_policy=True, exported=False, serves="all")
        policy = graph.resources_by_name["w-network-policy"]
        ports = {port["port"] for rule in policy.inputs["spec"]["ingress"] for port in rule["ports"]}
        assert {15008, 15021} <= ports
        (gateway,) = waypoints(graph)
        assert gateway.inputs["metadata"]["labels"] == {"istio.io/waypoint-for": "all"}

    def test_preview_records_the_same_graph_as_up(self) -> None:
        assert self.waypoint(preview=True).drawing() == self.waypoint().drawing()


class TestRecipe:
    """The stack file `waypoints`."""

    @pytest.mark.parametrize("cluster", ["cluster1", "cluster2"])
    def test_every_cluster_has_the_same(self, graph: Graph, cluster: str) -> None:
        found = {(item.inputs["metadata"]["namespace"], item.kubernetes_name) for item in waypoints(graph, cluster)}
        assert found == {("sample", "waypoint"), ("bookinfo", "waypoint")}

    def test_the_namespace_of_an_application_says_it_itself(self, graph: Graph) -> None:
        assert [item[USES] for item in labels(graph, "bookinfo").values()] == ["waypoint", "waypoint"]
        assert graph.of_type("kubernetes:core/v1:NamespacePatch") == []

    def test_they_come_after_the_application_and_istiod(self, graph: Graph) -> None:
        for part in ("bookinfo", "istiod", "ztunnel"):
            assert after(graph, "mesh-cluster1-waypoint-bookinfo", f"mesh-cluster1-{part}")

    def test_preview_shows_what_up_makes(self, graph: Graph) -> None:
        assert federation(recipe("waypoints"), preview=True).drawing() == graph.drawing()

    def test_its_parts_are_known_beforehand(self, graph: Graph) -> None:
        known = {item.name for item in resources(plan(parse(recipe("waypoints")))) if item.type.endswith(":Waypoint")}
        assert known == {item.name for item in graph.of_type("mesh:index:Waypoint")}


class TestNamespaces:
    def test_one_that_others_made_is_patched(self) -> None:
        graph = federation(mesh({"namespace": "shop", "name": "way"}))
        assert labels(graph, "shop", "NamespacePatch") == {"east": {USES: "way"}, "west": {USES: "way"}}

    def test_clusters_that_are_not_named_have_none(self) -> None:
        graph = federation(mesh({"namespace": "sample", "clusters": ["west"]}, applications={"helloworld": {}}))
        assert {graph.cluster(item) for item in waypoints(graph)} == {"west"}
        assert {cluster: USES in item for cluster, item in labels(graph, "sample").items()} == {
            "east": False,
            "west": True,
        }

    def test_the_revision_is_that_of_the_clusters_gateways(self) -> None:
        wanted = mesh({"namespace": "shop"}, {"namespace": "bank", "revision": "b"})
        wanted["istio"] |= {"revision": "a"}
        graph = federation(wanted)
        assert {
            item.inputs["metadata"]["namespace"]: item.inputs["metadata"]["labels"]["istio.io/rev"]
            for item in waypoints(graph, "east")
        } == {"shop": "a", "bank": "b"}


class TestPolicies:
    """A waypoint calls the workloads by its own name, which is of their namespace: it must not let in whom they do
    not."""

    TEAM = {"name": "shop", "namespaces": ["shop", "shop-jobs"], "accounts": ["istio-ingress/gateway"]}  # noqa: RUF012

    def test_a_closed_namespace_is_closed_at_its_waypoint_too(self) -> None:
        graph = federation(mesh({"namespace": "shop"}, teams=[self.TEAM]))
        at_workloads = graph.resources_by_name["mesh-east-team-shop-shop-allowed"]
        at_waypoint = graph.resources_by_name["mesh-east-team-shop-shop-allowed-at-waypoint"]
        assert at_waypoint.inputs["spec"].pop("targetRefs") == [
            {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "waypoint"}
        ]
        assert at_waypoint.inputs["spec"] == at_workloads.inputs["spec"]
        assert after(graph, "mesh-east-waypoint-shop", "mesh-east-team-shop")
        assert labels(graph, "shop")["east"][USES] == "waypoint"
        assert USES not in labels(graph, "shop-jobs")["east"]
        assert "mesh-east-team-shop-shop-jobs-allowed-at-waypoint" not in graph.resources_by_name

    def test_where_everything_is_denied_waypoints_deny_too(self) -> None:
        graph = federation(mesh({"namespace": "shop"}, policies={"authorization": "deny"}))
        assert after(graph, "mesh-west-waypoint-shop", "mesh-west-policies")
        denied = graph.resources_by_name["mesh-west-policies-deny-at-waypoints"].inputs
        assert denied["metadata"]["namespace"] == "istio-system"
        target = {"group": "gateway.networking.k8s.io", "kind": "GatewayClass", "name": "istio-waypoint"}
        assert denied["spec"] == {"targetRefs": [target]}

    def test_without_waypoints_there_is_no_such_policy(self) -> None:
        graph = federation(mesh(policies={"authorization": "deny"}, teams=[self.TEAM]))
        assert not [name for name in graph.resources_by_name if "at-waypoint" in name]


NAMESPACES = ("sample", "bookinfo", "shop", "bank", "others")


@st.composite
def meshes(draw: st.DrawFn) -> dict[str, Any]:
    """Ambient, alone or beside sidecars, with waypoints for namespaces of applications, of teams and of others."""
    chosen = draw(st.lists(st.sampled_from(NAMESPACES), unique=True))
    where = st.sampled_from([None, ["east"], ["east", "west"]])
    stated = [
        {"namespace": name, "name": draw(st.sampled_from(["waypoint", "way"])), "clusters": draw(where)}
        for name in chosen
    ]
    applications: dict[str, Any] = {
        name: {} for name in draw(st.sampled_from([(), ("helloworld",), ("helloworld", "bookinfo")]))
    }
    team = {"name": "team", "namespaces": ["shop", "bank"], "create": draw(st.booleans())}
    teams = draw(st.sampled_from([[], [team], [{**team, "closed": False}]]))
    plane = draw(st.sampled_from(["ambient", "mixed"]))
    return mesh(*stated, plane=plane, applications=applications, teams=teams)


@settings(max_examples=15, deadline=None)
@given(meshes())
def test_whatever_uses_a_waypoint_has_it_and_is_as_closed_as_its_workloads(wanted: dict[str, Any]) -> None:
    made = federation(wanted)
    for cluster in ("east", "west"):
        there = {(item.inputs["metadata"]["namespace"], item.kubernetes_name) for item in waypoints(made, cluster)}
        inside = [item for item in made.kubernetes() if made.cluster(item) == cluster]
        spaces = [item for item in inside if item.type.startswith("kubernetes:core/v1:Namespace")]
        says = [(item.kubernetes_name, item.inputs["metadata"].get("labels", {}).get(USES)) for item in spaces]
        # As many as are there: nobody says it twice.
        assert sorted((name, used) for name, used in says if used) == sorted(there)
        specs = [
            (item.inputs["metadata"]["namespace"], item.inputs["spec"])
            for item in inside
            if item.type.endswith(":AuthorizationPolicy")
        ]
        closed = {(namespace, "targetRefs" in spec): spec for namespace, spec in specs}
        for namespace, name in there:
            at_workloads, at_waypoint = closed.get((namespace, False)), closed.get((namespace, True))
            assert (at_workloads is None) == (at_waypoint is None)
            if at_workloads and at_waypoint:
                assert at_waypoint["rules"] == at_workloads["rules"]
                assert [target["name"] for target in at_waypoint["targetRefs"]] == [name]
    known = {item.name for item in resources(plan(parse(wanted))) if item.type.endswith(":Waypoint")}
    assert known == {item.name for item in made.of_type("mesh:index:Waypoint")}
