"""PEMs as text: put together, and looked at."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

import pulumi

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def chain(certificates: Sequence[pulumi.Output[str]]) -> pulumi.Output[str]:
    """Several PEMs as one text, each on lines of its own."""
    return pulumi.Output.all(*certificates).apply(lambda pems: "".join(f"{pem.rstrip()}\n" for pem in pems))


def certificates(text: str) -> tuple[str, ...]:
    """The certificates of a text one by one, each ending in a newline; what is between them is left out."""
    return tuple(f"{pem}\n" for pem in _CERTIFICATE.findall(text))


def fingerprint(pem: str) -> str:
    """SHA-256 of one certificate's DER, hexadecimal."""
    body = "".join(line for line in pem.splitlines() if line and not line.startswith("-"))
    return hashlib.sha256(base64.b64decode(body)).hexdigest()
