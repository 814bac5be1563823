"""What is wrong with virtual machines, beside the examples on the pages."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.topology.findings import findings
from tests.support.findings import ERROR, WARNING, Patch, brief, mesh, one

HTTP = {"number": 8080, "name": "http", "protocol": "HTTP"}


def with_machine(east: Patch | None = None, top: Patch | None = None, **machine: Any) -> Any:
    wanted = {"name": "ledger", "namespace": "accounting", "cluster": "east", **machine}
    return findings(mesh({"virtualMachines": [wanted], **(top or {})}, east))


@pytest.mark.parametrize(
    ("code", "severity", "place", "machine"),
    [
        ("MESH959", ERROR, "istiodAddress", {"istiodAddress": "istiod.example.com"}),
        ("MESH960", ERROR, "namespace", {"namespace": "a.b"}),
        ("MESH960", ERROR, "account", {"account": "Books"}),
        ("MESH960", ERROR, "network", {"network": "a b"}),
        ("MESH960", ERROR, "labels.version", {"labels": {"version": "v 1"}}),
        ("MESH960", ERROR, "host", {"host": "led_ger.local", "ports": [HTTP]}),
        ("MESH961", ERROR, "ports", {"ports": [HTTP, {**HTTP, "number": 8081}]}),
        ("MESH961", ERROR, "ports", {"ports": [HTTP, {**HTTP, "name": "http-2"}]}),
        ("MESH962", WARNING, "tokenLifetimeMinutes", {"tokenLifetimeMinutes": 24 * 60 + 1}),
        ("MESH964", ERROR, "addresses", {"addresses": ["192.0.2.1"]}),
        ("MESH964", ERROR, "addresses[1]", {"autoRegistration": False, "addresses": ["192.0.2.1", "vm.example.com"]}),
        ("MESH965", ERROR, "probe", {"probe": {"tcpSocket": {"port": 1}, "grpc": {"port": 1}}}),
        (
            "MESH965",
            WARNING,
            "probe",
            {"probe": {"tcpSocket": {"port": 1}}, "autoRegistration": False, "addresses": ["2001:db8::1"]},
        ),
    ],
)
def test_of_one_machine(code: str, severity: Any, place: str, machine: Patch) -> None:
    one(with_machine(**machine), code, severity, f"virtualMachines[0].{place}")


@pytest.mark.parametrize(
    "machine",
    [
        {"tokenLifetimeMinutes": 10},
        {"tokenLifetimeMinutes": 24 * 60},
        {"host": "ledger.example.com", "network": "machine-room", "ports": [HTTP]},
        {"host": "ledger", "service": False, "ports": [HTTP]},
        {"labels": {"tier": ""}, "network": "network2", "ports": [HTTP]},
    ],
)
def test_what_may_be(machine: Patch) -> None:
    assert with_machine(**machine) == ()


def test_a_tag_is_no_revision() -> None:
    top = {"istio": {"version": "1.30.5", "revision": "a", "revisions": [{"name": "a"}], "tags": {"prod": "a"}}}
    found = one(with_machine(top=top, revision="prod"), "MESH963", ERROR, "virtualMachines[0].revision")
    assert "a tag has no name in istiod's certificate" in found.reason


@pytest.mark.parametrize("prefix", ["", "pilot."])
def test_health_checks_may_be_off_where_nobody_probes(prefix: str) -> None:
    env = {"env": {"PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS": False}}
    values = {"istiod": {"pilot": env} if prefix else env}
    top = {"istio": {"version": "1.30.5", "values": values}}
    assert with_machine(top=top) == ()
    place = f"istio.values.istiod.{prefix}env.PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS"
    one(with_machine(top=top, probe={"tcpSocket": {"port": 1}}), "MESH966", ERROR, place)


@pytest.mark.parametrize(
    ("gateway", "place"),
    [({"serviceType": "NodePort"}, "serviceType"), ({"serviceType": "ClusterIP"}, "serviceType")],
)
def test_a_gateway_without_an_address(gateway: Patch, place: str) -> None:
    found = with_machine({"eastWest": gateway})
    assert ("MESH958", "error", f"clusters[0].eastWest.{place}") in brief(found)
    reached = with_machine({"eastWest": gateway}, istiodAddress="192.0.2.1")
    assert "MESH958" not in [code for code, _, _ in brief(reached)]


def test_a_name_of_one_s_own_is_no_ip() -> None:
    named = with_machine({"eastWest": {"address": "mesh.example.com"}})
    one(named, "MESH959", ERROR, "virtualMachines[0].istiodAddress")
    assert with_machine({"eastWest": {"address": "203.0.113.5"}}) == ()


def test_two_of_one_name() -> None:
    machine = {"name": "ledger", "namespace": "accounting", "cluster": "east"}
    other = {**machine, "cluster": "west", "namespaceLabels": {"team": "a"}}
    third = {**machine, "name": "archive", "namespaceLabels": {"team": "b"}}
    found = findings(mesh({"virtualMachines": [machine, other, third]}))
    assert brief(found) == [
        ("MESH961", "error", "virtualMachines[1].name"),
        ("MESH961", "error", "virtualMachines[2].namespaceLabels.team"),
    ]


@pytest.mark.parametrize(
    ("east", "top", "namespace"),
    [
        ({}, {}, "istio-system"),
        ({}, {}, "default"),
        ({"ingress": [{"name": "front"}]}, {}, "istio-ingress"),
        ({"egress": {}}, {}, "istio-egress"),
        ({}, {"applications": {"bookinfo": {}}}, "bookinfo"),
    ],
)
def test_a_namespace_of_somebody_else(east: Patch, top: Patch, namespace: str) -> None:
    found = with_machine(east, top, namespace=namespace)
    assert ("MESH969", "error", "virtualMachines[0].namespace") in brief(found)
    there = with_machine(east, top, namespace=namespace, createNamespace=False)
    assert "MESH969" not in [code for code, _, _ in brief(there)]


@pytest.mark.parametrize(
    ("visibility", "place"),
    [
        ({"across": "selective", "namespaces": ["other"]}, "visibility.services"),
        ({"discoverySelectors": [{"matchLabels": {"mesh": "yes"}}]}, "visibility.discoverySelectors"),
    ],
)
def test_what_visibility_hides(visibility: Patch, place: str) -> None:
    one(with_machine(top={"visibility": visibility}, ports=[HTTP]), "MESH967", WARNING, place)


def test_what_visibility_shows() -> None:
    shown = {
        "across": "selective",
        "services": ["ledger.accounting"],
        "discoverySelectors": [{"matchLabels": {"mesh": "yes"}}],
    }
    assert with_machine(top={"visibility": shown}, ports=[HTTP], namespaceLabels={"mesh": "yes"}) == ()
