"""How requests are led, in whole meshes: in every cluster whose configuration an istiod reads, and nowhere else."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from mesh_components import AttachedCluster, AttachedClusterArgs, TrafficRules, TrafficRulesArgs
from mesh_components.istio import PeerAuthentication
from mesh_components.services import traffic
from tests.support.graph import Graph, Registered, run
from tests.support.meshes import document, federation, kubeconfig
from tests.support.order import awaited
from tests.support.recipes import TOPOLOGIES
from tests.support.recipes import document as recipe

LED: list[dict[str, Any]] = [
    {
        "host": "helloworld.sample",
        "subsets": {"v1": {"version": "v1"}, "v2": {"version": "v2"}},
        "subsetPerCluster": True,
        "failover": {},
        "routes": [{"to": {"v1": 90, "v2": 10}, "timeout": "5s"}],
    }
]


def rules(graph: Graph) -> dict[tuple[str, str], Registered]:
    """By cluster and kind."""
    return {
        (item.parent.removeprefix("mesh-").removesuffix("-traffic"), item.type.rpartition(":")[2]): item
        for item in graph.kubernetes()
        if item.parent.endswith("-traffic")
    }


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_every_topology_has_them_where_configuration_is(name: str) -> None:
    wanted = {**recipe(name), "applications": {"helloworld": {}}, "traffic": LED}
    up, preview = federation(wanted), federation(wanted, preview=True)
    assert up.drawing() == preview.drawing()
    holding = {c["name"] for c in wanted["clusters"] if c.get("role", "primary") in ("primary", "config")}
    assert set(rules(up)) == {(name, kind) for name in holding for kind in ("DestinationRule", "VirtualService")}
    assert all(item.provider == f"mesh-{cluster}-kubernetes" for (cluster, _), item in rules(up).items())


def test_routes_come_after_the_subsets_they_name_and_all_of_it_after_the_namespace() -> None:
    graph = federation(document("a", "b", applications={"helloworld": {}}, traffic=LED))
    for cluster in ("a", "b"):
        rule, routes = (rules(graph)[cluster, kind] for kind in ("DestinationRule", "VirtualService"))
        assert rule.name in awaited(graph, routes)
        assert f"mesh-{cluster}-helloworld-namespace" in awaited(graph, rule)


def test_equal_rules_in_all_clusters_with_a_subset_for_each() -> None:
    graph = federation(document("a", "b", "c", applications={"helloworld": {}}, traffic=LED))
    specs = [rules(graph)[cluster, "DestinationRule"].inputs["spec"] for cluster in ("a", "b", "c")]
    assert specs[0] == specs[1] == specs[2]
    labels = {subset["name"]: subset["labels"] for subset in specs[0]["subsets"]}
    assert labels["c"] == {"topology.istio.io/cluster": "c"}
    assert specs[0]["trafficPolicy"]["outlierDetection"]["consecutive5xxErrors"] == 5


def test_without_the_key_there_is_nothing() -> None:
    assert rules(federation(document("a", "b", applications={"helloworld": {}}))) == {}


def test_a_program_hands_over_resources_of_its_own() -> None:
    spec = {"mtls": {"mode": "STRICT"}}
    strict = PeerAuthentication.parse({"metadata": {"name": "default", "namespace": "sample"}, "spec": spec})
    rule = traffic.destination_rule("a", "sample", "a.example.org", policy=traffic.with_failover())

    def program() -> None:
        cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=kubeconfig("east")))
        args = TrafficRulesArgs(resources=(strict, rule))
        made = TrafficRules("led", args, pulumi.ResourceOptions(providers=[cluster.provider]))
        pulumi.export("hosts", made.hosts)

    graph = run(program)
    made = {item.name: item for item in graph.kubernetes()}
    assert set(made) == {"led-sample-default-peerauthentication", "led-sample-a-destinationrule"}
    policy = made["led-sample-default-peerauthentication"]
    assert policy.type == "kubernetes:security.istio.io/v1:PeerAuthentication"
    assert policy.inputs["spec"] == {"mtls": {"mode": "STRICT"}}
    assert "pulumi.com/deletionPropagationPolicy" in policy.inputs["metadata"]["annotations"]
    assert graph.stack_outputs == {"hosts": ["a.example.org"]}
