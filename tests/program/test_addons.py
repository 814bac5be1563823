"""Add-ons: whole programs, by what there is of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh_components.settings import parse
from mesh_components.topology.plan import plan
from mesh_components.topology.resources import resources
from tests.support.graph import Graph
from tests.support.meshes import federation
from tests.support.recipes import document

ALL: dict[str, Any] = {"prometheus": {"federation": {}}, "grafana": {}, "jaeger": {}, "kiali": {}, "loki": {}}


def with_addons(recipe: str, addons: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {**document(recipe), **top, "addons": addons}


def where(graph: Graph, kind: str) -> set[tuple[str, str]]:
    """Cluster and name of the objects of a kind."""
    found = (item for item in graph.kubernetes() if item.type.endswith(f":{kind}"))
    return {(graph.cluster(item), item.kubernetes_name) for item in found}


def one(graph: Graph, kind: str, cluster: str, name: str) -> dict[str, Any]:
    (found,) = [
        item.inputs
        for item in graph.kubernetes()
        if item.type.endswith(f":{kind}") and (graph.cluster(item), item.inputs["metadata"]["name"]) == (cluster, name)
    ]
    return dict(found)


def told(graph: Graph, cluster: str, name: str) -> dict[str, Any]:
    """The values that a chart was rendered with."""
    values: dict[str, Any] = json.loads(one(graph, "ConfigMap", cluster, name)["data"]["values"])
    return values


def pod(graph: Graph, cluster: str, name: str, kind: str = "Deployment") -> dict[str, Any]:
    metadata: dict[str, Any] = one(graph, kind, cluster, name)["spec"]["template"]["metadata"]
    return metadata


@pytest.mark.parametrize(
    "wanted",
    [
        document("addons"),
        with_addons("primary-remote-multi-network", {**ALL, "cluster": "cluster2", "namespace": "observability"}),
        with_addons("ambient-multi-network", ALL),
        with_addons("external-control-plane", ALL),
        with_addons("multi-primary-single-network", {**ALL, "kiali": {"tokens": {"kind": "requested"}}}),
    ],
)
def test_preview_shows_what_up_makes_and_what_was_decided(wanted: dict[str, Any]) -> None:
    up = federation(wanted)
    assert up.drawing() == federation(wanted, preview=True).drawing()
    listed = {(item.type.rpartition("$")[2], item.name) for item in resources(plan(parse(wanted)))}
    made = {
        (item.type, item.name)
        for item in up.resources_by_name.values()
        if item.type.startswith("mesh:index:") and item.name != "mesh"
    }
    assert made <= listed
    assert {kind for kind, _ in made} >= {f"mesh:index:{kind}" for kind in ("Prometheus", "Kiali", "LogCollector")}
