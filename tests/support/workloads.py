"""Workloads' certificates as istiods make them, and two verifiers that know nothing of this project.

What istiod signs: Istio's security/pkg/pki/ca/ca.go. A proxy checks its peer's certificate, with the chain that the
peer sends, against the roots that it was given.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import ClientVerifier, PolicyBuilder, ServerVerifier, Store, VerificationError

_KEY = ec.generate_private_key(ec.SECP256R1())
_NAMES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
_USAGE = x509.KeyUsage(**{name: name in ("digital_signature", "key_encipherment") for name in _NAMES})
_BOTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


@dataclass(frozen=True)
class Leaf:
    """A certificate, and the chain that is sent behind it."""

    certificate: str
    chain: str


def workload(cacerts: Mapping[str, str], name: str) -> Leaf:
    """What the istiod with these four PEMs signs for a workload; it lives for a day."""
    issuer = x509.load_pem_x509_certificate(cacerts["ca-cert.pem"].encode())
    key = serialization.load_pem_private_key(cacerts["ca-key.pem"].encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = datetime.now(UTC)
    identity = x509.UniformResourceIdentifier(f"spiffe://cluster.local/ns/default/sa/{name}")
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.subject)
        .public_key(_KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=2))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([identity]), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(_BOTH, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Leaf(made.public_bytes(serialization.Encoding.PEM).decode(), cacerts["cert-chain.pem"])


def accepts(roots: str, leaf: Leaf) -> bool:
    """Whether who was given these roots accepts the peer: all verifiers at hand say so, and say the same."""
    verdicts = {_cryptography(roots, leaf)}
    if shutil.which("openssl"):
        verdicts.add(_openssl(roots, leaf))
    assert len(verdicts) == 1, "the verifiers disagree"
    return verdicts.pop()


def accepts_server(roots: str, shown: Leaf, name: str) -> bool:
    """Whether a client that was given these roots accepts a server under this name."""
    return _passes(_policy(roots).build_server_verifier(x509.DNSName(name)), shown)


def _cryptography(roots: str, leaf: Leaf) -> bool:
    return _passes(_policy(roots).build_client_verifier(), leaf)


def _policy(roots: str) -> PolicyBuilder:
    # A second from now: what was made a moment ago begins with the next full second.
    store = Store(x509.load_pem_x509_certificates(roots.encode()))
    return PolicyBuilder().store(store).time(datetime.now(UTC) + timedelta(seconds=1))


def _passes(verifier: ServerVerifier | ClientVerifier, leaf: Leaf) -> bool:
    certificate = x509.load_pem_x509_certificate(leaf.certificate.encode())
    try:
        verifier.verify(certificate, x509.load_pem_x509_certificates(leaf.chain.encode()))
    except VerificationError:
        return False
    return True


def _openssl(roots: str, leaf: Leaf) -> bool:
    with TemporaryDirectory() as folder:
        files = {"roots": roots, "chain": leaf.chain, "leaf": leaf.certificate}
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        command = ["openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore", "-CAfile", "roots"]
        done = subprocess.run([*command, "-untrusted", "chain", "leaf"], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0
