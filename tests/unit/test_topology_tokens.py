"""Tokens: which exist, how one is replaced step by step, and what is found of a document that misunderstands them."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import MeshSettings, Severity
from mesh_components.topology.findings import findings
from mesh_components.topology.plan import plan
from mesh_components.topology.resources import resources
from mesh_components.topology.tokens import Tokens, replaced, restarts, tokens, withdrawn
from tests.support.findings import ERROR, WARNING, Patch, codes, kubeconfig, mesh, one


def with_tokens(east: Patch | None = None, **keys: Any) -> MeshSettings:
    return mesh({"discovery": {"tokens": keys}}, east=east)


class TestSteps:
    """One document after the other, as `mesh rotate plan tokens` prints them."""

    def test_a_token_is_replaced_and_then_withdrawn(self) -> None:
        first = with_tokens()
        second = replaced(first, "east", keep=True)
        third = withdrawn(second)
        assert [tokens(step, "east").serials for step in (first, second, third)] == [(1,), (1, 2), (2,)]
        assert {tokens(step, "west").serials for step in (first, second, third)} == {(1,)}
        assert tokens(replaced(third, "east", "west", keep=False), "east") == Tokens(False, (3,))

    def test_the_first_serial_changes_no_name(self) -> None:
        before, after = (resources(plan(document)) for document in (with_tokens(), with_tokens(serials={"east": 1})))
        assert before == after

    def test_of_two_kept_tokens_each_has_a_name(self) -> None:
        names = [item.name for item in resources(plan(with_tokens(serials={"east": 2}, keepPrevious=True)))]
        assert {"mesh-east-reader", "mesh-east-reader.2"} <= set(names)

    @pytest.mark.parametrize(
        ("version", "issues"),
        [("1.30.2", ["istio#60612", "istio#60920"]), ("1.30.3", ["istio#60920"]), ("1.30.4", []), ("nonsense", [])],
    )
    def test_some_istiods_are_restarted_afterwards(self, version: str, issues: list[str]) -> None:
        assert [bug.issue for bug in restarts(with_tokens(), version)] == issues


FOUND: list[tuple[str, Severity, str, MeshSettings]] = [
    ("MESH506", ERROR, "renewBeforeHours", with_tokens(kind="requested", lifetimeHours=240)),
    ("MESH506", ERROR, "renewBeforeHours", with_tokens(kind="requested", lifetimeHours=1, renewBeforeHours=1)),
    ("MESH507", WARNING, "renewBeforeHours", with_tokens(kind="requested", renewBeforeHours=47)),
    ("MESH508", ERROR, "serials.north", with_tokens(serials={"north": 2})),
    ("MESH508", ERROR, "serials.east", with_tokens({"peerKubeconfig": {"secret": "s"}}, serials={"east": 1})),
    ("MESH509", WARNING, "lifetimeHours", with_tokens(lifetimeHours=48)),
    ("MESH509", WARNING, "renewBeforeHours", with_tokens(renewBeforeHours=48)),
    ("MESH509", WARNING, "keepPrevious", with_tokens(keepPrevious=True)),
]


SECRET: Patch = {"secret": {"secretName": "clusters"}}
GOOD_MOUNT: Patch = {"secrets": "mounted", "mounted": {"volume": SECRET}}
CHARTS: Patch = {"version": "1.30.5", "install": "charts"}


def with_mount(istio: Patch = CHARTS, **keys: Any) -> MeshSettings:
    return mesh({"istio": istio, "discovery": {**GOOD_MOUNT, **keys}})


MOUNTED: list[tuple[str, Severity, str, MeshSettings]] = [
    ("MESH706", ERROR, "discovery.secrets", with_mount(mounted=None)),
    ("MESH706", ERROR, "discovery.mounted.volume", with_mount(mounted={"volume": {}})),
    ("MESH706", ERROR, "discovery.mounted.volume", with_mount(mounted={"volume": {**SECRET, "emptyDir": {}}})),
    ("MESH706", WARNING, "discovery.mounted", with_mount(secrets="bundled")),
    ("MESH707", ERROR, "istio.version", with_mount({**CHARTS, "version": "1.29.7"})),
    ("MESH509", WARNING, "discovery.tokens", with_mount(tokens={"kind": "requested"})),
    ("MESH509", WARNING, "discovery.account", with_mount(account="own")),
]


@pytest.mark.parametrize(("code", "severity", "place", "document"), MOUNTED)
def test_found_of_what_is_mounted(code: str, severity: Severity, place: str, document: MeshSettings) -> None:
    found = [item for item in findings(document) if item.code != "MESH421"]
    one(tuple(found), code, severity, place)


@pytest.mark.parametrize("document", [with_mount(), with_mount({"install": "none"}, mounted=None)])
def test_quiet_of_what_is_mounted(document: MeshSettings) -> None:
    assert codes(findings(document)) == []


def test_who_reads_a_folder_has_no_token() -> None:
    assert tokens(with_mount(), "east").serials == ()
    assert not [item for item in resources(plan(with_mount())) if "Token" in item.type or "Secret" in item.type]


@pytest.mark.parametrize(
    "user",
    [
        {"client-certificate-data": "LS0t", "client-key-data": "LS0t"},
        {"auth-provider": {"name": "oidc", "config": {"idp-issuer-url": "https://issuer.example.com"}}},
    ],
    ids=["certificate", "oidc"],
)
def test_other_credentials_that_istiod_accepts(user: Patch) -> None:
    document = mesh(west={"peerKubeconfig": {"secret": "west-peers"}})
    assert codes(findings(document, {}, {1: kubeconfig("https://203.0.113.11", user)})) == []


@pytest.mark.parametrize(("code", "severity", "place", "document"), FOUND)
def test_found(code: str, severity: Severity, place: str, document: MeshSettings) -> None:
    one(findings(document), code, severity, f"discovery.tokens.{place}")


def test_a_serial_where_nobody_reads_is_a_warning() -> None:
    edges = {"reach": "edges", "edges": [{"source": "west", "reader": "east"}], "tokens": {"serials": {"east": 2}}}
    one(findings(mesh({"discovery": edges})), "MESH508", WARNING, "discovery.tokens.serials.east")


@pytest.mark.parametrize(
    "keys",
    [
        {"kind": "requested"},
        {"kind": "requested", "lifetimeHours": 96, "renewBeforeHours": 48},
        {"serials": {"west": 4}, "keepPrevious": True},
    ],
    ids=str,
)
def test_quiet(keys: dict[str, Any]) -> None:
    assert codes(findings(with_tokens(**keys))) == []


def test_a_rotation_bug_is_said_once_tokens_change() -> None:
    old: Patch = {"istio": {"version": "1.30.3"}}
    assert codes(findings(mesh(old))) == []
    assert codes(findings(mesh({**old, "discovery": {"tokens": {"kind": "requested"}}}))) == ["MESH402"]
    assert codes(findings(mesh({**old, "discovery": {"tokens": {"serials": {"east": 2}}}}))) == ["MESH402"]
