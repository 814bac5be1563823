"""Teams, policies and meshes that share clusters, from the document to objects."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import parse
from mesh_components.topology import tenancy
from tests.support.graph import Graph
from tests.support.meshes import document, federation
from tests.support.recipes import document as recipe

SHOP = {"name": "shop", "namespaces": ["shop", "cart"]}
PAYMENTS = {"name": "payments", "namespaces": ["payments"], "callers": ["shop"], "accounts": ["edge/gateway"]}


def mesh(*teams: dict[str, Any], **top: Any) -> dict[str, Any]:
    return document("east", "west", **{"istio": {"version": "1.30.5"}, "teams": list(teams), **top})


def of_kind(graph: Graph, kind: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Objects of a kind, by cluster, namespace and name."""
    return {
        (graph.cluster(item), item.inputs["metadata"].get("namespace", ""), item.kubernetes_name): item.inputs
        for item in graph.kubernetes()
        if item.type.endswith((f":{kind}", f":{kind}Patch"))
    }


def principals(graph: Graph, namespace: str) -> list[str]:
    spec = of_kind(graph, "AuthorizationPolicy")["east", namespace, "team"]["spec"]
    found: list[str] = spec["rules"][0]["from"][0]["source"]["principals"]
    return found


class TestTeams:
    def test_a_namespace_is_in_every_cluster_with_what_puts_it_into_the_mesh(self) -> None:
        made = of_kind(federation(mesh({**SHOP, "labels": {"team": "shop"}})), "Namespace")
        for cluster in ("east", "west"):
            for name in ("shop", "cart"):
                labels = made[cluster, "", name]["metadata"]["labels"]
                assert labels == {"team": "shop", "istio-injection": "enabled"}

    def test_policies_are_where_configuration_is_and_namespaces_everywhere(self) -> None:
        wanted = mesh({**SHOP, "mtls": "STRICT"})
        wanted["clusters"][1] |= {"role": "remote", "controlPlane": "east"}
        graph = federation(wanted)
        assert {key[0] for key in of_kind(graph, "PeerAuthentication")} == {"east"}
        assert {key[0] for key in of_kind(graph, "AuthorizationPolicy")} == {"east"}
        assert {key[0] for key in of_kind(graph, "Namespace") if key[2] == "cart"} == {"east", "west"}

    def test_who_may_call(self) -> None:
        graph = federation(mesh(SHOP, PAYMENTS))
        assert (
            principals(graph, "shop")
            == principals(graph, "cart")
            == ["cluster.local/ns/shop/sa/*", "cluster.local/ns/cart/sa/*"]
        )
        assert principals(graph, "payments") == [
            "cluster.local/ns/payments/sa/*",
            "cluster.local/ns/shop/sa/*",
            "cluster.local/ns/cart/sa/*",
            "cluster.local/ns/edge/sa/gateway",
        ]

    def test_a_namespace_of_the_same_name_in_another_mesh_is_a_stranger(self) -> None:
        graph = federation(mesh(SHOP, trustDomain="mesh1.example"))
        assert all(name.startswith("mesh1.example/") for name in principals(graph, "shop"))

    def test_an_export_stays_open_to_the_mesh_that_it_is_for(self) -> None:
        export = {
            "host": "till.shop",
            "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
            "accounts": ["shop/till"],
            "meshes": ["mesh2"],
        }
        other = {"name": "mesh2", "trustDomain": "mesh2.example", "facts": {"file": "f"}}
        found = parse(mesh(SHOP, meshes=[other], exports=[export]))
        (team,) = found.teams
        assert tenancy.allowed(found, team, "shop")[1:] == [
            {
                "from": [{"source": {"principals": ["mesh2.example/*"]}}],
                "when": [{"key": "connection.sni", "values": ["outbound_.80_._.till.shop.svc.cluster.local"]}],
            }
        ]
        assert tenancy.allowed(found, team, "cart")[1:] == []

    def test_an_open_team_has_no_policy(self) -> None:
        assert of_kind(federation(mesh({**SHOP, "closed": False})), "AuthorizationPolicy") == {}

    def test_namespaces_that_exist_keep_what_others_put_there(self) -> None:
        graph = federation(mesh({**SHOP, "create": False}))
        assert len(graph.of_type("kubernetes:core/v1:NamespacePatch")) == 4

    @pytest.mark.parametrize(
        ("plane", "team", "label"),
        [
            ("ambient", {}, {"istio.io/dataplane-mode": "ambient"}),
            ("mixed", {"dataPlane": "ambient"}, {"istio.io/dataplane-mode": "ambient"}),
            ("sidecar", {"inMesh": False}, {}),
        ],
    )
    def test_how_it_gets_into_the_mesh(self, plane: str, team: dict[str, Any], label: dict[str, str]) -> None:
        found = parse(mesh({**SHOP, **team}, istio={"dataPlane": plane}))
        assert tenancy.labels(found, found.teams[0]) == label

    def test_policies_come_after_their_namespace_and_the_validator(self) -> None:
        graph = federation(mesh(SHOP))
        for item in graph.of_type("kubernetes:security.istio.io/v1:AuthorizationPolicy"):
            prefix = f"mesh-{graph.cluster(item)}"
            namespace = item.inputs["metadata"]["namespace"]
            assert f"{prefix}-team-shop-{namespace}" in item.depends_on
            assert any(name.startswith(f"{prefix}-validator") for name in item.depends_on)


