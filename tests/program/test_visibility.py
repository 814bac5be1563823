"""Who sees what, from the document to mesh config, gateways and objects."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.settings import parse
from mesh_components.topology import visibility
from tests.support.graph import Graph
from tests.support.meshes import document, federation
from tests.support.recipes import document as recipe

MCS = {"across": "selective", "services": ["helloworld.sample"], "mcs": {}}
SELECTIVE = {"across": "selective", "services": ["helloworld.sample"], "namespaces": ["bookinfo"]}


def mesh(seen: dict[str, Any], **top: Any) -> dict[str, Any]:
    istio = {"version": "1.30.5", **top.pop("istio", {})}
    return document("east", "west", **{"istio": istio, "visibility": seen, **top})


def mesh_configs(graph: Graph) -> list[dict[str, Any]]:
    """Of every istiod."""
    return [asked["values"]["meshConfig"] for asked in graph.rendered if "meshConfig" in asked["values"]]


def environments(graph: Graph) -> list[dict[str, str]]:
    return [asked["values"].get("env", {}) for asked in graph.rendered if "meshConfig" in asked["values"]]


def of_kind(graph: Graph, kind: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Objects of a kind, by cluster, namespace and name."""
    return {
        (graph.cluster(item), item.inputs["metadata"]["namespace"], item.kubernetes_name): item.inputs
        for item in graph.kubernetes()
        if item.type.endswith(f":{kind}")
    }


class TestNothingSaid:
    """A document without the key is as it was."""

    def test_neither_mesh_config_nor_objects(self) -> None:
        graph = federation(mesh({}))
        assert all(
            config.keys().isdisjoint({"serviceSettings", "discoverySelectors", "serviceScopeConfigs"})
            for config in mesh_configs(graph)
        )
        assert graph.of_type("mesh:index:Visibility") == []

    def test_all_is_what_sidecars_do_anyway(self) -> None:
        assert mesh_configs(federation(mesh({"across": "all"}))) == mesh_configs(federation(mesh({})))


class TestSidecars:
    def test_every_cluster_is_told_the_same_since_the_caller_decides(self) -> None:
        east, west = mesh_configs(federation(mesh(SELECTIVE)))
        assert east["serviceSettings"] == west["serviceSettings"] == [
            {"settings": {"clusterLocal": True}, "hosts": ["*.svc.cluster.local"]},
            {
                "settings": {"clusterLocal": False},
                "hosts": ["helloworld.sample.svc.cluster.local", "*.bookinfo.svc.cluster.local"],
            },
        ]  # fmt: skip

    def test_gateways_let_through_what_is_visible_and_nothing_else(self) -> None:
        gateways = of_kind(federation(mesh(SELECTIVE)), "Gateway")
        hosts = [spec["spec"]["servers"][0]["hosts"] for spec in gateways.values()]
        assert hosts == [["helloworld.sample.svc.cluster.local", "*.bookinfo.svc.cluster.local"]] * 2

    def test_nothing_visible_is_no_gateway_object(self) -> None:
        graph = federation(mesh({"across": "selective"}))
        assert of_kind(graph, "Gateway") == {}
        assert {item.kubernetes_name for item in graph.of_type("kubernetes:core/v1:Service")} >= {
            "istio-eastwestgateway"
        }

    def test_a_service_can_be_kept_back_from_a_visible_namespace(self) -> None:
        kept = "ratings.bookinfo.svc.cluster.local"
        wanted = mesh(SELECTIVE, istio={"meshConfig": {"clusterLocalHosts": [kept]}})
        local, seen = mesh_configs(federation(wanted))[0]["serviceSettings"]
        assert kept in local["hosts"]
        assert kept not in seen["hosts"]

    def test_sidecars_are_where_configuration_is(self) -> None:
        scopes = {"default": ["./*", "istio-system/*"], "namespaces": {"shop": ["./*", "bookinfo/*"]}}
        wanted = mesh({"sidecars": scopes})
        wanted["clusters"][1] |= {"role": "remote", "controlPlane": "east"}
        made = of_kind(federation(wanted), "Sidecar")
        assert {key: item["spec"] for key, item in made.items()} == {
            ("east", "istio-system", "default"): {"egress": [{"hosts": ["./*", "istio-system/*"]}]},
            ("east", "shop", "default"): {"egress": [{"hosts": ["./*", "bookinfo/*"]}]},
        }

    def test_sidecars_come_after_the_istiod_that_validates_them(self) -> None:
        graph = federation(mesh({"sidecars": {"default": ["./*"]}}))
        for sidecar in graph.of_type("kubernetes:networking.istio.io/v1:Sidecar"):
            assert any(f"mesh-{graph.cluster(sidecar)}-validator" in name for name in sidecar.depends_on)


