"""Keys and certificates as terraform-provider-tls makes them, byte formats included."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Extended
from cryptography.x509.oid import NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Made = tuple[str, dict[str, Any]]
"""The id and the computed outputs."""

_CURVES = {"P224": ec.SECP224R1(), "P256": ec.SECP256R1(), "P384": ec.SECP384R1(), "P521": ec.SECP521R1()}
_USES = {
    "digital_signature": "digital_signature",
    "content_commitment": "content_commitment",
    "key_encipherment": "key_encipherment",
    "data_encipherment": "data_encipherment",
    "key_agreement": "key_agreement",
    "cert_signing": "key_cert_sign",
    "crl_signing": "crl_sign",
    "encipher_only": "encipher_only",
    "decipher_only": "decipher_only",
}
_EXTENDED = {
    "any_extended": Extended.ANY_EXTENDED_KEY_USAGE,
    "server_auth": Extended.SERVER_AUTH,
    "client_auth": Extended.CLIENT_AUTH,
    "code_signing": Extended.CODE_SIGNING,
    "email_protection": Extended.EMAIL_PROTECTION,
    "ipsec_end_system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec_tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec_user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": Extended.TIME_STAMPING,
    "ocsp_signing": Extended.OCSP_SIGNING,
    "microsoft_server_gated_crypto": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape_server_gated_crypto": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
    "microsoft_commercial_code_signing": x509.ObjectIdentifier("1.3.6.1.4.1.311.2.1.22"),
    "microsoft_kernel_code_signing": x509.ObjectIdentifier("1.3.6.1.4.1.311.61.1.1"),
}
_NAME_PARTS = (
    ("country", NameOID.COUNTRY_NAME),
    ("organization", NameOID.ORGANIZATION_NAME),
    ("organizationalUnit", NameOID.ORGANIZATIONAL_UNIT_NAME),
    ("locality", NameOID.LOCALITY_NAME),
    ("province", NameOID.STATE_OR_PROVINCE_NAME),
    ("streetAddresses", NameOID.STREET_ADDRESS),
    ("postalCode", NameOID.POSTAL_CODE),
    ("commonName", NameOID.COMMON_NAME),
    ("serialNumber", NameOID.SERIAL_NUMBER),
    ("emailAddress", NameOID.EMAIL_ADDRESS),
)
"""In the order in which Go writes a name."""


class InvalidInputError(ValueError):
    """An input that cannot be used; the message holds no secret."""


def private_key(inputs: Mapping[str, Any], now: datetime) -> Made:  # noqa: ARG001 (a key does not age)
    """Make a private key."""
    key = _generate(inputs)
    encode = serialization.Encoding
    kind = serialization.PrivateFormat
    # PKCS#1 for RSA and SEC1 for EC, but PKCS#8 for Ed25519, which has no older form.
    old = kind.PKCS8 if isinstance(key, ed25519.Ed25519PrivateKey) else kind.TraditionalOpenSSL
    public = key.public_key()
    der = public.public_bytes(encode.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha1(der).hexdigest(), {  # noqa: S324 (an id, as the provider makes it)
        "privateKeyPem": _private(key, encode.PEM, old),
        "privateKeyPemPkcs8": _private(key, encode.PEM, kind.PKCS8),
        "privateKeyOpenssh": "" if _is_p224(key) else _private(key, encode.PEM, kind.OpenSSH),
        "publicKeyPem": public.public_bytes(encode.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode(),
        **_openssh(key),
    }


def cert_request(inputs: Mapping[str, Any], now: datetime) -> Made:  # noqa: ARG001 (a request does not age)
    """Make a certificate request."""
    key = _load_key(inputs, "privateKeyPem")
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(inputs.get("subject") or {}))
    if names := _alternative_names(inputs):
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    pem = builder.sign(key, _digest(key)).public_bytes(serialization.Encoding.PEM)
    id_ = hashlib.sha1(pem).hexdigest()  # noqa: S324 (an id, as the provider makes it)
    return id_, {"certRequestPem": pem.decode(), "keyAlgorithm": _algorithm(key)}


def self_signed_cert(inputs: Mapping[str, Any], now: datetime) -> Made:
    """Make a certificate that is signed by its own key."""
    key = _load_key(inputs, "privateKeyPem")
    subject = _name(inputs.get("subject") or {})
    if inputs.get("setAuthorityKeyId") and not _wants_ski(inputs):
        message = "setAuthorityKeyId needs a subject key id, so set isCaCertificate or setSubjectKeyId too"
        raise InvalidInputError(message)
    authority = _ski(key.public_key()) if inputs.get("setAuthorityKeyId") else None
    id_, outputs = _sign(inputs, now, subject, subject, key.public_key(), key, _alternative_names(inputs), authority)
    return id_, {**outputs, "keyAlgorithm": _algorithm(key)}


def locally_signed_cert(inputs: Mapping[str, Any], now: datetime) -> Made:
    """Make the certificate that a request asks for, signed by another certificate's key."""
    key = _load_key(inputs, "caPrivateKeyPem")
    request = _load(x509.load_pem_x509_csr, inputs, "certRequestPem")
    issuer = _load(x509.load_pem_x509_certificate, inputs, "caCertPem")
    if issuer.public_key() != key.public_key():
        message = "caPrivateKeyPem is not the key of caCertPem"
        raise InvalidInputError(message)
    if not request.is_signature_valid:
        message = "certRequestPem is not signed by its own key"
        raise InvalidInputError(message)
    names: Iterable[x509.GeneralName] = ()
    with suppress(x509.ExtensionNotFound):
        names = list(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    # As Go does: an authority key id wherever issuer and subject differ and the issuer has a subject key id.
    authority = _subject_key_id(issuer) if issuer.subject != request.subject else None
    made = _sign(inputs, now, request.subject, issuer.subject, request.public_key(), key, names, authority)
    return made[0], {**made[1], "caKeyAlgorithm": _algorithm(key)}


def _sign(
    inputs: Mapping[str, Any],
    now: datetime,
    subject: x509.Name,
    issuer: x509.Name,
    public: Any,
    key: PrivateKey,
    names: Iterable[x509.GeneralName],
    authority: bytes | None,
) -> Made:
    is_ca = bool(inputs.get("isCaCertificate"))
    if is_ca and not list(subject):
        message = "the subject of a CA certificate must have at least one part, such as commonName"
        raise InvalidInputError(message)
    start = now.replace(microsecond=0)
    end = start + timedelta(hours=_number(inputs, "validityPeriodHours"))
    serial = secrets.randbits(127) + 1
    builder = x509.CertificateBuilder(issuer, subject, public, serial).not_valid_before(start).not_valid_after(end)
    for extension, critical in _extensions(inputs, is_ca, public, list(names), authority):
        builder = builder.add_extension(extension, critical=critical)
    pem = builder.sign(key, _digest(key)).public_bytes(serialization.Encoding.PEM).decode()
    return str(serial), {
        "certPem": pem,
        "validityStartTime": _rfc3339(start),
        "validityEndTime": _rfc3339(end),
        "readyForRenewal": False,
    }


def _extensions(
    inputs: Mapping[str, Any], is_ca: bool, public: Any, names: list[x509.GeneralName], authority: bytes | None
) -> Iterable[tuple[x509.ExtensionType, bool]]:
    uses = inputs.get("allowedUses") or []
    unknown = sorted(set(uses) - _USES.keys() - _EXTENDED.keys())
    if unknown:
        message = f"allowedUses: {', '.join(unknown)} is none of {', '.join([*_USES, *_EXTENDED])}"
        raise InvalidInputError(message)
    wanted = {_USES[use] for use in uses if use in _USES}
    if wanted:
        yield x509.KeyUsage(**{name: name in wanted for name in _USES.values()}), True
    if extended := [_EXTENDED[use] for use in uses if use in _EXTENDED]:
        yield x509.ExtendedKeyUsage(extended), False
    # The real provider cannot say «0», and leaves the path unconstrained.
    length = inputs.get("maxPathLength")
    yield x509.BasicConstraints(is_ca, int(length) if is_ca and length and length > 0 else None), True
    if _wants_ski(inputs):
        yield x509.SubjectKeyIdentifier(_ski(public)), False
    if authority:
        yield x509.AuthorityKeyIdentifier(authority, None, None), False
    if names:
        yield x509.SubjectAlternativeName(names), False


def _generate(inputs: Mapping[str, Any]) -> PrivateKey:
    algorithm = inputs.get("algorithm")
    if algorithm == "RSA":
        return rsa.generate_private_key(65537, int(_number(inputs, "rsaBits")))
    if algorithm == "ED25519":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm != "ECDSA":
        message = f"algorithm {algorithm!r} is none of RSA, ECDSA, ED25519"
        raise InvalidInputError(message)
    curve = inputs.get("ecdsaCurve")
    if curve not in _CURVES:
        message = f"ecdsaCurve {curve!r} is none of {', '.join(_CURVES)}"
        raise InvalidInputError(message)
    return ec.generate_private_key(_CURVES[curve])


def _load_key(inputs: Mapping[str, Any], name: str) -> PrivateKey:
    """Read a key given plainly or by its write-only twin."""
    text = inputs.get(name) or inputs.get(f"{name}Wo")
    key = _load(lambda pem: serialization.load_pem_private_key(pem, None), {name: text}, name)
    if not isinstance(key, PrivateKey):
        message = f"{name} is a key of another algorithm than RSA, ECDSA, ED25519"
        raise InvalidInputError(message)
    return key


def _load(parse: Any, inputs: Mapping[str, Any], name: str) -> Any:
    try:
        return parse(str(inputs[name]).encode())
    except (ValueError, TypeError, KeyError) as error:
        message = f"{name} is not in the PEM format expected there"
        raise InvalidInputError(message) from error


def _number(inputs: Mapping[str, Any], name: str) -> float:
    value = inputs.get(name)
    if not isinstance(value, int | float):
        message = f"{name} must be a number"
        raise InvalidInputError(message)
    return value


def _name(subject: Mapping[str, Any]) -> x509.Name:
    parts = []
    for key, oid in _NAME_PARTS:
        value = subject.get(key)
        for item in value if isinstance(value, list) else [value] if value else []:
            parts.append(x509.NameAttribute(oid, str(item)))  # noqa: PERF401
    return x509.Name(parts)


def _alternative_names(inputs: Mapping[str, Any]) -> list[x509.GeneralName]:
    return [
        *(x509.DNSName(name) for name in inputs.get("dnsNames") or []),
        *(x509.IPAddress(ip_address(address)) for address in inputs.get("ipAddresses") or []),
        *(x509.UniformResourceIdentifier(uri) for uri in inputs.get("uris") or []),
    ]


def _wants_ski(inputs: Mapping[str, Any]) -> bool:
    return bool(inputs.get("isCaCertificate") or inputs.get("setSubjectKeyId"))


def _ski(public: Any) -> bytes:
    """Return the SHA-1 of the key's own bytes; for Ed25519 the real provider wraps them in an OCTET STRING first."""
    if isinstance(public, ed25519.Ed25519PublicKey):
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return hashlib.sha1(b"\x04\x20" + raw).digest()  # noqa: S324 (what a key identifier is)
    return x509.SubjectKeyIdentifier.from_public_key(public).digest


def _subject_key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None


def _digest(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """Return the digest that Go chooses for a key."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, rsa.RSAPrivateKey):
        return hashes.SHA256()
    if key.curve.name == "secp384r1":
        return hashes.SHA384()
    return hashes.SHA512() if key.curve.name == "secp521r1" else hashes.SHA256()


def _algorithm(key: PrivateKey) -> str:
    kinds = {"RSA": rsa.RSAPrivateKey, "ECDSA": ec.EllipticCurvePrivateKey, "ED25519": ed25519.Ed25519PrivateKey}
    return next(name for name, kind in kinds.items() if isinstance(key, kind))


def _is_p224(key: PrivateKey) -> bool:
    return isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp224r1"


def _private(key: PrivateKey, encoding: serialization.Encoding, kind: serialization.PrivateFormat) -> str:
    return key.private_bytes(encoding, kind, serialization.NoEncryption()).decode()


def _openssh(key: PrivateKey) -> dict[str, str]:
    names = ("publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256")
    if _is_p224(key):  # SSH knows no such keys.
        return dict.fromkeys(names, "")
    line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    blob = base64.b64decode(line.split()[1])
    md5 = hashlib.md5(blob).hexdigest()  # noqa: S324 (a fingerprint of that name)
    sha256 = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    pairs = ":".join(md5[index : index + 2] for index in range(0, len(md5), 2))
    return dict(zip(names, (line.decode() + "\n", pairs, f"SHA256:{sha256}"), strict=True))


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
