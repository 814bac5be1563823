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
from tests.support.order import after
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


@pytest.fixture(scope="module")
def graph() -> Graph:
    return federation(document("addons"))


def test_nothing_is_made_where_nothing_is_asked_for() -> None:
    made = federation(document("multi-primary-multi-network"))
    kinds = ("Prometheus", "Grafana", "Jaeger", "Kiali", "Loki", "Telemetry", "ServiceElsewhere")
    assert not [item for item in made.resources_by_name.values() if any(kind in item.type for kind in kinds)]


def test_each_cluster_has_metrics_and_one_fetches_them(graph: Graph) -> None:
    scraped = told(graph, "cluster1", "prometheus")["scrapeConfigs"]
    asked = {name: job for name, job in scraped.items() if job != {"enabled": False}}
    assert {job["static_configs"][0]["targets"][0] for job in asked.values()} == {
        f"prometheus-{name}.istio-system.svc.cluster.local:9090" for name in ("cluster1", "cluster2")
    }
    assert [job["static_configs"][0]["labels"] for job in asked.values()] == [
        {"cluster": "cluster1"},
        {"cluster": "cluster2"},
    ]
    assert "scrapeConfigs" not in told(graph, "cluster2", "prometheus-cluster2")


def test_the_mesh_leads_to_what_is_elsewhere(graph: Graph) -> None:
    """A Service without pods where it is called, and a sidecar at both ends."""
    empty = {
        (graph.cluster(item), item.kubernetes_name)
        for item in graph.of_type("kubernetes:core/v1:Service")
        if item.inputs["metadata"].get("annotations", {}).get("pulumi.com/skipAwait")
    }
    assert empty == {("cluster1", "prometheus-cluster2"), ("cluster2", "jaeger"), ("cluster2", "mesh-access-logs")}
    with_sidecar = {
        (graph.cluster(item), item.kubernetes_name)
        for item in graph.kubernetes()
        if item.type.endswith((":Deployment", ":StatefulSet"))
        and item.inputs["spec"]["template"].get("metadata", {}).get("labels", {}).get("sidecar.istio.io/inject")
        == "true"
        and graph.cluster(item)
        and "gateway" not in item.kubernetes_name
    }
    assert with_sidecar == {
        ("cluster1", "prometheus"),
        ("cluster2", "prometheus-cluster2"),
        ("cluster1", "jaeger"),
        ("cluster1", "mesh-access-logs"),
    }
    # Scrapes go past the sidecar, and who has none reaches the metrics of the mesh past it.
    own = pod(graph, "cluster2", "prometheus-cluster2")["annotations"]
    assert own == {"traffic.sidecar.istio.io/includeOutboundIPRanges": ""}
    assert pod(graph, "cluster1", "prometheus")["annotations"] == {
        "traffic.sidecar.istio.io/excludeInboundPorts": "9090"
    }


def test_an_address_takes_the_place_of_the_mesh() -> None:
    federated = {"federation": {"addresses": {"cluster2": "https://prometheus.example/two"}}}
    made = federation(with_addons("multi-primary-multi-network", {"prometheus": federated}))
    job = told(made, "cluster1", "prometheus")["scrapeConfigs"]["federate-cluster2"]
    assert (job["scheme"], job["metrics_path"]) == ("https", "/two/federate")
    assert not made.of_type("mesh:index:ServiceElsewhere")
    assert pod(made, "cluster2", "prometheus-cluster2")["labels"] == {"sidecar.istio.io/inject": "false"}


def test_in_ambient_all_are_in_the_mesh_and_known_everywhere() -> None:
    made = federation(with_addons("ambient-multi-network", ALL))
    for cluster, name in (("cluster1", "kiali"), ("cluster1", "grafana"), ("cluster2", "prometheus-cluster2")):
        assert pod(made, cluster, name)["labels"]["istio.io/dataplane-mode"] == "ambient"
    for cluster, name in (("cluster1", "jaeger"), ("cluster2", "jaeger"), ("cluster2", "prometheus-cluster2")):
        assert one(made, "Service", cluster, name)["metadata"]["labels"]["istio.io/global"] == "true"