class TestServiceExports:
    """One service in each cluster that has workloads: it speaks of the endpoints there."""

    def test_one_a_service_and_cluster(self) -> None:
        graph = federation(mesh(MCS))
        made = of_kind(graph, "ServiceExport")
        assert set(made) == {(cluster, "sample", "helloworld") for cluster in ("east", "west")}
        assert environments(graph) == [{"ENABLE_MCS_SERVICE_DISCOVERY": "true"}] * 2
        assert "serviceSettings" not in mesh_configs(graph)[0]

    def test_google_has_a_group_of_its_own(self) -> None:
        graph = federation(mesh({**MCS, "mcs": {"apiGroup": "net.gke.io"}}))
        assert len(graph.of_type("kubernetes:net.gke.io/v1:ServiceExport")) == 2
        assert environments(graph)[0]["MCS_API_GROUP"] == "net.gke.io"

    def test_all_is_written_by_istiod(self) -> None:
        graph = federation(mesh({"across": "all", "mcs": {"host": True}}))
        assert of_kind(graph, "ServiceExport") == {}
        switched = ("ENABLE_MCS_AUTO_EXPORT", "ENABLE_MCS_HOST", "ENABLE_MCS_SERVICE_DISCOVERY")
        assert environments(graph)[0] == dict.fromkeys(switched, "true")

    def test_gateways_know_the_names_of_the_set(self) -> None:
        only = {**MCS, "mcs": {"host": True, "clusterLocal": True}}
        (gateway, _) = of_kind(federation(mesh(only)), "Gateway").values()
        assert gateway["spec"]["servers"][0]["hosts"] == ["helloworld.sample.svc.clusterset.local"]

    @pytest.mark.parametrize(("across", "written"), [("selective", False), ("all", True)])
    def test_an_account_of_ours_may_read_them(self, across: str, written: bool) -> None:
        seen = {**MCS, "across": across, "services": [] if across == "all" else ["helloworld.sample"]}
        graph = federation(mesh(seen, discovery={"account": "own"}))
        (rules, _) = [
            item.inputs["rules"] for item in graph.of_type("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
        ]
        found = [rule for rule in rules if rule["apiGroups"] == ["multicluster.x-k8s.io"]]
        verbs = {(resource, verb) for rule in found for resource in rule["resources"] for verb in rule["verbs"]}
        assert {("serviceexports", "list"), ("serviceimports", "watch")} <= verbs
        assert (("serviceexports", "create") in verbs) is written


class TestAmbient:
    def scopes(self, seen: dict[str, Any]) -> list[dict[str, Any]]:
        wanted = mesh(seen, istio={"dataPlane": "ambient"})
        found: list[dict[str, Any]] = mesh_configs(federation(wanted))[0].get("serviceScopeConfigs", [])
        return found

    def test_istio_decides_unless_something_is_said(self) -> None:
        assert self.scopes({}) == []

    @pytest.mark.parametrize(
        ("namespace", "labels", "seen"),
        [
            ("bookinfo", {}, True),
            ("sample", {"istio.io/global": "true"}, True),
            ("sample", {"shared": "yes"}, True),
            ("sample", {"istio.io/global": "false"}, False),
            ("sample", {}, False),
        ],
    )
    def test_selective(self, namespace: str, labels: dict[str, str], seen: bool) -> None:
        scopes = self.scopes({"across": "selective", "namespaces": ["bookinfo"], "labels": {"shared": "yes"}})
        assert is_global(scopes, namespace, labels) is seen

    @pytest.mark.parametrize(
        ("namespace", "labels", "seen"),
        [
            ("sample", {}, True),
            ("sample", {"istio.io/global": "false"}, False),
            ("istio-system", {}, False),
            ("kube-system", {}, False),
            ("default", {"component": "apiserver", "provider": "kubernetes"}, False),
        ],
    )
    def test_all_but_what_every_cluster_has_for_itself(
        self, namespace: str, labels: dict[str, str], seen: bool
    ) -> None:
        assert is_global(self.scopes({"across": "all"}), namespace, labels) is seen


def is_global(scopes: list[dict[str, Any]], namespace: str, labels: dict[str, str]) -> bool:
    """As istiod decides (istio/istio pilot/pkg/serviceregistry/ambient/services.go)."""
    of_namespace = {visibility.NAMESPACE_NAME: namespace}
    return any(
        visibility.selects(scope.get("namespaceSelector", {}), of_namespace)
        and visibility.selects(scope.get("servicesSelector", {}), labels)
        for scope in scopes
        if scope["scope"] == "GLOBAL"
    )


class TestSelectors:
    def test_the_root_namespace_is_always_among_them(self) -> None:
        stated = {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}
        graph = federation(mesh({"discoverySelectors": [stated]}, istio={"namespace": "mesh-a"}))
        assert mesh_configs(graph)[0]["discoverySelectors"] == [
            {"matchLabels": {"kubernetes.io/metadata.name": "mesh-a"}},
            stated,
        ]

    def test_defaults_of_what_is_seen_in_a_cluster(self) -> None:
        graph = federation(mesh({"exportTo": {"virtualServices": ["."], "services": ["*"]}}))
        config = mesh_configs(graph)[0]
        assert (config["defaultVirtualServiceExportTo"], config["defaultServiceExportTo"]) == (["."], ["*"])
        assert "defaultDestinationRuleExportTo" not in config


def test_preview_shows_what_up_makes() -> None:
    wanted = recipe("selective-visibility")
    assert federation(wanted).drawing() == federation(wanted, preview=True).drawing()


LABELS = ("a", "b")
selectors = st.fixed_dictionaries(
    {},
    optional={
        "matchLabels": st.dictionaries(st.sampled_from(LABELS), st.sampled_from("xy"), max_size=2),
        "matchExpressions": st.lists(
            st.fixed_dictionaries(
                {
                    "key": st.sampled_from(LABELS),
                    "operator": st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
                    "values": st.lists(st.sampled_from("xy"), min_size=1),
                }
            ),
            max_size=2,
        ),
    },
)


@given(selectors, st.dictionaries(st.sampled_from(LABELS), st.sampled_from("xyz")))
def test_a_requirement_and_its_opposite_are_never_both_fulfilled(
    selector: dict[str, Any], labels: dict[str, str]
) -> None:
    opposite = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}
    for item in selector.get("matchExpressions", []):
        one = {"matchExpressions": [item]}
        other = {"matchExpressions": [{**item, "operator": opposite[item["operator"]]}]}
        assert visibility.selects(one, labels) is not visibility.selects(other, labels)
    if visibility.selects(selector, labels):
        assert all(labels[key] == value for key, value in selector.get("matchLabels", {}).items())


@given(
    st.lists(st.sampled_from(["a.x", "b.x", "c.y"]), unique=True), st.lists(st.sampled_from(["x", "z"]), unique=True)
)
def test_what_is_seen_is_what_is_listed(services: list[str], namespaces: list[str]) -> None:
    seen = parse(mesh({"across": "selective", "services": services, "namespaces": namespaces})).visibility
    for name, namespace in itertools.product("abc", "xyz"):
        listed = f"{name}.{namespace}" in services or namespace in namespaces
        assert visibility.sees(seen, f"{name}.{namespace}") is listed
