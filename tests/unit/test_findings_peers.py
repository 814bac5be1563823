"""Peers that authenticate otherwise than with a token of this program: what cannot work is said before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mesh_components.settings import Severity
from mesh_components.settings.place import PlaceError
from mesh_components.topology.findings import findings
from tests.support import authorities
from tests.support.authorities import CLIENT, NOW, SERVER, YEAR
from tests.support.findings import ERROR, WARNING, Patch, mesh, one

PLACE = "clusters[0].peerAuthentication"
ROOT = authorities.root()
READER = authorities.client(ROOT)
CERTIFICATE: Patch = {"clientCertificate": {"certificate": {"file": "c"}, "key": {"file": "k"}}}
OIDC: Patch = {"issuer": "https://login.example.com", "clientId": "mesh"}
OTHER_KEY = authorities.key_pem(authorities.key(number=9))


def texts(certificate: Any = READER.pem, key: Any = READER.key) -> dict[str, Any]:
    place = f"{PLACE}.clientCertificate"
    return {f"{place}.certificate": certificate, f"{place}.key": key, f"{PLACE}.oidc.refreshToken": "r"}


@pytest.mark.parametrize(
    ("severity", "where", "stated"),
    [
        (ERROR, "", {}),
        (ERROR, "", {**CERTIFICATE, "oidc": {**OIDC, "refreshToken": {"file": "r"}}}),
        (ERROR, ".oidc", {"oidc": OIDC}),
        (WARNING, ".oidc.idToken", {"oidc": {**OIDC, "idToken": {"file": "i"}}}),
    ],
)
def test_one_way_that_leads_somewhere(severity: Severity, where: str, stated: Patch) -> None:
    found = findings(mesh(east={"peerAuthentication": stated}), texts=texts(), now=NOW)
    one(found, "MESH510", severity, f"{PLACE}{where}")


def test_not_beside_a_kubeconfig_and_not_where_nobody_reads() -> None:
    both: Patch = {"peerAuthentication": CERTIFICATE, "peerKubeconfig": {"secret": "s"}}
    one(findings(mesh(east=both), texts=texts(), now=NOW), "MESH510", ERROR, PLACE)
    unread: Patch = {"discovery": {"reach": "edges", "edges": [{"source": "west", "reader": "east"}]}}
    found = findings(mesh(unread, east={"peerAuthentication": CERTIFICATE}), texts=texts(), now=NOW)
    one(found, "MESH510", WARNING, PLACE)


@pytest.mark.parametrize(
    ("stated", "found", "words"),
    [
        ({"file": "c"}, PlaceError("there is no file c"), "there is no file c"),
        ({"file": "c", "secret": "s"}, READER.pem, "file, secret"),
        ({}, READER.pem, "names nothing"),
    ],
    ids=["absent", "two places", "none"],
)
def test_each_text_is_in_one_place_and_there(stated: Patch, found: Any, words: str) -> None:
    way = {"clientCertificate": {"certificate": stated, "key": {"file": "k"}}}
    said = findings(mesh(east={"peerAuthentication": way}), texts=texts(certificate=found), now=NOW)
    assert words in one(said, "MESH511", ERROR, f"{PLACE}.clientCertificate.certificate").reason


BAD: list[tuple[str, str, dict[str, Any]]] = [
    ("certificate", "ended at 2026-05-31", {"certificate": authorities.client(ROOT, ends=NOW - timedelta(days=1)).pem}),
    (
        "certificate",
        "begins at 2026-06-02",
        {"certificate": authorities.client(ROOT, begins=NOW + timedelta(days=1)).pem},
    ),
    ("certificate", "is not for clients", {"certificate": authorities.client(ROOT, purposes=(SERVER,)).pem}),
    ("certificate", "no block CERTIFICATE", {"certificate": READER.key}),
    ("certificate", "cannot be read", {"certificate": READER.pem.replace("MII", "MIA", 1)}),
    ("key", "is not the key of the certificate", {"key": OTHER_KEY}),
    ("key", "encrypted", {"key": authorities.key_pem(READER.private, passphrase=b"p")}),
    ("key", "is empty", {"key": " "}),
]


@pytest.mark.parametrize(("part", "words", "changed"), BAD, ids=[words for _, words, _ in BAD])
def test_a_certificate_that_lets_nobody_in(part: str, words: str, changed: dict[str, Any]) -> None:
    found = findings(mesh(east={"peerAuthentication": CERTIFICATE}), texts=texts(**changed), now=NOW)
    said = one(found, "MESH512", ERROR, f"{PLACE}.clientCertificate.{part}")
    assert words in said.reason
    assert "-----" not in said.reason + said.fix


@pytest.mark.parametrize(
    "client",
    [
        READER,
        authorities.client(ROOT, purposes=()),
        authorities.client(ROOT, purposes=(CLIENT, SERVER)),
        authorities.client(ROOT, authorities.key("ed25519")),
    ],
)
def test_a_good_one_is_not_spoken_of(client: authorities.Authority) -> None:
    found = findings(mesh(east={"peerAuthentication": CERTIFICATE}), texts=texts(client.pem, client.key), now=NOW)
    assert found == ()


def test_one_that_ends_soon_is_warned_of() -> None:
    soon = authorities.client(ROOT, ends=NOW + timedelta(days=59))
    document = mesh(east={"peerAuthentication": CERTIFICATE})
    one(
        findings(document, texts=texts(soon.pem), now=NOW), "MESH512", WARNING, f"{PLACE}.clientCertificate.certificate"
    )
    later = authorities.client(ROOT, ends=NOW + YEAR)
    assert findings(document, texts=texts(later.pem), now=NOW) == ()
