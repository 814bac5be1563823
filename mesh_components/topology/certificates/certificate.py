"""One certificate: read, and checked by itself as a certificate that signs others."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mesh_components.settings import Severity
from mesh_components.topology.certificates import constraints, keys
from mesh_components.topology.certificates.bundle import Expected, Remark

_LONGEST_NAME = 80

_SIGNATURES = {
    "1.2.840.113549.1.1.11": "",
    "1.2.840.113549.1.1.12": "",
    "1.2.840.113549.1.1.13": "",
    "1.2.840.113549.1.1.10": "",
    "1.2.840.10045.4.3.2": "",
    "1.2.840.10045.4.3.3": "",
    "1.2.840.10045.4.3.4": "",
    "1.3.101.112": "",  # Ed25519: said of the key that signs
    "1.3.101.113": "",
    "1.2.840.113549.1.1.2": "MD2",
    "1.2.840.113549.1.1.4": "MD5",
    "1.2.840.113549.1.1.5": "SHA-1",
    "1.2.840.10045.4.1": "SHA-1",
    "1.2.840.10040.4.3": "SHA-1",
    "1.2.840.113549.1.1.14": "SHA-224",
    "1.2.840.10045.4.3.1": "SHA-224",
}
"""What crypto/x509 verifies, and by name what it refuses (`checkSignature`)."""

_HANDLED = {
    "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.31",
    "2.5.29.32", "2.5.29.33", "2.5.29.35", "2.5.29.36", "2.5.29.37", "2.5.29.54",
}  # fmt: skip
"""Extensions that may be critical: others make crypto/x509 refuse the certificate (`parseCertificate`)."""


@dataclass(frozen=True)
class Certificate:
    """A certificate with what is asked of it again and again."""

    parsed: Any = field(repr=False)
    """`cryptography.x509.Certificate`."""
    fingerprint: str
    subject: bytes
    issuer: bytes
    name: str
    """The subject, to be printed."""
    public: bytes = field(repr=False)
    key_id: bytes | None
    authority_id: bytes | None
    extensions: Any = field(repr=False)

    @property
    def same_names(self) -> bool:
        """Whether it says that it was issued by itself."""
        return self.subject == self.issuer

    @property
    def self_signed(self) -> bool:
        """Whether it was."""
        return self.same_names and issued(self, self)

    @property
    def issuer_name(self) -> str:
        """Who it says has issued it."""
        return _printed(self.parsed.issuer)

    def extension(self, kind: str) -> Any | None:
        """The extension of that class of `cryptography.x509`, None where there is none."""
        from cryptography import x509

        found = [item for item in self.extensions if isinstance(item.value, getattr(x509, kind))]
        return found[0] if found else None


def read(der: bytes) -> Certificate | Remark:
    """Parse a certificate."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a serial number below zero is a warning there, and an error in Go
            parsed = x509.load_der_x509_certificate(der)
            if parsed.serial_number < 0:
                return _BROKEN
            extensions = tuple(parsed.extensions)
            public = keys.public_bytes(parsed.public_key())
            names = parsed.subject.public_bytes(), parsed.issuer.public_bytes()
    except UnsupportedAlgorithm:
        return Remark("unknown-key", "has a public key of a kind that Go does not know", "use RSA or ECDSA")
    except (ValueError, TypeError, Warning, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return _BROKEN
    values = {type(item.value).__name__: item.value for item in extensions}
    key_id, authority = values.get("SubjectKeyIdentifier"), values.get("AuthorityKeyIdentifier")
    return Certificate(
        parsed=parsed,
        fingerprint=hashlib.sha256(der).hexdigest(),
        subject=names[0],
        issuer=names[1],
        name=_printed(parsed.subject),
        public=public,
        key_id=key_id.digest if key_id else None,
        authority_id=authority.key_identifier if authority else None,
        extensions=extensions,
    )


_BROKEN = Remark(
    "unreadable-certificate",
    "cannot be read as an X.509 certificate, by Go neither: damaged, or made by a tool that breaks its rules",
    "copy it again; `openssl x509 -noout -text -in FILE` shows where it breaks",
)


def issued(issuer: Certificate, certificate: Certificate) -> bool:
    """Whether the issuer's key made the certificate's signature. Old algorithms are for `signature` to refuse."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        certificate.parsed.verify_directly_issued_by(issuer.parsed)
    except (InvalidSignature, ValueError, TypeError):
        return False
    except UnsupportedAlgorithm:
        return certificate.issuer == issuer.subject
    return True


def checks(certificate: Certificate, below: int, now: datetime, expected: Expected) -> Iterator[Remark]:
    """Everything about a certificate in a path that can be seen without its neighbours.

    Args:
        certificate: which.
        below: how many certificates of authorities stand between it and a workload's.
        now: the time.
        expected: what workloads will be called.
    """
    yield from dates(certificate, now)
    yield from _authority(certificate, below)
    yield from _usage(certificate)
    yield from _algorithms(certificate)
    yield from constraints.checks(certificate.extension("NameConstraints"), expected)
    yield from _unknown(certificate)


def dates(certificate: Certificate, now: datetime) -> Iterator[Remark]:
    """Expired, or not yet valid."""
    begins, ends = certificate.parsed.not_valid_before_utc, certificate.parsed.not_valid_after_utc
    if now > ends:
        yield Remark(
            "expired",
            f"expired at {_time(ends)}: istiod does not start with it, and no proxy trusts what is under it",
            "renew it",
        )
    elif now < begins:
        yield Remark(
            "not-yet-valid",
            f"is not valid before {_time(begins)}: until then istiod does not start with it",
            "wait until then, or issue it again; where the date is off by hours, look at the clock of who signed it",
        )


def _authority(certificate: Certificate, below: int) -> Iterator[Remark]:
    found = certificate.extension("BasicConstraints")
    if found is None or not found.value.ca:
        yield Remark(
            "not-ca",
            "is no CA certificate: it may not sign others (basic constraints, CA:TRUE)",
            "issue it as a CA certificate: `basicConstraints = critical, CA:TRUE`",
        )
    elif found.value.path_length is not None and found.value.path_length < below:
        allowed = found.value.path_length
        yield Remark(
            "path-length",
            f"allows {allowed} CA certificates under it (path length), and there will be {below}: istiod may "
            "start, and Envoy refuses every workload's certificate",
            f"issue it without a path length, or with {below} or more",
        )
    if not list(certificate.parsed.subject):
        yield Remark(
            "no-subject",
            "has an empty subject, as workloads' certificates have: who verifies takes those for self-signed",
            "issue it with a subject, such as `O=Istio, CN=Intermediate CA`",
        )


def _usage(certificate: Certificate) -> Iterator[Remark]:
    usage = certificate.extension("KeyUsage")
    if usage is not None and not usage.value.key_cert_sign:
        yield Remark(
            "no-cert-sign",
            "has a key usage without keyCertSign, so nothing that it signs is trusted",
            "issue it with `keyUsage = critical, keyCertSign, cRLSign, digitalSignature`",
        )
    extended = certificate.extension("ExtendedKeyUsage")
    if extended is None:
        return
    purposes = {item.dotted_string for item in extended.value}
    server, client, every = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0"
    if not purposes & {server, every}:
        yield Remark(
            "no-server-auth",
            "has an extended key usage without serverAuth, which limits everything under it: istiod does not start",
            "issue it without an extended key usage",
        )
    elif server not in purposes:
        yield Remark(
            "any-usage",
            "has an extended key usage that names anyExtendedKeyUsage and not serverAuth: istiod takes it, Envoy asks "
            "for serverAuth and clientAuth by name",
            "issue it without an extended key usage",
        )
    elif client not in purposes:
        yield Remark(
            "no-client-auth",
            "has an extended key usage without clientAuth: istiod starts, and Envoy refuses every workload that calls",
            "issue it without an extended key usage",
        )


def _algorithms(certificate: Certificate) -> Iterator[Remark]:
    yield from keys.algorithm(certificate.parsed.public_key())
    if certificate.parsed.public_key_algorithm_oid.dotted_string == "1.2.840.113549.1.1.10":
        yield Remark(
            "pss-key", "has a key that is for RSASSA-PSS only, which Go does not know", "use an ordinary RSA key"
        )
    known = _SIGNATURES.get(certificate.parsed.signature_algorithm_oid.dotted_string)
    if known == "":
        return
    kind = f"weak-signature-{known.lower()}" if known else "unknown-signature"
    if certificate.same_names:
        yield Remark(
            kind,
            f"signed itself with {known or 'an algorithm that Go does not know'}; nobody verifies that signature of a "
            "root, and other tools complain",
            "use SHA-256 for the next root",
            Severity.WARNING,
        )
    else:
        yield Remark(
            kind,
            f"is signed with {known or 'an algorithm that Go does not know'}, which Go and Envoy refuse",
            "have it signed again with SHA-256 or better",
        )


def _unknown(certificate: Certificate) -> Iterator[Remark]:
    for item in certificate.extensions:
        if item.critical and item.oid.dotted_string not in _HANDLED:
            yield Remark(
                "critical-extension",
                f"has the critical extension {item.oid.dotted_string}, which Go does not know and so refuses",
                "issue it without that extension, or with it not critical",
            )


def _printed(name: Any) -> str:
    """A distinguished name as it may be printed: it is public, and may be long."""
    text = str(name.rfc4514_string()) or "no name"
    plain = "".join(letter if letter.isprintable() else "?" for letter in text)
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[:_LONGEST_NAME]}…"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