class TestPolicies:
    def test_modes(self) -> None:
        ports = [{"name": "metrics", "namespace": "shop", "labels": {"app": "till"}, "ports": {9090: "PERMISSIVE"}}]
        stated = {"mtls": "STRICT", "namespaces": {"legacy": "PERMISSIVE"}, "ports": ports}
        made = of_kind(federation(mesh(policies=stated)), "PeerAuthentication")
        assert {key[1:]: item["spec"] for key, item in made.items() if key[0] == "west"} == {
            ("istio-system", "default"): {"mtls": {"mode": "STRICT"}},
            ("legacy", "default"): {"mtls": {"mode": "PERMISSIVE"}},
            ("shop", "metrics"): {
                "selector": {"matchLabels": {"app": "till"}},
                "portLevelMtls": {"9090": {"mode": "PERMISSIVE"}},
            },
        }

    def test_denied_is_everything_but_the_gateways(self) -> None:
        graph = federation(mesh(policies={"authorization": "deny"}))
        made = of_kind(graph, "AuthorizationPolicy")
        specs = {key[2]: item["spec"] for key, item in made.items() if key[0] == "east"}
        assert specs["default-deny"] == {}
        assert specs["open-eastwestgateway"]["selector"] == {"matchLabels": {"istio": "eastwestgateway"}}
        assert specs["open-crossmeshgateway"]["rules"] == [{}]
        denied = next(item for item in graph.resources_by_name.values() if item.name == "mesh-east-policies-deny")
        assert "mesh-east-policies-open-istio-eastwestgateway" in denied.depends_on, "open first, then shut"

    def test_ways_into_the_mesh_stay_open_and_are_looked_at(self) -> None:
        seen = {"discoverySelectors": [{"matchLabels": {"mesh": "mesh1"}}]}
        wanted = mesh(policies={"authorization": "deny"}, visibility=seen)
        wanted["clusters"][0]["ingress"] = [{"hosts": []}]
        graph = federation(wanted)
        opened = of_kind(graph, "AuthorizationPolicy")["east", "istio-ingress", "open-gateways"]
        assert ("west", "istio-ingress", "open-gateways") not in of_kind(graph, "AuthorizationPolicy")
        assert opened["spec"] == {"action": "ALLOW", "rules": [{}]}
        (config, _) = [asked["values"]["meshConfig"] for asked in graph.rendered if "meshConfig" in asked["values"]]
        looked_at = [item["matchLabels"] for item in config["discoverySelectors"]]
        assert {"kubernetes.io/metadata.name": "istio-ingress"} in looked_at

    def test_nothing_said_is_nothing_made(self) -> None:
        graph = federation(mesh())
        assert not graph.of_type("mesh:index:MeshPolicies")
        assert not graph.of_type("mesh:index:Team")


class TestGuests:
    def test_what_a_cluster_has_once_is_the_host_s(self) -> None:
        guest = recipe("shared-cluster-guest")
        host = {**guest, "istio": {**guest["istio"], "tenancy": "host"}}
        kinds = {"kubernetes:helm.sh/v3:Release", "mesh:index:DefaultValidator"}
        assert {item.type for item in federation(host).resources_by_name.values()} >= kinds
        assert {item.type for item in federation(guest).resources_by_name.values()}.isdisjoint(kinds)

    def test_a_guest_s_pods_use_the_host_s_plugin(self) -> None:
        guest = recipe("shared-cluster-guest")
        graph = federation({**guest, "istio": {**guest["istio"], "cni": True}})
        assert graph.of_type("mesh:index:Cni") == []
        assert all(
            asked["values"]["cni"] == {"enabled": True} for asked in graph.rendered if "meshConfig" in asked["values"]
        )

    def test_two_meshes_share_no_cluster_wide_name(self) -> None:
        """Of what this program itself makes; Istio's charts have revision and namespace in theirs."""
        guest = {**recipe("shared-cluster-guest"), "teams": [], "discovery": {"account": "own"}}
        istio = {**guest["istio"], "tenancy": "host", "namespace": "mesh1-system", "revision": "mesh1"}
        host = {**guest, "id": "mesh1", "istio": istio}

        def wide(wanted: dict[str, Any]) -> set[tuple[str, str]]:
            graph = federation(wanted)
            return {
                (item.type, item.kubernetes_name)
                for item in graph.kubernetes()
                if "metadata" in item.inputs
                and "namespace" not in item.inputs["metadata"]
                and "istio-sidecar-injector" not in item.kubernetes_name
            }

        assert wide(guest) & wide(host) == set()


def test_preview_shows_what_up_makes() -> None:
    wanted = recipe("shared-cluster-guest")
    assert federation(wanted).drawing() == federation(wanted, preview=True).drawing()
