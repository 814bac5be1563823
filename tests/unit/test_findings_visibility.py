"""Findings about who sees what: what the pages do not show."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import Finding, FindingsError, parse
from mesh_components.topology.findings import findings
from tests.support.findings import ERROR, GOOD, WARNING, brief, clusters, one

EXPORT = {
    "host": "helloworld.sample",
    "ports": [{"number": 5000, "name": "http", "protocol": "HTTP"}],
    "accounts": ["sample/helloworld"],
    "meshes": ["mesh2"],
}


def found(seen: dict[str, Any], **top: Any) -> tuple[Finding, ...]:
    istio = {**GOOD["istio"], **top.pop("istio", {})}
    return findings(parse({**GOOD, "visibility": seen, "istio": istio, **top}))


def selective(**keys: Any) -> dict[str, Any]:
    return {"across": "selective", **keys}


@pytest.mark.parametrize(
    "seen",
    [
        selective(services=["helloworld.sample", "a.b.svc.cluster.local"], namespaces=["bookinfo"]),
        selective(services=["helloworld.sample"], mcs={"host": True, "clusterLocal": True}),
        selective(),
        {"across": "all", "mcs": {}},
        {"exportTo": {"services": ["*"], "virtualServices": [".", "istio-system"]}},
        {"sidecars": {"default": ["./*", "istio-system/*", "*/*.example.com"], "namespaces": {"a": ["~/*"]}}},
        {"discoverySelectors": [{"matchExpressions": [{"key": "team", "operator": "Exists"}]}]},
    ],
)
def test_sound(seen: dict[str, Any]) -> None:
    assert found(seen) == ()


@pytest.mark.parametrize(
    ("seen", "place"),
    [
        (selective(services=["helloworld"]), "services[0]"),
        (selective(services=["a.b", "*.sample"]), "services[1]"),
        (selective(services=["example.com.svc.elsewhere"]), "services[0]"),
        (selective(namespaces=["Book_info"]), "namespaces[0]"),
        ({"exportTo": {"services": ["~"]}}, "exportTo.services[0]"),
        ({"exportTo": {"destinationRules": ["*", "a"]}}, "exportTo.destinationRules"),
        ({"sidecars": {"default": ["istio-system"]}}, "sidecars.default[0]"),
        ({"sidecars": {"namespaces": {"a": []}}}, "sidecars.namespaces.a"),
        ({"sidecars": {"namespaces": {"A": ["./*"]}}}, "sidecars.namespaces.A"),
        (
            {"sidecars": {"default": ["./*"], "namespaces": {"istio-system": ["./*"]}}},
            "sidecars.namespaces.istio-system",
        ),
        ({"discoverySelectors": [{}]}, "discoverySelectors[0]"),
        ({"discoverySelectors": [{"matchExpressions": [{"key": "a", "operator": "In"}]}]}, "discoverySelectors[0]"),
        (
            {"discoverySelectors": [{"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}]},
            "discoverySelectors[0]",
        ),
    ],
)
def test_names_that_cannot_be_used(seen: dict[str, Any], place: str) -> None:
    one(found(seen), "MESH851", ERROR, f"visibility.{place}")


@pytest.mark.parametrize("seen", [{"across": "some"}, {"sidecars": {"default": "./*"}}, {"mcs": {"export": True}}])
def test_other_shapes_are_refused(seen: dict[str, Any]) -> None:
    with pytest.raises(FindingsError, match="MESH001"):
        found(seen)


@pytest.mark.parametrize(
    ("seen", "plane", "key"),
    [
        (selective(services=["a.b"]), "ambient", "services"),
        (selective(mcs={}), "ambient", "mcs"),
        (selective(labels={"a": "b"}), "sidecar", "labels"),
        (selective(namespaces=["a"], mcs={}), "sidecar", "namespaces"),
        (selective(mcs={"clusterLocal": True}), "sidecar", "mcs.clusterLocal"),
    ],
)
def test_what_a_data_plane_does_not_know(seen: dict[str, Any], plane: str, key: str) -> None:
    one(found(seen, istio={"dataPlane": plane}), "MESH852", ERROR, f"visibility.{key}")


@pytest.mark.parametrize("key", ["services", "labels"])
def test_one_of_two_data_planes(key: str) -> None:
    seen = selective(**{key: ["a.b"] if key == "services" else {"a": "b"}})
    mixed = [item for item in found(seen, istio={"dataPlane": "mixed"}) if item.code != "MESH418"]
    assert brief(tuple(mixed)) == [("MESH852", WARNING.value, f"visibility.{key}")]


def test_an_export_of_a_single_cluster_goes_where_its_pods_are() -> None:
    seen = selective(namespaces=["bookinfo"])
    assert "MESH854" not in {item.code for item in findings(clusters({}, visibility=seen, exports=[EXPORT]))}
    assert "MESH854" in {item.code for item in findings(clusters({}, {}, visibility=seen, exports=[EXPORT]))}


@pytest.mark.parametrize(
    "hosts", [["*.local"], ["*.sample.svc.cluster.local"], ["sample/helloworld.sample.svc.cluster.local", "a.b"]]
)
def test_a_gateway_that_lets_in_what_is_visible(hosts: list[str]) -> None:
    seen = selective(services=["helloworld.sample"])
    assert findings(clusters({"eastWest": {"hosts": hosts}}, {}, visibility=seen)) == ()


@pytest.mark.parametrize(
    ("selectors", "sound"),
    [
        ([{"matchLabels": {"kubernetes.io/metadata.name": "istio-system"}}], True),
        (
            [
                {"matchLabels": {"a": "b"}},
                {"matchExpressions": [{"key": "topology.istio.io/network", "operator": "Exists"}]},
            ],
            True,
        ),
        ([{"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["a"]}]}], True),
        ([{"matchLabels": {"topology.istio.io/network": "network1"}}], False),
    ],
)
def test_selectors_in_chart_values(selectors: list[dict[str, Any]], sound: bool) -> None:
    """Each cluster's root namespace must be selected."""
    values = {"istiod": {"meshConfig": {"discoverySelectors": selectors}}}
    codes = [item.code for item in found({}, istio={"values": values})]
    assert codes == ([] if sound else ["MESH857"])


def test_what_another_tool_has_to_be_told() -> None:
    seen = selective(services=["a.b"], exportTo={"services": ["."]}, discoverySelectors=[{"matchLabels": {"a": "b"}}])
    places = [item.place for item in found(seen, istio={"install": "none"})]
    assert places == ["visibility.across", "visibility.discoverySelectors", "visibility.exportTo"]
