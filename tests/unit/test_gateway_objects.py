"""The east-west gateway's objects are those of the official `gateway` chart."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from mesh_components.gateways import objects
from tests.support.graph import ROOT

RENDERED = ROOT.parent / "shared" / "istio" / "rendered"
HELM_ONLY = {"helm.sh/chart", "app.kubernetes.io/version", "app.kubernetes.io/managed-by"}
"""Labels that name Helm, the chart and its version."""


def rendered(file: str) -> dict[str, Any]:
    """What the chart renders, by kind, without what only Helm has."""
    documents = [d for d in yaml.safe_load_all((RENDERED / file).read_text()) if d]
    return {document["kind"]: without_helm(document) for document in documents}


def without_helm(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: without_helm(item) for key, item in value.items() if key not in HELM_ONLY}
        return {key: item for key, item in kept.items() if not (key == "annotations" and item == {})}
    return [without_helm(item) for item in value] if isinstance(value, list) else value


def ours(revision: str, min_replicas: int) -> dict[str, Any]:
    namespace = "istio-system"
    made = [
        objects.account(namespace),
        objects.role(namespace),
        objects.role_binding(namespace),
        objects.service(namespace, "network1", "LoadBalancer", {}, []),
        objects.deployment(namespace, "network1", revision),
        objects.autoscaler(namespace, min_replicas, 5),
        *([objects.disruption_budget(namespace)] if min_replicas > 1 else []),
    ]
    return {item["kind"]: without_helm(item) for item in made}


@pytest.mark.skipif(not RENDERED.is_dir(), reason="the charts' output is kept beside the project, not in it")
@pytest.mark.parametrize(
    ("file", "revision", "min_replicas"),
    [("gateway-eastwest.yaml", "", 1), ("gateway-eastwest-revision.yaml", "1-30-3", 2)],
)
def test_our_objects_equal_what_the_chart_renders(file: str, revision: str, min_replicas: int) -> None:
    assert ours(revision, min_replicas) == rendered(file)


def test_ports_are_the_four_of_a_network_gateway_health_check_first() -> None:
    spec = objects.service("istio-system", "network1", "LoadBalancer", {}, [])["spec"]
    assert [(p["name"], p["port"], p["targetPort"]) for p in spec["ports"]] == [
        ("status-port", 15021, 15021),
        ("tls", 15443, 15443),
        ("tls-istiod", 15012, 15012),
        ("tls-webhook", 15017, 15017),
    ]


def test_builders_hand_out_objects_of_their_own() -> None:
    first = objects.service("a", "network1", "LoadBalancer", {"x": "y"}, ["192.0.2.0/24"])
    first["metadata"]["labels"]["changed"] = "yes"
    second = objects.account("a")
    assert "changed" not in second["metadata"]["labels"]
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


CRDS = ROOT.parent / "shared" / "istio" / "crds-1.30.3.yaml"


@pytest.mark.skipif(not CRDS.is_file(), reason="Istio's CRDs are kept beside the project, not in it")
def test_istio_s_own_schema_accepts_the_gateway() -> None:
    crds = [d for d in yaml.safe_load_all(CRDS.read_text()) if d]
    (crd,) = [d for d in crds if d["metadata"]["name"] == "gateways.networking.istio.io"]
    (served,) = [v for v in crd["spec"]["versions"] if v["name"] == "v1"]
    schema = served["schema"]["openAPIV3Schema"]
    gateway = objects.expose_services("istio-system", ["*.local"])
    jsonschema.validate(gateway, schema)
    wrong = {**gateway, "spec": {**gateway["spec"], "servers": [{"hosts": "*.local"}]}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)
