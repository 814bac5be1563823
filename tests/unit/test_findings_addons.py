"""Add-ons that cannot work as they are written, beyond the examples of the pages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_components.settings import Finding, parse
from mesh_components.topology import addons
from mesh_components.topology.findings import findings
from mesh_components.topology.roles import members
from tests.support.recipes import document

FEDERATED: dict[str, Any] = {"prometheus": {"federation": {}}}


def found(asked: dict[str, Any], recipe: str = "multi-primary-multi-network", **top: Any) -> list[Finding]:
    wanted = {**document(recipe), **top, "addons": asked}
    return [
        item for item in findings(parse(wanted)) if item.code.startswith("MESH88") or item.code.startswith("MESH89")
    ]


def codes(asked: dict[str, Any], recipe: str = "multi-primary-multi-network", **top: Any) -> list[tuple[str, str]]:
    return [(item.code, item.place) for item in found(asked, recipe, **top)]


@pytest.mark.parametrize("version", ["latest", "28", "28.13", "^28.13.0", ">=28.0.0", "28.x", "", "28.13.0 || 29.0.0"])
def test_a_version_that_may_be_another_tomorrow(version: str) -> None:
    asked = {"prometheus": {"federation": {}, "version": version}}
    assert codes(asked) == [("MESH884", "addons.prometheus.version")]
    asked["prometheus"]["charts"] = {"folder": "./charts"}
    assert codes(asked) == [], "a chart in a folder is what it is"


@pytest.mark.parametrize("version", ["28.13.0", "v2.26.0", "1.0.0-rc.1", "1.0.0+build.5"])
def test_a_whole_version(version: str) -> None:
    assert codes({"prometheus": {"federation": {}, "version": version}}) == []


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"grafana": {"anonymous": True, "values": {"service": {"type": "NodePort"}}}}, "grafana.values.service.type"),
        ({"grafana": {"anonymous": True, "values": {"ingress": {"enabled": True}}}}, "grafana.values.ingress.enabled"),
        ({"jaeger": {"values": {"jaeger": {"ingress": {"enabled": True}}}}}, "jaeger.values.jaeger.ingress.enabled"),
        (
            {"kiali": {"values": {"deployment": {"ingress": {"enabled": True}}}}},
            "kiali.values.deployment.ingress.enabled",
        ),
    ],
)
def test_what_asks_nobody_stays_closed(asked: dict[str, Any], place: str) -> None:
    assert codes({**FEDERATED, **asked}) == [("MESH885", f"addons.{place}")]


@pytest.mark.parametrize(
    "asked",
    [
        {"grafana": {"values": {"service": {"type": "LoadBalancer"}}}},
        {"kiali": {"auth": "openid", "values": {"deployment": {"service_type": "LoadBalancer"}}}},
        {"kiali": {"values": {"deployment": {"service_type": "ClusterIP", "ingress": {"enabled": False}}}}},
    ],
)
def test_what_asks_who_somebody_is_may_be_open(asked: dict[str, Any]) -> None:
    assert codes({**FEDERATED, **asked}) == []


def test_no_ingress_gateway_leads_to_what_asks_nobody() -> None:
    wanted = document("ingress")
    (host,) = wanted["clusters"][0]["ingress"][0]["hosts"]
    host["routes"] = [{"service": "kiali.istio-system", "port": 20001}]
    place = "clusters[0].ingress[0].hosts[0].routes[0].service"
    clusters = {"clusters": wanted["clusters"]}
    assert codes({**FEDERATED, "kiali": {}}, "ingress", **clusters) == [("MESH885", place)]
    assert codes({**FEDERATED, "kiali": {"auth": "openid"}}, "ingress", **clusters) == []


def test_a_password_does_not_come_by_values() -> None:
    asked = {**FEDERATED, "grafana": {"values": {"adminPassword": "hunter2", "admin": None}}}
    assert [code for code, _ in codes(asked)] == ["MESH886", "MESH886"]
    assert "hunter2" not in "".join(map(str, found(asked)))


@pytest.mark.parametrize(
    "address",
    ["prometheus.example", "ftp://prometheus.example", "https://", "https://me:hunter2@p.example", "http://p?x=1"],
)
def test_an_address_that_leads_nowhere_is_not_quoted(address: str) -> None:
    asked = {"prometheus": {"federation": {"addresses": {"cluster2": address}}}}
    (finding,) = found(asked)
    assert finding.code == "MESH888"
    assert "hunter2" not in str(finding)


def test_what_hides_an_add_on_from_other_clusters() -> None:
    asked = {**FEDERATED, "jaeger": {}}
    hidden = {"across": "selective", "services": ["helloworld.sample"]}
    assert ("MESH889", "visibility.services") in codes(asked, visibility=hidden)
    shown = {"across": "selective", "namespaces": ["istio-system"]}
    assert codes(asked, visibility=shown) == []
    scoped = {"sidecars": {"default": ["./*"]}}
    assert codes(asked, visibility=scoped) == [("MESH889", "visibility.sidecars.default")]
    assert codes(asked, visibility={"sidecars": {"default": ["./*", "istio-system/*"]}}) == []
    one_way = {"reach": "edges", "edges": [{"source": "cluster1", "reader": "cluster2"}]}
    assert codes(asked, discovery=one_way) == [("MESH889", "discovery.reach")]


ADDONS = st.fixed_dictionaries(
    {},
    optional={
        "prometheus": st.sampled_from(
            [{}, {"federation": {}}, {"federation": {"addresses": {"cluster2": "http://p"}}}]
        ),
        "grafana": st.just({}),
        "jaeger": st.just({}),
        "kiali": st.sampled_from([{}, {"tokens": {"kind": "requested"}}]),
        "loki": st.just({}),
        "cluster": st.sampled_from(["cluster1", "cluster2"]),
        "namespace": st.just("observability"),
    },
)
RECIPES = st.sampled_from(
    ["multi-primary-multi-network", "primary-remote-multi-network", "ambient-multi-network", "external-control-plane"]
)


@settings(max_examples=200, deadline=None)
@given(asked=ADDONS, recipe=RECIPES)
def test_whatever_is_called_elsewhere_has_a_service_where_it_is_called(asked: dict[str, Any], recipe: str) -> None:
    """And none where its own is: two of one name would be one too many."""
    mesh = parse({**document(recipe), "addons": asked})
    home = addons.home(mesh)
    assert home is not None
    standing = {(c.name, item.name) for c in mesh.clusters for item in addons.stand_ins(mesh, c)}
    called = {(c.name, name) for c in members(mesh) if c != home for name in addons.receivers(mesh)}
    called |= {(home.name, addons.collector(c.name)) for c in addons.through_mesh(mesh)}
    assert standing == called
    made = {(c.name, addons.collector(c.name)) for c in mesh.clusters if addons.collects(mesh, c)}
    made |= {(home.name, name) for name in addons.receivers(mesh)}
    assert not standing & made
    there = {name for _, name in standing}
    assert there <= {name for _, name in made}
    for cluster in mesh.clusters:
        needs = any(name == cluster.name for name, _ in standing | made) or addons.read_by_kiali(mesh, cluster)
        assert not (needs and "namespace" in asked) or addons.makes_namespace(mesh, cluster)
