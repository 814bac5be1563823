"""Vault as the source of a root, on the local engine: what is asked, what is kept, and what nobody is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mesh_components.topology.certificates import Bundle, problems
from meshctl.local import passphrase
from tests.support import authorities
from tests.support.toy import Desk, ops
from tests.support.vault import DENIED, TOKEN, SmallVault, running

PROGRAM = """
import os
from mesh_components.settings.source import VaultSettings
from mesh_components.trust.root_ca import RootCA, RootCAArgs
from mesh_components.trust.vault import VaultLogin, VaultSource
settings = VaultSettings(address=os.environ["VAULT"], root={"environment": "ROOT"}, token={"environment": "TOKEN"})
source = VaultSource(settings, os.environ["ROOT"], VaultLogin({"token": os.environ["TOKEN"]}))
ca = RootCA("trust", RootCAArgs(
    clusters=("east", "west"), organization="o", intermediate_validity_days=%d, sources={1: source}))
for name, bundle in ca.bundles.items():
    pulumi.export(name, [bundle.ca_cert, bundle.cert_chain, bundle.root_cert])
"""


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallVault]:
    today = datetime.now(UTC)
    root = authorities.root(begins=today - timedelta(days=1), ends=today + timedelta(days=4000))
    with running(SmallVault(root)) as vault:
        for name, value in {"VAULT": vault.address, "ROOT": root.pem, "TOKEN": TOKEN}.items():
            monkeypatch.setenv(name, value)
        yield vault


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def everything_shown(desk: Desk) -> str:
    shown = [*map(repr, desk.asked), *map(str, desk.watch.warnings), *(str(error) for _, error in desk.watch.ended)]
    return "\n".join([*shown, *(path.read_text() for path in desk.root.rglob("*.json*"))])


def test_a_preview_asks_vault_nothing(desk: Desk, server: SmallVault) -> None:
    assert ops(desk.preview(PROGRAM % 365))["trust-east"] == "create"
    assert server.asked == []


def test_up_signs_once_and_the_next_preview_is_empty(desk: Desk, server: SmallVault) -> None:
    outputs = desk.up(PROGRAM % 365).outputs
    for name in ("east", "west"):
        certificate, chain, root = outputs[name]
        bundle = Bundle(certificate, None, chain, root, key_elsewhere=True)
        assert problems({name: bundle}, datetime.now(UTC)) == ()
    assert len(server.asked) == 2
    assert desk.preview().changes == 0
    assert desk.up().changes == 0
    assert len(server.asked) == 2


def test_a_new_token_changes_nothing(desk: Desk, server: SmallVault, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.up(PROGRAM % 365)
    monkeypatch.setenv("TOKEN", "hvs.another")
    assert desk.up().changes == 0
    assert len(server.asked) == 2


def test_another_lifetime_is_an_update_in_place(desk: Desk, server: SmallVault) -> None:
    desk.up(PROGRAM % 365)
    found = ops(desk.up(PROGRAM % 200))
    assert {name: found[name] for name in ("trust-east", "trust-west")} == {
        "trust-east": "update",
        "trust-west": "update",
    }
    assert found["trust-east-key"] == "same"
    assert len(server.asked) == 4


def test_what_vault_refuses_is_said_and_done_by_the_next_up(desk: Desk, server: SmallVault) -> None:
    server.instead = [(*DENIED, {}), (*DENIED, {})]
    report = desk.up(PROGRAM % 365)
    said = f"{report!r}\n{everything_shown(desk)}"
    assert "pki/root/sign-intermediate: permission denied" in said
    assert TOKEN not in said
    server.instead = []
    desk.up(PROGRAM % 365)
    assert desk.preview().changes == 0


def test_nothing_that_is_kept_or_shown_has_token_or_key(desk: Desk, server: SmallVault) -> None:
    desk.up(PROGRAM % 365)
    assert server.asked
    said = everything_shown(desk)
    assert TOKEN not in said
    assert "PRIVATE KEY" not in said
