"""A client's certificate and its key, as Go's TLS takes them (`tls.X509KeyPair`): the first certificate is his."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mesh_components.topology.certificates import certificate, keys, pem
from mesh_components.topology.certificates.bundle import Remark
from mesh_components.topology.certificates.certificate import Certificate

_CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
_ANY = "2.5.29.37.0"
_ANOTHER = "ask for another one, and bring it"


def certificate_remarks(text: str, now: datetime) -> Iterator[Remark]:
    """What keeps a certificate from saying to a server who its holder is. What signs it, the server alone knows."""
    found = first(text)
    if isinstance(found, Remark):
        yield found
        return
    begins, ends = found.parsed.not_valid_before_utc, found.parsed.not_valid_after_utc
    if now > ends:
        yield Remark("expired", f"ended on {ends:%Y-%m-%d}", _ANOTHER)
    elif now < begins:
        yield Remark("not-yet-valid", f"begins on {begins:%Y-%m-%d}", "wait until then, or look at the signer's clock")
    usage = found.extension("ExtendedKeyUsage")
    if usage is not None and not {use.dotted_string for use in usage.value} & {_CLIENT_AUTH, _ANY}:
        yield Remark(
            "no-client-auth", "is not for clients: its extended key usage has no client authentication", _ANOTHER
        )


def key_remarks(text: str, key: str) -> Iterator[Remark]:
    """What is wrong with the key of the certificate in `text`."""
    read = keys.read(key)
    if read.public is None:
        yield from read.remarks
        return
    found = first(text)
    if isinstance(found, Certificate) and read.public != found.public:
        yield Remark("wrong-key", "is not the key of the certificate", "bring the two that were made together")


def first(text: str) -> Certificate | Remark:
    """The client's own certificate."""
    blocks = [block for block in pem.read(text).blocks if block.label == "CERTIFICATE"]
    if not blocks:
        return Remark("no-certificate", "has no block CERTIFICATE", "bring the certificate as PEM")
    return certificate.read(blocks[0].der)
