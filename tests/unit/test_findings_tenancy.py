"""Findings about tenancy: what the pages do not show."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import Finding, parse
from mesh_components.topology.findings import findings
from tests.support.findings import ERROR, GOOD, one
from tests.support.recipes import document as recipe

SHOP = {"name": "shop", "namespaces": ["shop"]}


def found(*teams: dict[str, Any], **top: Any) -> tuple[Finding, ...]:
    istio = {**GOOD["istio"], **top.pop("istio", {})}
    return findings(parse({**GOOD, "istio": istio, "teams": list(teams), **top}))


def guest(**istio: Any) -> tuple[Finding, ...]:
    wanted = recipe("shared-cluster-guest")
    return findings(parse({**wanted, "istio": {**wanted["istio"], "version": "1.30.5", **istio}}))


def test_sound() -> None:
    till = {"name": "till", "namespaces": ["till"], "callers": ["shop"], "accounts": ["edge/gateway"], "mtls": "STRICT"}
    assert (
        found(SHOP, till, policies={"mtls": "STRICT", "authorization": "deny", "namespaces": {"old": "DISABLE"}}) == ()
    )
    assert guest() == ()


@pytest.mark.parametrize(
    ("teams", "code", "place"),
    [
        ([SHOP, {**SHOP, "namespaces": ["b"]}], "MESH860", "teams[1].name"),
        ([SHOP, {**SHOP, "name": "b"}], "MESH860", "teams[1].namespaces[0]"),
        ([{**SHOP, "namespaces": ["a", "a"]}], "MESH860", "teams[0].namespaces[1]"),
        ([{**SHOP, "name": "Shop"}], "MESH861", "teams[0].name"),
        ([{**SHOP, "namespaces": ["kube-system"]}], "MESH861", "teams[0].namespaces[0]"),
        ([{**SHOP, "accounts": ["gateway"]}], "MESH862", "teams[0].accounts[0]"),
        ([{**SHOP, "closed": False, "accounts": ["a/b"]}], "MESH862", "teams[0].closed"),
        ([{**SHOP, "revision": "stable"}], "MESH865", "teams[0].revision"),
        ([{**SHOP, "dataPlane": "ambient"}], "MESH865", "teams[0].dataPlane"),
    ],
)
def test_teams(teams: list[dict[str, Any]], code: str, place: str) -> None:
    one(found(*teams), code, ERROR, place)


def test_a_sample_application_has_its_namespace_for_itself() -> None:
    team = {**SHOP, "namespaces": ["sample"]}
    assert {item.code for item in found(team, applications={"helloworld": {}})} == {"MESH860"}


def test_probes_that_are_not_rewritten() -> None:
    kept = {"values": {"istiod": {"sidecarInjectorWebhook": {"rewriteAppHTTPProbe": False}}}}
    place = "istio.values.istiod.sidecarInjectorWebhook.rewriteAppHTTPProbe"
    assert found(SHOP, istio=kept) == ()
    one(found({**SHOP, "mtls": "STRICT"}, istio=kept), "MESH863", ERROR, place)
    one(found(policies={"namespaces": {"a": "STRICT"}}, istio=kept), "MESH863", ERROR, place)


@pytest.mark.parametrize("policies", [{"mtls": "DISABLE"}, {"mtls": "DISABLE", "authorization": "deny"}])
def test_nobody_can_be_known(policies: dict[str, str]) -> None:
    assert {item.code for item in found(SHOP, policies=policies)} == {"MESH864"}


def test_the_root_namespace_is_the_mesh() -> None:
    twice = {"mtls": "STRICT", "namespaces": {"istio-system": "STRICT"}}
    one(found(policies=twice), "MESH866", ERROR, "policies.namespaces.istio-system")


def test_guests() -> None:
    one(guest(tags={"default": "mesh2"}), "MESH868", ERROR, "istio.tags")
    assert guest(tags={"default": "mesh2"}, tenancy="host") == ()
    assert {item.code for item in guest(revision="")} == {"MESH868"}
