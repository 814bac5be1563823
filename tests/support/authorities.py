"""Certificates for tests: real ones, good and bad, made fast.

Keys are made once a process: what a key is matters in few tests, and an RSA key of 4096 bits takes seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mesh_components.topology.certificates import Bundle

NOW = datetime(2026, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
SERVER, CLIENT, ANY = (
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
)
CURVES: dict[str, Any] = {
    "p224": ec.SECP224R1,
    "p256": ec.SECP256R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
    "k1": ec.SECP256K1,
}
PKCS8, TRADITIONAL = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER


@cache
def key(kind: str = "p256", number: int = 0) -> Any:  # noqa: ARG001 - part of the cache's key
    """A key of that kind; another number is another key."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "dsa":
        return dsa.generate_private_key(2048)
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    return ec.generate_private_key(CURVES[kind]())


def key_pem(private: Any, form: Any = PKCS8, passphrase: bytes | None = None) -> str:
    protection = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return str(private.private_bytes(PEM, form, protection).decode())


def usage(**over: bool) -> x509.KeyUsage:
    """As Istio's own Makefile has it."""
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    usual = {"digital_signature", "content_commitment", "key_encipherment", "key_cert_sign"}
    return x509.KeyUsage(**{name: over.get(name, name in usual) for name in names})


@dataclass(frozen=True)
class Authority:
    """A certificate with its key, and who issued it."""

    certificate: x509.Certificate
    private: Any = field(repr=False)
    issuer: Authority | None = None

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(DER)

    @property
    def key(self) -> str:
        return key_pem(self.private)

    @property
    def above(self) -> Authority:
        """Who issued it; itself where it is a root."""
        return self.issuer or self

    @property
    def root(self) -> Authority:
        return self.issuer.root if self.issuer else self

    @property
    def chain(self) -> str:
        return self.pem + (self.issuer.chain if self.issuer else "")

    def bundle(self, **over: Any) -> Bundle:
        """A good bundle, with some of its parts changed."""
        good = Bundle(ca_cert=self.pem, ca_key=self.key, cert_chain=self.chain, root_cert=self.root.pem)
        return replace(good, **over)


@dataclass(frozen=True)
class Shape:
    """What a certificate is like."""

    name: str = "Root CA"
    locality: str | None = None
    nameless: bool = False
    ca: bool = True
    constraints: bool = True
    path_length: int | None = None
    usage: x509.KeyUsage | None = field(default_factory=usage)
    purposes: Sequence[x509.ObjectIdentifier] = ()
    begins: datetime = NOW - YEAR
    ends: datetime = NOW + YEAR * 9
    digest: Any = field(default_factory=hashes.SHA256)
    extra: Sequence[tuple[x509.ExtensionType, bool]] = ()
    san: str | None = None
    key_id: bytes | None = None
    with_key_id: bool = True
    authority_id: bytes | None = None
    with_authority_id: bool = True


def authority(shape: Shape = Shape(), private: Any = None, issuer: Authority | None = None) -> Authority:
    """Make it; without an issuer it signs itself."""
    private = private or key(number=0 if issuer is None else 1)
    signing = issuer.private if issuer else private
    parts = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Istio"),
        x509.NameAttribute(NameOID.COMMON_NAME, shape.name),
    ]
    if shape.locality:
        parts.append(x509.NameAttribute(NameOID.LOCALITY_NAME, shape.locality))
    subject = x509.Name([] if shape.nameless else parts)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(shape.begins)
        .not_valid_after(shape.ends)
    )
    for extension, critical in _extensions(shape, private, signing):
        builder = builder.add_extension(extension, critical)
    digest = None if isinstance(signing, ed25519.Ed25519PrivateKey) else shape.digest
    return Authority(builder.sign(signing, digest), private, issuer)


def _extensions(shape: Shape, private: Any, signing: Any) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = list(shape.extra)
    if shape.constraints:
        found.append((x509.BasicConstraints(ca=shape.ca, path_length=shape.path_length), True))
    if shape.usage is not None:
        found.append((shape.usage, True))
    if shape.purposes:
        found.append((x509.ExtendedKeyUsage(shape.purposes), False))
    if shape.san:
        found.append((x509.SubjectAlternativeName([x509.DNSName(shape.san)]), False))
    if shape.with_key_id:
        made = x509.SubjectKeyIdentifier.from_public_key(private.public_key())
        found.append((x509.SubjectKeyIdentifier(shape.key_id) if shape.key_id else made, False))
    if shape.with_authority_id:
        by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
        given = x509.AuthorityKeyIdentifier(shape.authority_id, None, None) if shape.authority_id else by
        found.append((given, False))
    return found


ROOT = Shape(with_authority_id=False)
INTERMEDIATE = Shape("Intermediate CA", locality="east", path_length=0, san="istiod.istio-system.svc", ends=NOW + YEAR)


def root(private: Any = None, **over: Any) -> Authority:
    """A root as Istio's Makefile makes it, with something changed."""
    return authority(replace(ROOT, **over), private)


def intermediate(issuer: Authority, private: Any = None, **over: Any) -> Authority:
    """An intermediate as Istio's Makefile makes it, with something changed."""
    return authority(replace(INTERMEDIATE, **over), private or key(number=1), issuer)


def client(issuer: Authority, private: Any = None, **over: Any) -> Authority:
    """A client's certificate, as Kubernetes signs them."""
    shape = Shape("mesh-reader", ca=False, usage=usage(key_cert_sign=False, crl_sign=False), purposes=(CLIENT,))
    return authority(replace(shape, **over), private or key(number=5), issuer)


_RSA_SIGNATURES = {"md5": 0x04, "sha1": 0x05, "sha256": 0x0B}


def resigned(made: Authority, digest: str, issuer: Authority) -> Authority:
    """The certificate with an old signature, which `cryptography` does not make: the object identifiers differ in
    their last byte, and an RSA signature has one length."""
    prefix = bytes.fromhex("06092a864886f70d0101")
    old, new = (prefix + bytes([_RSA_SIGNATURES[name]]) for name in ("sha256", digest))
    tbs = made.certificate.tbs_certificate_bytes.replace(old, new)
    algorithm: Any = {"md5": hashes.MD5, "sha1": hashes.SHA1}[digest]()
    signature = issuer.private.sign(tbs, padding.PKCS1v15(), algorithm)
    der = made.der.replace(made.certificate.tbs_certificate_bytes, tbs).replace(old, new)
    der = der[: -len(signature)] + signature
    return Authority(x509.load_der_x509_certificate(der), made.private, made.issuer)
