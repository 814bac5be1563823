"""Facts of texts that were found good: their certificates one by one, and when they end."""

from __future__ import annotations

from mesh_components.topology.certificates import certificate, path, pem
from mesh_components.topology.certificates.bundle import Part, Remark, Signer
from mesh_components.topology.certificates.certificate import Certificate
from mesh_components.topology.certificates.path import Held


def lined(text: str) -> str:
    """The text with one newline at its end: settings of a stack lose theirs."""
    return f"{text.rstrip()}\n"


def split(text: str) -> tuple[str, ...]:
    """The blocks of a text, each with a newline at its end."""
    return tuple(f"{match.group()}\n" for match in pem.BLOCK.finditer(text.replace("\r\n", "\n")))


def begins(text: str) -> str:
    """When the first certificate begins, RFC 3339."""
    return f"{_first(text).parsed.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}"


def ends(text: str) -> str:
    """When the first certificate ends, RFC 3339."""
    return f"{_first(text).parsed.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"


def above(signer: Signer) -> tuple[str, ...]:
    """The certificates from a signer's own up to its root, in the order of the chain."""
    texts = [lined(signer.certificate or ""), *split(signer.chain or "")]
    first, *others = (Held(_first(text), Part.CERT_CHAIN, text) for text in texts)
    roots = [held for held in (first, *others) if held.certificate.self_signed]
    return tuple(held.which for held in path.find(first, others, roots).steps)


def _first(text: str) -> Certificate:
    read = certificate.read(pem.read(text).blocks[0].der)
    if isinstance(read, Remark):
        raise TypeError(f"the certificate {read.what}")
    return read
