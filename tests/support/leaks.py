"""Keys and tokens in clear, known by what they look like: a list of those that were made could miss one."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

_END = b"PRIVATE KEY-----"
_BEGINNINGS = (b"-----BEGIN PRIVATE KEY-----", b"-----BEGIN EC PRIVATE KEY-----", b"-----BEGIN RSA PRIVATE KEY-----")
_JWT = re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}")


def _encoded(text: bytes) -> Iterator[str]:
    """What of a text its base64 shows wherever the text begins: bits that its neighbours share are left out."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + text + bytes(3)).decode()
        yield whole[-(-8 * before // 6) : 8 * (before + len(text)) // 6]


KEYS = (
    _END.decode(),
    *_encoded(_END),
    # As a Secret has a kubeconfig with a client's key.
    *(mark for text in _BEGINNINGS for mark in _encoded(base64.b64encode(text[: len(text) // 3 * 3]))),
)
TOKENS = tuple(_encoded(b"token: eyJ"))
"""A token in a kubeconfig in a Secret."""


def leaks(text: str) -> list[str]:
    """What of a text looks like a key or a token; a few characters of each, since a failing test prints them."""
    marks = [f"{mark[:10]}..." for mark in (*KEYS, *TOKENS) if mark in text]
    return marks + [f"{match.group()[:10]}..." for match in _JWT.finditer(text)]
