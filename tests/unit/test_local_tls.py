"""Keys and certificates of the local engine, read back by `cryptography` and, where it is there, by openssl."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from meshctl.local.model import UNKNOWN, Goal, Op, Record, StepError
from meshctl.local.providers.tls import TlsProvider

NOW = datetime(2026, 1, 1, 12, 0, 30, 5, tzinfo=UTC)
TYPES = {
    "key": "tls:index/privateKey:PrivateKey",
    "request": "tls:index/certRequest:CertRequest",
    "self": "tls:index/selfSignedCert:SelfSignedCert",
    "signed": "tls:index/locallySignedCert:LocallySignedCert",
}
CA: dict[str, Any] = {
    "isCaCertificate": True,
    "allowedUses": ["cert_signing", "crl_signing"],
    "validityPeriodHours": 24,
}


def goal(kind: str, **inputs: Any) -> Goal:
    return Goal(f"urn::{kind}", TYPES[kind], kind, True, "", "", inputs, frozenset(), ())


def made(kind: str, now: datetime = NOW, **inputs: Any) -> tuple[str, dict[str, Any]]:
    provider = TlsProvider(lambda: now)
    wanted = goal(kind, **inputs)
    done = provider.apply(wanted, None, provider.plan(wanted, None))
    return done.id, dict(done.outputs)


def record(kind: str, inputs: dict[str, Any], now: datetime = NOW) -> Record:
    id_, outputs = made(kind, now, **inputs)
    return Record(
        "urn", TYPES[kind], kind, True, "", "", inputs, frozenset(), (), id_, outputs, frozenset()
    )  # fmt: skip


def certificate(outputs: dict[str, Any]) -> x509.Certificate:
    return x509.load_pem_x509_certificate(outputs["certPem"].encode())


@pytest.fixture(scope="module")
def root() -> dict[str, Any]:
    key = made("key", algorithm="ECDSA", ecdsaCurve="P256")[1]
    cert = made("self", privateKeyPem=key["privateKeyPem"], subject={"commonName": "root"}, maxPathLength=1, **CA)[1]
    return {"key": key["privateKeyPem"], "pem": cert["certPem"], "cert": certificate(cert), "outputs": cert}


def signed(root: dict[str, Any], subject: dict[str, Any] | None = None, **inputs: Any) -> dict[str, Any]:
    key = made("key", algorithm="RSA")[1]["privateKeyPem"]
    names: dict[str, Any] = {
        "dnsNames": ["a.example", "*.b.example"],
        "ipAddresses": ["192.0.2.1"],
        "uris": ["spiffe://mesh/x"],
    }
    request = made("request", privateKeyPem=key, subject=subject or {"commonName": "leaf"}, **names)[1]
    pem = {"certRequestPem": request["certRequestPem"], "caPrivateKeyPem": root["key"], "caCertPem": root["pem"]}
    wanted: dict[str, Any] = pem | {"allowedUses": ["server_auth"], "validityPeriodHours": 1} | inputs
    return made("signed", **wanted)[1]


class TestKeys:
    """In the very encodings of the real provider, as other programs read them."""

    @pytest.mark.parametrize(
        ("inputs", "label"),
        [
            ({"algorithm": "RSA"}, "RSA PRIVATE KEY"),
            ({"algorithm": "ECDSA", "ecdsaCurve": "P384"}, "EC PRIVATE KEY"),
            ({"algorithm": "ECDSA"}, "EC PRIVATE KEY"),
            ({"algorithm": "ED25519"}, "PRIVATE KEY"),
        ],
    )
    def test_encodings(self, inputs: Any, label: str) -> None:
        id_, outputs = made("key", **inputs)
        assert outputs["privateKeyPem"].startswith(f"-----BEGIN {label}-----\n")
        assert outputs["privateKeyPemPkcs8"].startswith("-----BEGIN PRIVATE KEY-----\n")
        assert outputs["privateKeyPem"].endswith("-----\n")
        public = serialization.load_pem_public_key(outputs["publicKeyPem"].encode())
        for name in ("privateKeyPem", "privateKeyPemPkcs8"):
            private = serialization.load_pem_private_key(outputs[name].encode(), None)
            assert private.public_key() == public
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        assert id_ == hashlib.sha1(der).hexdigest()  # noqa: S324 - the id of the real provider

    def test_no_ssh_form_of_p224(self) -> None:
        outputs = made("key", algorithm="ECDSA")[1]
        assert outputs["ecdsaCurve"] == "P224"
        assert outputs["publicKeyOpenssh"] == outputs["privateKeyOpenssh"] == ""
        other = made("key", algorithm="ECDSA", ecdsaCurve="P256")[1]
        assert other["publicKeyOpenssh"].startswith("ecdsa-sha2-nistp256 ")
        assert other["publicKeyFingerprintSha256"].startswith("SHA256:")

    def test_a_preview_knows_nothing_of_a_key_to_come(self) -> None:
        outputs = TlsProvider().plan(goal("key", algorithm="RSA"), None).outputs
        assert outputs["privateKeyPem"] is UNKNOWN
        assert (outputs["algorithm"], outputs["rsaBits"]) == ("RSA", 2048)

    @pytest.mark.parametrize(
        ("inputs", "what"),
        [
            ({"algorithm": "DSA"}, "none of RSA, ECDSA, ED25519"),
            ({"algorithm": "ECDSA", "ecdsaCurve": "P1"}, "none of P224"),
        ],
    )
    def test_mistakes(self, inputs: Any, what: str) -> None:
        with pytest.raises(StepError, match=what):
            made("key", **inputs)


class TestAuthority:
    """What a mesh trusts."""

    def test_root(self, root: dict[str, Any]) -> None:
        cert = root["cert"]
        constraints = cert.extensions.get_extension_for_class(x509.BasicConstraints)
        assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 1)
        usage = cert.extensions.get_extension_for_class(x509.KeyUsage)
        assert usage.critical
        assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)
        ski = cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        assert ski.digest == x509.SubjectKeyIdentifier.from_public_key(cert.public_key()).digest
        with pytest.raises(x509.ExtensionNotFound):
            cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)

    def test_times_are_whole_seconds_in_rfc3339(self, root: dict[str, Any]) -> None:
        assert root["outputs"]["validityStartTime"] == "2026-01-01T12:00:30Z"
        assert root["outputs"]["validityEndTime"] == "2026-01-02T12:00:30Z"
        assert root["cert"].not_valid_before_utc == NOW.replace(microsecond=0)
        assert root["outputs"]["readyForRenewal"] is False

    def test_intermediate_is_signed_and_points_at_its_root(self, root: dict[str, Any]) -> None:
        outputs = signed(root, {"commonName": "west", "organization": "mesh"}, **CA)
        cert = certificate(outputs)
        cert.verify_directly_issued_by(root["cert"])
        aki = cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        ski = root["cert"].extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        assert aki.key_identifier == ski.digest
        assert cert.subject.rfc4514_string() == "CN=west,O=mesh"
        assert outputs["caKeyAlgorithm"] == "ECDSA"

    def test_the_same_subject_gets_no_authority_key_id_as_in_go(self, root: dict[str, Any]) -> None:
        cert = certificate(signed(root, {"commonName": "root"}, **CA))
        with pytest.raises(x509.ExtensionNotFound):
            cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)

    def test_a_path_length_of_none_cannot_be_said_as_in_the_real_provider(self, root: dict[str, Any]) -> None:
        cert = certificate(signed(root, **CA, maxPathLength=0))
        assert cert.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length is None

    def test_leaf_has_the_names_of_its_request(self, root: dict[str, Any]) -> None:
        cert = certificate(signed(root))
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["a.example", "*.b.example"]
        assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
        assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://mesh/x"]
        with pytest.raises(x509.ExtensionNotFound):
            cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)

    @pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
    def test_openssl_agrees(self, root: dict[str, Any], tmp_path: Path) -> None:
        (tmp_path / "root.pem").write_text(root["pem"])
        (tmp_path / "leaf.pem").write_text(signed(root)["certPem"])
        when = str(int((NOW + timedelta(minutes=1)).timestamp()))
        command = ["openssl", "verify", "-attime", when, "-CAfile", "root.pem", "leaf.pem"]
        assert subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout == b"leaf.pem: OK\n"

    @pytest.mark.parametrize(
        ("inputs", "what"),
        [
            ({"caCertPem": "nonsense"}, "caCertPem is not in the PEM format"),
            ({"caPrivateKeyPem": "nonsense"}, "caPrivateKeyPem is not in the PEM format"),
            ({"allowedUses": ["world_peace"]}, "world_peace is none of"),
        ],
    )
    def test_mistakes_name_the_input_and_show_no_key(self, root: dict[str, Any], inputs: Any, what: str) -> None:
        with pytest.raises(StepError, match=what) as caught:
            signed(root, **inputs)
        assert "nonsense" not in str(caught.value)

    def test_a_key_of_another_certificate_is_refused(self, root: dict[str, Any]) -> None:
        other = made("key", algorithm="ECDSA", ecdsaCurve="P256")[1]["privateKeyPem"]
        with pytest.raises(StepError, match="is not the key of caCertPem"):
            signed(root, caPrivateKeyPem=other)

    def test_an_authority_without_a_name_is_refused(self, root: dict[str, Any]) -> None:
        with pytest.raises(StepError, match="at least one part"):
            made("self", privateKeyPem=root["key"], subject={}, **CA)


INPUTS = {"algorithm": "ECDSA", "ecdsaCurve": "P256"}


class TestChanges:
    """Every input but one makes a new certificate; so does time."""

    def test_nothing_changed(self) -> None:
        before = record("key", INPUTS)
        assert TlsProvider().plan(goal("key", **INPUTS), before).op is Op.SAME

    def test_an_input_replaces(self) -> None:
        before = record("key", INPUTS)
        step = TlsProvider().plan(goal("key", algorithm="RSA"), before)
        assert step.op is Op.REPLACE
        assert step.outputs["privateKeyPem"] is UNKNOWN

    def test_the_renewal_window_alone_updates_and_keeps_the_certificate(self, root: dict[str, Any]) -> None:
        inputs = {"privateKeyPem": root["key"], "subject": {"commonName": "x"}, **CA}
        before = record("self", inputs)
        provider = TlsProvider(lambda: NOW)
        wanted = goal("self", **inputs, earlyRenewalHours=2)
        step = provider.plan(wanted, before)
        assert step.op is Op.UPDATE
        done = provider.apply(wanted, before, step)
        assert done.outputs["certPem"] == before.outputs["certPem"]
        assert (done.id, done.outputs["earlyRenewalHours"]) == (before.id, 2)

    @pytest.mark.parametrize(("hours", "op"), [(21.9, Op.SAME), (22.1, Op.REPLACE), (30, Op.REPLACE)])
    def test_it_is_renewed_within_the_window(self, root: dict[str, Any], hours: float, op: Op) -> None:
        inputs = {"privateKeyPem": root["key"], "subject": {"commonName": "x"}, "earlyRenewalHours": 2, **CA}
        before = record("self", inputs)
        step = TlsProvider(lambda: NOW + timedelta(hours=hours)).plan(goal("self", **inputs), before)
        assert step.op is op
        if op is Op.REPLACE:
            assert "time of renewal" in step.changes[0].note
