"""What is wrong with a server's certificate and its key, as an ingress gateway presents them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mesh_components.topology.certificates import certificate, keys, pem
from mesh_components.topology.certificates.bundle import Remark
from mesh_components.topology.certificates.certificate import Certificate


def certificate_remarks(text: str, host: str, now: datetime) -> Iterator[Remark]:
    """Of the text with the certificate, which comes first, and those above it. `host` may be `*`."""
    read = pem.read(text)
    yield from read.remarks
    if any(block.label != "CERTIFICATE" for block in read.blocks):
        what = "holds something else than certificates, and everything in it is handed to whoever connects"
        yield Remark("other-block", what, "leave blocks CERTIFICATE alone in it; a key belongs into `key`")
    first = _first(text)
    if isinstance(first, Remark):
        yield first
    elif first is not None:
        ends = first.parsed.not_valid_after_utc
        if now > ends:
            yield Remark("expired", f"ended at {ends:%Y-%m-%d %H:%M} UTC, and no client goes on after that", "renew it")
        if host != "*" and not _covers(first, host):
            yield Remark(
                "other-host",
                f"is not for {host}, so clients that look at the name refuse it",
                "give the one that has the name among its subject alternative names",
            )


def key_remarks(text: str, certificate_text: str | None) -> Iterator[Remark]:
    """Of the text with the key, and whether it is the certificate's."""
    read = keys.read(text)
    yield from read.remarks
    first = _first(certificate_text) if certificate_text is not None else None
    if isinstance(first, Certificate) and read.public is not None and read.public != first.public:
        yield Remark("wrong-key", "is not the key of the certificate", "bring the two that were made together")


def _first(text: str) -> Certificate | Remark | None:
    block = next((block for block in pem.read(text).blocks if block.label == "CERTIFICATE"), None)
    return certificate.read(block.der) if block else None


def _covers(found: Certificate, host: str) -> bool:
    from cryptography import x509

    extension = found.extension("SubjectAlternativeName")
    names = [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)] if extension else []
    return host.lower() in names or f"*.{host.lower().partition('.')[2]}" in names