class TestKiali:
    """It reads every cluster, as nobody but itself."""

    def test_it_is_told_of_the_other_clusters_after_they_know_it(self, graph: Graph) -> None:
        values = told(graph, "cluster1", "kiali")
        assert values["clustering"]["clusters"] == [
            {"name": "cluster2", "secret_name": "kiali-remote-cluster-secret-cluster2"}
        ]
        assert values["kubernetes_config"] == {"cluster_name": "cluster1"}
        assert values["deployment"]["view_only_mode"] is True
        assert after(graph, "mesh-cluster1-kiali", "mesh-cluster2-kiali-secret")
        assert after(graph, "mesh-cluster2-kiali-token", "mesh-cluster2-kiali-reader")

    def test_the_secret_is_as_kiali_wants_it_and_secret(self, graph: Graph) -> None:
        found = graph.resources_by_name["mesh-cluster2-kiali-secret-secret"]
        assert graph.cluster(found) == "cluster1"
        assert found.inputs["metadata"]["labels"] == {"kiali.io/multiCluster": "true"}
        assert found.inputs["metadata"]["annotations"] == {"kiali.io/cluster": "cluster2"}
        assert set(found.inputs["data"]) == {"cluster2"}
        assert "data" in found.secret

    def test_another_token_starts_it_anew(self) -> None:
        def annotation(tokens: dict[str, Any]) -> str:
            addons = {"metricsUrl": "https://thanos.example", "kiali": {"tokens": tokens}}
            made = federation(with_addons("multi-primary-multi-network", addons))
            return str(pod(made, "cluster1", "kiali")["annotations"]["mesh.components/credentials"])

        first = annotation({})
        assert first == "cluster2:1"
        assert annotation({"serials": {"cluster2": 2}}) == "cluster2:2"
        assert annotation({"kind": "requested"}) == "cluster2:1:2027-01-01T00:00:00Z"

    def test_its_requested_tokens_are_among_what_ends(self) -> None:
        addons = {"metricsUrl": "https://thanos.example", "kiali": {"tokens": {"kind": "requested"}}}
        made = federation(with_addons("multi-primary-multi-network", addons))
        assert made.stack_outputs["expires"]["kialiTokens"] == {"cluster2": "2027-01-01T00:00:00Z"}
        assert "tokens" not in made.stack_outputs["expires"]

    def test_a_control_plane_elsewhere_is_read_too(self) -> None:
        made = federation(with_addons("external-control-plane", {**ALL, "cluster": "cluster1"}))
        read = {item["name"] for item in told(made, "cluster1", "kiali")["clustering"]["clusters"]}
        assert read == {"control", "cluster2"}


def test_no_password_is_a_chart_value(graph: Graph) -> None:
    """Values are in clear, and drawn anew at every rendering."""
    for name in ("kiali", "grafana"):
        assert "drawn for" not in json.dumps(told(graph, "cluster1", name))
    for name in ("mesh-cluster1-kiali-signing-key", "mesh-cluster1-grafana-admin"):
        assert "data" in graph.resources_by_name[name].secret
    assert told(graph, "cluster1", "grafana")["admin"]["existingSecret"] == "grafana-admin"


def test_proxies_are_told_where_to_send_and_by_whom(graph: Graph) -> None:
    for cluster in ("cluster1", "cluster2"):
        providers = json.loads(one(graph, "ConfigMap", cluster, "values")["data"]["original-values"])["meshConfig"]
        assert [item["name"] for item in providers["extensionProviders"]] == ["jaeger", "mesh-access-logs"]
        spec = one(graph, "Telemetry", cluster, "mesh-addons")["spec"]
        assert spec["tracing"] == [{"providers": [{"name": "jaeger"}], "randomSamplingPercentage": 5}]
    # Those that take what is sent keep silent, where their configuration is read.
    silent = {(c, n) for c, n in where(graph, "Telemetry") if n != "mesh-addons"}
    assert silent == {("cluster1", "mesh-addons-jaeger"), ("cluster1", "mesh-addons-mesh-access-logs")}


def test_the_log_to_standard_output_stays() -> None:
    wanted = with_addons("multi-primary-multi-network", {"loki": {}})
    wanted["istio"] = {**wanted["istio"], "meshConfig": {"accessLog": {"encoding": "JSON"}}}
    spec = one(federation(wanted), "Telemetry", "cluster1", "mesh-addons")["spec"]
    assert spec["accessLogging"] == [{"providers": [{"name": "envoy"}, {"name": "mesh-access-logs"}]}]


def test_with_an_istio_of_others_all_but_the_mesh_config_is_made() -> None:
    wanted = with_addons("multi-primary-multi-network", ALL)
    wanted["istio"] = {"install": "none"}
    made = federation(wanted)
    kinds = {item.type.removeprefix("mesh:index:") for item in made.resources_by_name.values()}
    assert kinds >= {"Prometheus", "Grafana", "Jaeger", "Kiali", "Loki", "MeshTelemetry"}
    assert not made.of_type("mesh:index:Istiod")


def test_a_namespace_of_their_own_is_made_in_every_cluster() -> None:
    made = federation(with_addons("multi-primary-multi-network", {**ALL, "namespace": "observability"}))
    assert {c for c, name in where(made, "Namespace") if name == "observability"} == {"cluster1", "cluster2"}
    assert one(made, "ServiceAccount", "cluster2", "kiali")["metadata"]["namespace"] == "observability"
    assert one(made, "Telemetry", "cluster1", "mesh-addons")["metadata"]["namespace"] == "istio-system"
    # Of a chart that leaves the namespace to whoever installs it.
    assert one(made, "Service", "cluster1", "jaeger")["metadata"]["namespace"] == "observability"
