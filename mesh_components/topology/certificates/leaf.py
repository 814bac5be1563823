"""Certificates of those who are no authority, and their keys: a server's, as ingress gateways present it, a client's.

As Go and Envoy take them: the first certificate of a text is the holder's. What signs it, the other side alone knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mesh_components.topology.certificates import certificate, keys, pem
from mesh_components.topology.certificates.bundle import Remark
from mesh_components.topology.certificates.certificate import Certificate

_CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
_ANY = "2.5.29.37.0"
_ANOTHER = "ask for another one, and bring it"


def server_remarks(text: str, host: str, now: datetime) -> Iterator[Remark]:
    """Of the text with a server's certificate and those above it. `host` may be `*`."""
    read = pem.read(text)
    yield from read.remarks
    if any(block.label != "CERTIFICATE" for block in read.blocks):
        what = "holds something else than certificates, and everything in it is handed to whoever connects"
        yield Remark("other-block", what, "leave blocks CERTIFICATE alone in it; a key belongs into `key`")
    found = first(text)
    if isinstance(found, Certificate):
        yield from _dates(found, now)
        if host != "*" and not _covers(found, host):
            yield Remark(
                "other-host",
                f"is not for {host}, so clients that look at the name refuse it",
                "give the one that has the name among its subject alternative names",
            )
    elif read.blocks:
        yield found


def client_remarks(text: str, now: datetime) -> Iterator[Remark]:
    """Of the text with a client's certificate."""
    found = first(text)
    if isinstance(found, Remark):
        yield found
        return
    yield from _dates(found, now)
    usage = found.extension("ExtendedKeyUsage")
    if usage is not None and not {use.dotted_string for use in usage.value} & {_CLIENT_AUTH, _ANY}:
        what = "is not for clients: its extended key usage has no client authentication"
        yield Remark("no-client-auth", what, _ANOTHER)


def key_remarks(key: str, text: str | None) -> Iterator[Remark]:
    """Of the text with a key, and whether it is that of the certificate in `text`."""
    read = keys.read(key)
    yield from read.remarks
    found = first(text) if text is not None else None
    if isinstance(found, Certificate) and read.public is not None and read.public != found.public:
        yield Remark("wrong-key", "is not the key of the certificate", "bring the two that were made together")


def first(text: str) -> Certificate | Remark:
    """The holder's own certificate."""
    block = next((block for block in pem.read(text).blocks if block.label == "CERTIFICATE"), None)
    if block is None:
        return Remark("no-certificate", "has no block CERTIFICATE", "bring the certificate as PEM")
    return certificate.read(block.der)


def _dates(found: Certificate, now: datetime) -> Iterator[Remark]:
    begins, ends = found.parsed.not_valid_before_utc, found.parsed.not_valid_after_utc
    if now > ends:
        yield Remark("expired", f"ended at {ends:%Y-%m-%d %H:%M} UTC", _ANOTHER)
    elif now < begins:
        what = f"begins at {begins:%Y-%m-%d %H:%M} UTC"
        yield Remark("not-yet-valid", what, "wait until then, or look at the signer's clock")


def _covers(found: Certificate, host: str) -> bool:
    from cryptography import x509

    extension = found.extension("SubjectAlternativeName")
    names = [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)] if extension else []
    return host.lower() in names or f"*.{host.lower().partition('.')[2]}" in names
