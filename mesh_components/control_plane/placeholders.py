"""Charts render plain values only. What is known after apply is rendered as a placeholder and put in afterwards, so
that the first preview shows every object and no secret passes through chart values."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pulumi

CA_BUNDLE = base64.b64encode(b"mesh-components: the root bundle goes here").decode()
"""Stands for base64 of the root bundle. Is base64 itself: the chart puts it where an API server would decode it."""


def splice(value: Any, known_later: Mapping[str, pulumi.Output[str]]) -> Any:
    """A copy of `value` in which every placeholder, also inside of a longer text, is replaced by its output."""
    if isinstance(value, Mapping):
        return {key: splice(item, known_later) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [splice(item, known_later) for item in value]
    if isinstance(value, str):
        return _text(value, known_later)
    return value


def _text(text: str, known_later: Mapping[str, pulumi.Output[str]]) -> str | pulumi.Output[str]:
    if text in known_later:
        return known_later[text]
    inside = {placeholder: output for placeholder, output in known_later.items() if placeholder in text}
    if not inside:
        return text
    return pulumi.Output.all(**inside).apply(lambda known: _replaced(text, known))


def _replaced(text: str, known: Mapping[str, str]) -> str:
    for placeholder, value in known.items():
        text = text.replace(placeholder, value)
    return text
