"""A private key, as istiod takes it (`ParsePemEncodedKey`, `tls.X509KeyPair`). No message quotes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mesh_components.settings import Severity
from mesh_components.topology.certificates import pem
from mesh_components.topology.certificates.bundle import Remark

_CONVERT = "convert it: `openssl pkey -in FILE -out FILE.pem`"
_DECRYPT = "decrypt it: `openssl pkey -in FILE -out FILE.pem` asks for the passphrase; the result is a secret"
_UNREADABLE = Remark(
    "unreadable-key", "holds a key that cannot be read: damaged, or not what its BEGIN line says", _CONVERT
)
_RSASSA_PSS = bytes.fromhex("06092a864886f70d01010a")
"""Its object identifier in DER."""


@dataclass(frozen=True)
class Read:
    """A key's public half, to be compared with a certificate's; or what is wrong."""

    public: bytes | None = None
    remarks: tuple[Remark, ...] = ()


def read(text: str) -> Read:
    """Read the text of a key."""
    found = pem.read(text)
    if not found.blocks:
        return Read(remarks=found.remarks)
    secret = [block for block in found.blocks if block.secret]
    remarks = [*found.remarks, *_labels(found.blocks, secret)]
    if any(remark.severity is Severity.ERROR for remark in remarks):
        return Read(remarks=tuple(remarks))
    public, wrong = _public(secret[0])
    return Read(public, (*remarks, *([wrong] if wrong else [])))


def _labels(blocks: tuple[pem.Block, ...], secret: list[pem.Block]) -> Iterator[Remark]:
    first = blocks[0].label
    if not secret:
        what = "a certificate" if first == "CERTIFICATE" else "a public key" if "PUBLIC" in first else "no private key"
        yield Remark("no-key", f"holds {what} where the private key belongs", "give the key of the certificate")
        return
    if len(secret) > 1:
        yield Remark(
            "several-keys", "holds more than one private key, and istiod takes the first", "leave the one that belongs"
        )
    encrypted = first == "ENCRYPTED PRIVATE KEY" or "ENCRYPTED" in secret[0].headers
    if encrypted:
        yield Remark("encrypted-key", "holds an encrypted key, and istiod has no passphrase", _DECRYPT)
    elif first == "EC PARAMETERS":
        yield Remark(
            "ec-parameters",
            "begins with a block EC PARAMETERS, and istiod reads the first block only",
            _CONVERT,
        )
    elif first == "OPENSSH PRIVATE KEY":
        yield Remark(
            "openssh-key",
            "holds a key in the form of OpenSSH, which istiod does not read",
            "convert it: `ssh-keygen -p -N '' -m PKCS8 -f FILE`",
        )
    elif first == "DSA PRIVATE KEY":
        yield Remark(
            "dsa-key", "holds a DSA key, which no TLS takes any more", "use RSA of 2048 bits or more, or P-256"
        )
    elif first not in pem.KEY_LABELS:
        yield Remark(
            "key-label",
            "does not begin with a private key, and istiod reads the first block only",
            "leave the private key alone in it",
        )


def _public(block: pem.Block) -> tuple[bytes | None, Remark | None]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    if block.label != _label(block.der):
        return None, _UNREADABLE
    if block.label == "PRIVATE KEY" and _RSASSA_PSS in block.der[:40]:
        return None, Remark("pss-key", "holds a key that is for RSASSA-PSS only, which Go does not read", _CONVERT)
    try:
        key = serialization.load_der_private_key(block.der, None)
    except UnsupportedAlgorithm:
        return None, Remark("key-algorithm", "holds a key of a kind that istiod does not know", _BETTER)
    except (ValueError, TypeError):
        return None, _UNREADABLE
    return public_bytes(key.public_key()), None  # whether its kind is good is said of the certificate


def _label(der: bytes) -> str:
    """What a key's structure says it is: PKCS#8 goes on with a sequence, PKCS#1 with a number, SEC1 with a string."""
    body = der[2 + (der[1] & 0x7F if len(der) > 1 and der[1] & 0x80 else 0) :]
    labels = {0x30: "PRIVATE KEY", 0x02: "RSA PRIVATE KEY", 0x04: "EC PRIVATE KEY"}
    return labels.get(body[3], "") if body[:2] == b"\x02\x01" and len(body) > 3 else ""


def public_bytes(public: Any) -> bytes:
    """A public key, to be compared."""
    from cryptography.hazmat.primitives import serialization

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    encoded: bytes = public.public_bytes(serialization.Encoding.DER, form)
    return encoded


_BETTER = "use RSA of 2048 bits or more, P-256 or P-384"
_SHORTEST_RSA = 2048
_LONGEST_RSA = 8192


def algorithm(public: Any) -> Iterator[Remark]:
    """What is wrong with the kind of a certificate's public key."""
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    if isinstance(public, rsa.RSAPublicKey):
        bits = public.key_size
        if bits < _SHORTEST_RSA:
            yield Remark(
                "short-rsa", f"has an RSA key of {bits} bits, which Go and ztunnel refuse as too weak", _BETTER
            )
        if bits > _LONGEST_RSA:
            yield Remark("long-rsa", f"has an RSA key of {bits} bits, and Go's TLS refuses more than 8192", _BETTER)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        yield from _curve(public.curve.name)
    elif isinstance(public, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        name = "Ed25519" if isinstance(public, ed25519.Ed25519PublicKey) else "Ed448"
        yield Remark("edwards", f"has an {name} key, and istiod and Envoy sign and verify with RSA and ECDSA", _BETTER)
    else:
        name = "a DSA key" if isinstance(public, dsa.DSAPublicKey) else "a key of an unknown kind"
        yield Remark("dsa-key", f"has {name}, which no TLS takes any more", _BETTER)


def _curve(name: str) -> Iterator[Remark]:
    if name == "secp521r1":
        yield Remark(
            "p521",
            "has a key on P-521: istiod and Envoy verify it, ztunnel does not with every library it is built with",
            "use P-384 where ambient is planned",
            Severity.WARNING,
        )
    elif name not in ("secp256r1", "secp384r1"):
        yield Remark("curve", f"has a key on the curve {name}, which TLS does not offer", _BETTER)
