"""Findings about trust between meshes: what the pages do not show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mesh_components.settings import Finding, parse
from mesh_components.settings.facts import MeshFacts
from mesh_components.topology.findings import findings
from tests.support.authorities import NOW
from tests.support.findings import ERROR, GOOD, WARNING, brief, codes, one
from tests.support.mesh_authority import GATEWAY, MeshAuthority, facts

ROOT = MeshAuthority("root")
FACTS = facts(ROOT)
EXPORT = {
    "host": "reviews.bookinfo",
    "ports": [{"number": 9080, "name": "http", "protocol": "HTTP"}],
    "accounts": ["bookinfo/reviews"],
    "meshes": ["mesh2"],
}


def document(mesh2: dict[str, Any] | None = None, said: MeshFacts = FACTS, **top: Any) -> dict[str, Any]:
    other = {
        "name": "mesh2",
        "trustDomain": "mesh2.example",
        "facts": {"file": "mesh2.json"},
        "digest": said.digest,
        "imports": [{"host": "helloworld.sample"}],
        **(mesh2 or {}),
    }
    return {**GOOD, "trust": {"multiRoot": True}, "meshes": [other], **top}


def found(mesh2: dict[str, Any] | None = None, said: MeshFacts = FACTS, **top: Any) -> tuple[Finding, ...]:
    return findings(parse(document(mesh2, said, **top)), facts={0: said}, now=NOW)


def test_two_meshes_that_trust_each_other_are_sound() -> None:
    assert found(exports=[EXPORT]) == ()


def test_a_changed_document_is_refused_and_both_digests_are_shown() -> None:
    other = facts(ROOT, gateways=(GATEWAY.model_copy(update={"address": "198.51.100.66"}),))
    finding = one(found({"digest": FACTS.digest}, other), "MESH804", ERROR, "meshes[0].digest")
    assert FACTS.digest in finding.reason
    assert other.digest in finding.reason


def test_nothing_else_is_said_of_what_nobody_has_looked_at() -> None:
    assert codes(found({"digest": FACTS.digest}, facts(ROOT, "mesh9", gateways=(), exports=()))) == ["MESH804"]


def test_no_digest_is_not_any_digest() -> None:
    assert FACTS.digest in one(found({"digest": None}), "MESH804", ERROR, "meshes[0].digest").reason


def test_a_stack_needs_a_digest_too() -> None:
    mesh = parse(document({"facts": {"stack": "org/mesh/prod"}, "digest": None}))
    one(findings(mesh, now=NOW), "MESH804", ERROR, "meshes[0].digest")


@pytest.mark.parametrize("source", [{}, {"file": "a", "stack": "b"}])
def test_one_source(source: dict[str, str]) -> None:
    assert codes(findings(parse(document({"facts": source})), now=NOW)) == ["MESH801"]


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("end", "severity"), [(NOW - DAY, ERROR), (NOW, ERROR), (NOW + DAY, WARNING), (NOW + 61 * DAY, None)]
)
def test_a_root_ends(end: datetime, severity: Any) -> None:
    said = facts(MeshAuthority("ends", end=end))
    expected = [("MESH806", severity.value, "meshes[0].facts")] if severity else []
    assert brief(found(said=said)) == expected


def test_one_valid_root_is_enough() -> None:
    """As in the middle of a rotation: the old one may be at its end."""
    old = MeshAuthority("old", end=datetime(2024, 1, 1, tzinfo=UTC))
    assert found(said=facts(ROOT, roots=(old.root, ROOT.root))) == ()


def test_exported_but_not_to_us() -> None:
    finding = one(found(id="mesh7"), "MESH807", ERROR, "meshes[0].imports[0].host")
    assert 'not to "mesh7"' in finding.reason


@pytest.mark.parametrize(
    "host", ["*.sample", "*.local", "helloworld", "a.b.c", "helloworld.sample.svc.example.org", "*", "", "A.b"]
)
def test_what_is_no_service(host: str) -> None:
    assert "MESH808" in codes(found(exports=[{**EXPORT, "host": host}]))
    assert "MESH808" in codes(found({"imports": [{"host": host}]}))


@pytest.mark.parametrize("account", ["reviews", "spiffe://td/ns/a/sa/b", "a/b/c", "*/reviews", "a/*", "/", "a/"])
def test_what_is_no_account(account: str) -> None:
    """A wildcard among them: `*` in a principal would let in whole meshes."""
    place = "exports[0].accounts[0]"
    assert brief(found(exports=[{**EXPORT, "accounts": [account]}])) == [("MESH808", "error", place)]
    assert codes(found(exports=[{**EXPORT, "callers": [account]}])) == ["MESH808"]


@pytest.mark.parametrize("called", ["*.global", "a b", "UPPER.global", "-a.b", "nodots"])
def test_what_nothing_can_be_called(called: str) -> None:
    assert codes(found({"imports": [{"host": "helloworld.sample", "called": called}]})) == ["MESH808"]


def test_one_name_for_two_imports() -> None:
    twice = [{"host": "helloworld.sample"}, {"host": "helloworld.sample.svc.cluster.local"}]
    assert codes(found({"imports": twice})) == ["MESH809"]


def test_our_own_trust_domain_is_not_theirs() -> None:
    one(found(trustDomain="mesh2.example"), "MESH803", ERROR, "meshes[0].trustDomain")


def test_the_same_mesh_twice() -> None:
    (other,) = document()["meshes"]
    mesh = parse(document(meshes=[other, {**other, "imports": []}]))
    assert codes(findings(mesh, facts={0: FACTS, 1: FACTS}, now=NOW)) == ["MESH802", "MESH803"]


def test_what_the_other_installer_has_to_set_is_said() -> None:
    warning = one(found(istio={**GOOD["istio"], "install": "none"}, trust={}), "MESH812", WARNING, "meshes")
    for word in ("ISTIO_MULTIROOT_MESH", "PROXY_CONFIG_XDS_AGENT", "caCertificates", "mesh2.example"):
        assert word in warning.fix


def test_values_do_not_undo_it() -> None:
    istio = {**GOOD["istio"], "values": {"istiod": {"meshConfig": {"caCertificates": [], "trustDomainAliases": []}}}}
    assert codes(found(istio=istio)) == ["MESH404", "MESH404"]
    assert codes(findings(parse({**GOOD, "istio": istio}))) == [], "without other meshes the values are free to say it"


def test_a_gateway_that_others_cannot_be_told_of() -> None:
    clusters = [{**cluster, "crossMesh": {"serviceType": "NodePort"}} for cluster in GOOD["clusters"]]
    places = ["clusters[0].crossMesh.serviceType", "clusters[1].crossMesh.serviceType"]
    assert [finding.place for finding in found(exports=[EXPORT], clusters=clusters)] == places


def test_a_remote_has_no_door() -> None:
    east, west = GOOD["clusters"]
    remote = {**west, "role": "remote", "crossMesh": {"enabled": True}}
    one(found(clusters=[east, remote]), "MESH815", ERROR, "clusters[1].crossMesh.enabled")
