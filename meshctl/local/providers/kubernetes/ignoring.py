"""`ignore_changes` on a live object, where others may own what is ignored.

Sending the old value, as for other providers, would fight with whoever owns the field now (an autoscaler and
`spec.replicas`); leaving the field out would take it away if nobody else owns it. So: what another manager has set is
left out, anything else is sent as it is. Pulumi does the same, for paths without indices
(pulumi-kubernetes, `handleSSAIgnoreFields`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .compare import Path
from .objects import Desired
from .paths import parse


def keep_ignored(desired: Desired, live: Mapping[str, Any], ignored: Iterable[str]) -> None:
    """Take the ignored fields of `desired` from `live`, or out."""
    for text in ignored:
        for path in _expand(parse(text), desired.body, live):
            _keep(desired.body, live, path, others=_owned_by_others(live, desired.manager, path))


def _expand(pattern: Path, *values: Any) -> Iterator[Path]:
    """The pattern for every item that `*` stands for, in any of the values."""
    if "*" not in pattern:
        yield pattern
        return
    at = pattern.index("*")
    keys: dict[str | int, None] = {}
    for value in values:
        inner = _walk(value, pattern[:at])
        keys |= dict.fromkeys(range(len(inner)) if isinstance(inner, list) else inner or ())
    for key in keys:
        yield from _expand((*pattern[:at], key, *pattern[at + 1 :]), *values)


def _walk(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, list):
            value = dict(enumerate(value))
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _keep(body: Any, live: Any, path: Path, *, others: bool) -> None:
    *parents, last = path
    there = _walk(live, path)
    inner = _walk(body, tuple(parents))
    if isinstance(inner, dict):
        if there is None or others:
            inner.pop(last, None)
        else:
            inner[last] = there
    elif isinstance(inner, list) and isinstance(last, int) and last < len(inner) and there is not None:
        inner[last] = there


def _owned_by_others(live: Mapping[str, Any], manager: str, path: Path) -> bool:
    if any(isinstance(part, int) for part in path):
        return False  # managedFields names items by their keys: the live value is sent instead
    for entry in live.get("metadata", {}).get("managedFields") or ():
        if (
            entry.get("manager") != manager
            and _walk(entry.get("fieldsV1"), tuple(f"f:{part}" for part in path)) is not None
        ):
            return True
    return False
