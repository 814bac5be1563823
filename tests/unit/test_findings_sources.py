"""Findings about the source of the root that no page's example shows."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import Severity
from mesh_components.settings.place import PlaceError
from mesh_components.topology import material
from mesh_components.topology.findings import findings
from tests.support import authorities
from tests.support.authorities import NOW
from tests.support.findings import brief, mesh

KEY = {"secret": "name"}
CERT_MANAGER = {"certManager": {"issuer": {"name": "ca"}, "root": KEY}}
VAULT = {"address": "https://vault.example.com:8200", "root": KEY, "token": KEY}


def trust(source: Any, **over: Any) -> Any:
    return mesh({"trust": {"source": source, **over}})


class TestShape:
    """Before anything is read."""

    @pytest.mark.parametrize(
        ("source", "place"),
        [
            ({}, "trust.source"),
            ({"root": {"certificate": KEY, "key": KEY}, **CERT_MANAGER}, "trust.source"),
            ({"root": {"certificate": {}, "key": KEY}}, "trust.source.root.certificate"),
            ({"root": {"certificate": KEY, "key": {**KEY, "file": "key"}}}, "trust.source.root.key"),
            ({"vault": {**VAULT, "kubernetes": {"role": "r", "token": KEY}}}, "trust.source.vault"),
        ],
    )
    def test_one_source_one_place_one_login(self, source: Any, place: str) -> None:
        assert brief(findings(trust(source))) == [("MESH310", "error", place)]

    @pytest.mark.parametrize(
        ("address", "severity"),
        [
            ("http://127.0.0.1:8200", "warning"),
            ("http://localhost:8200", "warning"),
            ("http://[::1]:8200", "warning"),
            ("http://127.0.0.1.example.com", "error"),
            ("http://vault:8200", "error"),
            ("vault.example.com", "error"),
        ],
    )
    def test_vault_by_plain_http(self, address: str, severity: str) -> None:
        found = brief(findings(trust({"vault": {**VAULT, "address": address}})))
        assert found == [("MESH322", severity, "trust.source.vault.address")]


class TestLifetimes:
    """The lifetimes of the document are about what the program makes."""

    def test_a_root_from_elsewhere_has_dates_of_its_own(self) -> None:
        assert findings(trust({"vault": VAULT}, intermediateValidityDays=4000)) == ()

    def test_cert_manager_renews_by_itself(self) -> None:
        assert findings(trust(CERT_MANAGER, intermediateValidityDays=20)) == ()


class TestTexts:
    """What was read, and what was not."""

    def test_what_was_not_read_is_not_judged(self) -> None:
        assert findings(trust({"vault": VAULT}), now=NOW) == ()

    def test_a_root_alone_is_judged_too(self) -> None:
        texts = {"trust.source.vault.root": authorities.intermediate(authorities.root()).pem}
        found = findings(trust({"vault": VAULT}), texts=texts, now=NOW)
        assert {(one.code, one.place) for one in found} == {
            ("MESH314", "trust.source.vault.root"),  # a path length of 0
            ("MESH317", "trust.source.vault.root"),
        }

    def test_the_next_root_is_judged_as_well(self) -> None:
        """It comes with the first phase of a rotation."""
        rotation = {"phase": "add", "source": {"root": {"certificate": KEY, "key": KEY}}}
        bad = authorities.root(path_length=0)
        texts = {"trust.rotation.source.root.certificate": bad.pem, "trust.rotation.source.root.key": bad.key}
        wanted = mesh({"trust": {"multiRoot": True, "rotation": rotation}})
        found = findings(wanted, texts=texts, now=NOW)
        assert ("MESH314", "error", "trust.rotation.source.root.certificate") in brief(found)

    def test_every_text_of_a_source_is_asked_for(self) -> None:
        wanted = trust({"vault": {**VAULT, "ca": KEY}})
        places = [place for place, _ in material.places(wanted.trust)]
        assert places == [f"trust.source.vault.{key}" for key in ("root", "token", "ca")]
        texts = {place: PlaceError("it is not there") for place in places}
        assert [one.place for one in findings(wanted, texts=texts, now=NOW)] == sorted(places)

    def test_no_message_has_a_key(self) -> None:
        made = authorities.root()
        texts = {"trust.source.root.certificate": made.key, "trust.source.root.key": made.pem}
        found = findings(trust({"root": {"certificate": KEY, "key": KEY}}), texts=texts, now=NOW)
        assert {one.severity for one in found} == {Severity.ERROR}
        for line in made.key.splitlines()[1:-1]:
            assert not any(line in str(one) for one in found)
