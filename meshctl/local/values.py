"""Plain values: what differs between two of them, what is hidden in one, where a path leads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from meshctl.local.model import UNKNOWN, FieldChange

SECRET = "[secret]"  # noqa: S105 (what stands in for one)


def has_unknown(value: Any) -> bool:
    """Tell whether anything in `value` is not known yet."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN


def differences(old: Any, new: Any, path: str = "") -> Iterator[FieldChange]:
    """Every leaf that differs; an unknown leaf counts as different, as nobody can tell yet."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from differences(old.get(key), new.get(key), _join(path, str(key)))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from differences(before, after, f"{path}[{index}]")
    elif old != new or new is UNKNOWN:
        yield FieldChange(path, old, new)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in `value` that holds no others, with its path."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, _join(path, str(key)))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    elif value is not None and path:
        yield path, value


def _join(path: str, key: str) -> str:
    if re.fullmatch(r"[\w-]+", key) is None:
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def split_path(path: str) -> list[str | int]:
    """Take a property path apart: `spec.ports[0]["a.b"]` is spec, ports, 0, a.b."""
    parts: list[str | int] = []
    for name, index, quoted in re.findall(r'([^.\[\]"]+)|\[(\d+|\*)\]|\["([^"]*)"\]', path):
        parts.append(int(index) if index.isdigit() else index or quoted or name)
    return parts


def keep_old(new: Any, old: Any, path: list[str | int]) -> Any:
    """Return `new` with what lies at `path` taken from `old`: what Pulumi's ignore_changes means."""
    head, rest = path[0], path[1:]
    if isinstance(new, Mapping):
        return _keep_in_mapping(new, old if isinstance(old, Mapping) else {}, head, rest)
    if isinstance(new, list) and isinstance(old, list):
        return [
            keep_old({0: item}, {0: before}, [0, *rest])[0] if head in ("*", index) else item
            for index, (item, before) in enumerate(zip(new, old, strict=False))
        ] + new[len(old) :]
    return new


def _keep_in_mapping(new: Mapping[Any, Any], old: Mapping[Any, Any], head: Any, rest: list[str | int]) -> Any:
    result = dict(new)
    for key in {*new, *old} if head == "*" else {head}:
        if rest and key in new and key in old:
            result[key] = keep_old(new[key], old[key], rest)
        elif not rest and key in old:
            result[key] = old[key]
        elif not rest:
            result.pop(key, None)
    return result


def strings(value: Any) -> Iterator[str]:
    """Every string in `value`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from strings(item)


def scrub(text: str, secrets: Iterator[str]) -> str:
    """Take every secret of some length out of a message; last line of defence, as messages should hold none."""
    for secret in sorted({s for s in secrets if len(s) >= 6}, key=len, reverse=True):
        text = text.replace(secret, SECRET)
    return text
