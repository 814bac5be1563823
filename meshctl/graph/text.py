"""How wide text is, without a font at hand: the widths of DejaVu Sans, wider than most, so text fits in others too."""

from __future__ import annotations

_WIDTHS = {
    6: "'IJijl",
    7: " ,./:;|·",
    8: "!()-[]ft",
    9: "r",
    10: '"*_`',
    11: "?csz",
    12: "FLkvxy",
    13: "$0123456789EPSTYabdeghnopqu{}",
    14: "ABCKRVXZ",
    15: "NU",
    16: "&DGHOQ",
    17: "#+<=>^w~→",
    18: "M",
    19: "%",
    20: "@Wm…",
}
"""Characters by width, in twentieths of the font's size."""
_OF = {character: width for width, characters in _WIDTHS.items() for character in characters}
_UNKNOWN = 20
_BOLD = 112


def width(text: str, size: int, *, bold: bool = False) -> int:
    """Pixels that the text takes at most."""
    twentieths = sum(_OF.get(character, _UNKNOWN) for character in text) * size
    return -(-twentieths * (_BOLD if bold else 100) // 2000)


def fitted(text: str, size: int, room: int, *, bold: bool = False) -> str:
    """The text, or as much of its beginning and of its end as there is room for."""
    if width(text, size, bold=bold) <= room:
        return text
    for kept in range(len(text) - 1, 1, -1):
        short = f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"
        if width(short, size, bold=bold) <= room:
            return short
    return "…"
