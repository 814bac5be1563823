"""PEM as Go's encoding/pem reads it, which is what istiod has: it skips what it does not understand, and says nothing.

So each thing that would be skipped is said here.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mesh_components.settings import Severity
from mesh_components.topology.certificates.bundle import Remark

_BEGIN = "-----BEGIN "
BLOCK = re.compile(r"^-----BEGIN ([^\n]*?)-----[ \t]*\n(.*?)^-----END ([^\n]*?)-----[ \t]*$", re.DOTALL | re.MULTILINE)
_BARE = re.compile(r"\s*MII[A-Za-z0-9+/=\s]{60,}")
_HEADER = re.compile(r"^[A-Za-z0-9-]+:", re.MULTILINE)

KEY_LABELS = ("EC PRIVATE KEY", "RSA PRIVATE KEY", "PRIVATE KEY")
"""What istiod takes for a key (`ParsePemEncodedKey`)."""


@dataclass(frozen=True)
class Block:
    """One PEM block."""

    label: str
    der: bytes = field(repr=False)
    headers: str = field(default="", repr=False)
    """What stands before the base64, as in keys that OpenSSL encrypted."""

    @property
    def secret(self) -> bool:
        """Whether it is a private key."""
        return self.label.endswith("PRIVATE KEY")


@dataclass(frozen=True)
class Text:
    """A text with its blocks, and what is wrong with its form."""

    blocks: tuple[Block, ...] = ()
    remarks: tuple[Remark, ...] = ()


def decode(contents: bytes) -> str:
    """The contents of a file, to be looked at even where they are no text."""
    return contents.decode("utf-8", "replace")


def read(text: str) -> Text:
    """Take a text apart."""
    unreadable = _unreadable(text)
    if unreadable is not None:
        return Text(remarks=(unreadable,))
    plain = text.replace("\r\n", "\n")
    found = [(match, _block(match)) for match in BLOCK.finditer(plain)]
    blocks = tuple(block for _, block in found if isinstance(block, Block))
    broken = [block for _, block in found if isinstance(block, Remark)]
    return Text(blocks, (*broken, *_around(text, plain, [match for match, _ in found], blocks)))


def _unreadable(text: str) -> Remark | None:
    """What makes a text no PEM at all."""
    if not text.strip():
        return Remark("empty", "is empty", "put the PEM there, with its BEGIN and END lines")
    if "\ufffd" in text or "\0" in text:
        return Remark(
            "der",
            "is binary, such as DER, PKCS#12 or UTF-16, and istiod reads PEM only",
            "convert it: `openssl x509 -inform DER -in FILE -out FILE.pem` for a certificate, `openssl pkey "
            "-inform DER` for a key, `openssl pkcs12 -nodes` for a PKCS#12 store",
        )
    if text.startswith("\ufeff"):
        return Remark(
            "bom",
            "begins with a byte order mark, so its first line is no BEGIN line and istiod does not see the block",
            "save it as UTF-8 without BOM: `sed -i '1s/^\\xEF\\xBB\\xBF//' FILE`",
        )
    if _BEGIN in text and "\\n" in text and "\n" not in text.strip():
        return Remark(
            "escaped-newlines",
            "has the two characters \\n where line ends should be",
            'give the text with real line ends: `pulumi config set --secret NAME < FILE`, or `NAME="$(cat FILE)"`',
        )
    if _BEGIN not in text and _BARE.match(text):
        return Remark(
            "no-armour",
            "is base64 without its BEGIN and END lines",
            "give the whole PEM; where it came out of a Secret's data, decode it once: `base64 -d`",
        )
    return None


def _block(match: re.Match[str]) -> Block | Remark:
    label, body, end = match.groups()
    headers, blank, rest = body.partition("\n\n") if _HEADER.match(body) else ("", "", body)
    if _HEADER.match(body) and not blank:
        headers, rest = body, ""
    if label != end:
        return Remark(
            "end-label",
            f"has a block that begins as {_named(label)} and ends as {_named(end)}",
            "copy the block again, both lines",
        )
    try:
        return Block(label, base64.b64decode("".join(rest.split()), validate=True), headers)
    except (binascii.Error, ValueError):
        return Remark(
            "base64",
            "has a block whose contents are no base64: cut off, or changed on the way",
            "copy the file again, as it is",
        )


def _around(text: str, plain: str, matches: list[re.Match[str]], blocks: tuple[Block, ...]) -> Iterator[Remark]:
    """What is outside of the blocks, and at their edges."""
    if "\r\n" in text:
        yield Remark(
            "crlf",
            "has line ends of Windows (CRLF): istiod compares bundles of roots as text, so the same root would be "
            "another one",
            "convert it: `sed -i 's/\\r$//' FILE`",
        )
    inside = sum(match.group().count(_BEGIN) for match in matches)
    glued = inside - len(matches) + len(re.findall(r"-----END [^\n]*-----[ \t]*-----BEGIN ", plain))
    outside = "".join(_gaps(plain, matches))
    if glued:
        yield Remark(
            "glued",
            "has a BEGIN line that does not start on a line of its own, so istiod loses the block",
            "end each PEM with a newline before the next one is put behind it",
        )
    elif _BEGIN in outside:
        yield _unfinished(outside)
    elif not matches:
        yield Remark("no-pem", "has no PEM block", "put the PEM there, with its BEGIN and END lines")
    else:
        yield from _words(plain, matches, blocks)


def _unfinished(outside: str) -> Remark:
    if re.search(r"^[ \t]+-----BEGIN ", outside, re.MULTILINE):
        return Remark(
            "indented",
            "is indented: a BEGIN line counts at the beginning of a line only",
            "remove the spaces before its lines",
        )
    return Remark(
        "unterminated",
        "has a BEGIN line without its END line: it is cut off",
        "copy the whole file, up to the last END line",
    )


def _words(plain: str, matches: list[re.Match[str]], blocks: tuple[Block, ...]) -> Iterator[Remark]:
    if plain[matches[-1].end() :].strip():
        yield Remark(
            "trailing-text",
            "has text behind its last block, which a strict reader refuses with everything before it",
            "keep the blocks only: `openssl x509 -in FILE` prints the first certificate alone",
        )
    elif any(gap.strip() for gap in _gaps(plain, matches)):
        yield Remark(
            "text-around",
            "has text between or before its blocks; istiod skips it, and compares bundles of roots with it",
            "keep the blocks only",
            Severity.WARNING,
        )
    if any(block.label == "CERTIFICATE" and block.headers for block in blocks):
        yield Remark(
            "headers",
            "has a certificate with header lines inside of its block, which Go skips",
            "remove the lines between BEGIN and the base64",
        )


def _gaps(plain: str, matches: list[re.Match[str]]) -> Iterator[str]:
    position = 0
    for match in matches:
        yield plain[position : match.start()]
        position = match.end()
    yield plain[position:]


def _named(label: str) -> str:
    """A block's label as it may be printed."""
    longest = 30
    return label if len(label) <= longest and label.isprintable() else "something else"
