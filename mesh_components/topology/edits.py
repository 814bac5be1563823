"""Changes of a document as a person would make them: in place, in the usual order, nothing said twice.

Every function leaves its argument as it is and returns another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REMOVED = None
"""As a value: the key goes."""


def plain(value: Any) -> Any:
    """A copy of plain data that shares nothing with it, so that it can be written without YAML's anchors."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def with_key(mapping: Mapping[str, Any], key: str, value: Any, before: tuple[str, ...]) -> dict[str, Any]:
    """The mapping with the key where it was, else behind the last of those that come before it."""
    if value is REMOVED:
        return {k: v for k, v in mapping.items() if k != key}
    if key in mapping:
        return {**mapping, key: value}
    keys = list(mapping)
    last = max((keys.index(k) for k in before if k in mapping), default=-1)
    items = list(mapping.items())
    return dict([*items[: last + 1], (key, value), *items[last + 1 :]])
