"""A gateway's objects are those of the official `gateway` chart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from mesh_components.gateways import objects
from mesh_components.settings.base import ResourceAmounts
from tests.support.graph import ROOT

RENDERED = ROOT.parent / "shared" / "istio" / "rendered"
HELM_ONLY = {"helm.sh/chart", "app.kubernetes.io/version", "app.kubernetes.io/managed-by"}
"""Labels that name Helm, the chart and its version."""

EAST_WEST = objects.Proxy("istio-eastwestgateway", "istio-system", objects.EAST_WEST_PORTS, network="network1")
"""With the rights that the chart gives it unless told otherwise (`rbac.enabled`)."""
INGRESS_PORTS = (("status-port", 15021), ("http2", 80), ("https", 443))
INGRESS = objects.Proxy("istio-ingressgateway", "istio-system", INGRESS_PORTS)


def rendered(file: str) -> dict[str, Any]:
    """What the chart renders, by kind, without what only Helm has."""
    documents = [d for d in yaml.safe_load_all((RENDERED / file).read_text()) if d]
    return {document["kind"]: without_helm(document) for document in documents}


def without_helm(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: without_helm(item) for key, item in value.items() if key not in HELM_ONLY and item is not None}
        return {key: item for key, item in kept.items() if not (key == "annotations" and item == {})}
    return [without_helm(item) for item in value] if isinstance(value, list) else value


def ours(proxy: objects.Proxy, min_replicas: int) -> dict[str, Any]:
    made = [
        objects.account(proxy),
        objects.role(proxy),
        objects.role_binding(proxy),
        objects.service(proxy, "LoadBalancer", {}, []),
        objects.deployment(proxy),
        objects.autoscaler(proxy, min_replicas, 5),
        *([objects.disruption_budget(proxy)] if min_replicas > 1 else []),
    ]
    return {item["kind"]: without_helm(item) for item in made}


@pytest.mark.skipif(not RENDERED.is_dir(), reason="the charts' output is kept beside the project, not in it")
@pytest.mark.parametrize(
    ("file", "proxy", "min_replicas"),
    [
        ("gateway-eastwest.yaml", EAST_WEST, 1),
        ("gateway-eastwest-revision.yaml", replace(EAST_WEST, revision="1-30-3"), 2),
        ("gateway-ingress.yaml", INGRESS, 1),
    ],
)
def test_our_objects_equal_what_the_chart_renders(file: str, proxy: objects.Proxy, min_replicas: int) -> None:
    assert ours(proxy, min_replicas) == rendered(file)


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (
            objects.EAST_WEST_PORTS,
            [("status-port", 15021), ("tls", 15443), ("tls-istiod", 15012), ("tls-webhook", 15017)],
        ),
        (objects.EXTERNAL_PORTS, [("status-port", 15021), ("tls-istiod", 15012), ("tls-webhook", 15017)]),
    ],
)
def test_the_health_check_is_the_first_port(ports: Any, expected: list[tuple[str, int]]) -> None:
    """Classic load balancers probe the first."""
    spec = objects.service(replace(EAST_WEST, ports=ports), "LoadBalancer", {}, [])["spec"]
    assert [(port["name"], port["port"]) for port in spec["ports"]] == expected
    assert all(port["targetPort"] == port["port"] and port["protocol"] == "TCP" for port in spec["ports"])


def test_the_policy_opens_what_the_chart_s_own_leaves_shut() -> None:
    policy = objects.network_policy(EAST_WEST)
    (rule,) = policy["spec"]["ingress"]
    assert {port["port"] for port in rule["ports"]} == {15021, 15443, 15012, 15017, 15020, 15090}
    assert policy["spec"]["egress"] == [{}]
    pods = objects.deployment(EAST_WEST)["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= pods.items()


def test_resources_that_are_not_stated_are_the_chart_s() -> None:
    made = objects.deployment(EAST_WEST, ResourceAmounts(cpu="1"), ResourceAmounts(memory="2Gi"))
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "1", "memory": "128Mi"},
        "limits": {"cpu": "2000m", "memory": "2Gi"},
    }


def test_builders_hand_out_objects_of_their_own() -> None:
    first = objects.service(EAST_WEST, "LoadBalancer", {"x": "y"}, ["192.0.2.0/24"])
    first["metadata"]["labels"]["changed"] = "yes"
    first["spec"]["selector"]["changed"] = "yes"
    second = objects.service(EAST_WEST, "LoadBalancer", {}, [])
    assert "changed" not in second["metadata"]["labels"] | second["spec"]["selector"]
    assert first["metadata"]["annotations"] == {"x": "y"}
    assert first["spec"]["loadBalancerSourceRanges"] == ["192.0.2.0/24"]


@pytest.mark.parametrize(
    ("status", "address"),
    [
        (None, None),
        ({}, None),
        ({"loadBalancer": {}}, None),
        ({"loadBalancer": {"ingress": []}}, None),
        ({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}, "192.0.2.1"),
        ({"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}}, "lb.example.com"),
    ],
)
def test_an_address_is_an_ip_or_a_host_name(status: Any, address: str | None) -> None:
    assert objects.load_balancer_address(status) == address
