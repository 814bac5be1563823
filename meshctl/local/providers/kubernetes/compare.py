"""What differs between two values of JSON, field by field.

`lacking` is the quick comparison: it may see a difference where the API server sees none (2000m is 2, an empty map is
no map), never the other way round. `differences` is exact, for two objects that the API server has both normalised.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from meshctl.local.model import UNKNOWN

Path = tuple[str | int, ...]
Difference = tuple[Path, Any, Any]
"""Path, old, new; None where the field is absent."""

MERGE_KEYS = ("name", "containerPort", "port", "mountPath", "devicePath", "ip", "uid", "type", "key", "topologyKey")
"""By which the API server tells items of a list of maps apart: the x-kubernetes-list-map-keys of its built-in types."""

_QUANTITY = re.compile(r"(?P<number>\d+(\.\d+)?)(?P<suffix>m|[kMGTPE]|[KMGTPE]i|)")
_SUFFIXES = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{suffix: Fraction(1000**power) for power, suffix in enumerate("kMGTPE", 1)},
    **{f"{suffix}i": Fraction(1024**power) for power, suffix in enumerate("KMGTPE", 1)},
}

_EMPTY: tuple[Any, ...] = (None, {}, [])


def same(old: Any, new: Any) -> bool:
    """Equal as JSON: to Python, True is 1."""
    return bool(old == new) and isinstance(old, bool) == isinstance(new, bool)


def merge_key(*lists: Sequence[Any]) -> str | None:
    """The key by which the items of all these lists can be told apart, if there is one."""
    if not all(isinstance(item, Mapping) for items in lists for item in items):
        return None
    for key in MERGE_KEYS:
        values = [[item.get(key) for item in items] for items in lists]
        if all(all(isinstance(v, str | int) for v in vs) and len(set(vs)) == len(vs) for vs in values):
            return key
    return None


def lacking(desired: Any, live: Any, path: Path = ()) -> Iterator[Difference]:
    """Where `live` is not what `desired` says. What only `live` has is none of our business."""
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        for key, value in desired.items():
            if key not in live:
                if value not in _EMPTY:
                    yield (*path, key), None, value
            else:
                yield from lacking(value, live[key], (*path, key))
    elif isinstance(desired, list) and isinstance(live, list) and len(desired) == len(live):
        for index, (item, other) in enumerate(_paired(desired, live)):
            yield from lacking(item, other, (*path, index))
    elif not same(desired, live) and not _same_quantity(desired, live, path):
        yield path, live, desired


def _same_quantity(desired: Any, live: Any, path: Path) -> bool:
    """2000m is 2, where quantities are what is written: seen here, it saves a dry run at every plan."""
    if len(path) < 2 or path[-2] not in ("requests", "limits"):
        return False
    amounts = _amount(desired), _amount(live)
    return None not in amounts and amounts[0] == amounts[1]


def _amount(value: Any) -> Fraction | None:
    match = _QUANTITY.fullmatch(str(value))
    return Fraction(match["number"]) * _SUFFIXES[match["suffix"]] if match else None


def _paired(desired: list[Any], live: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Items side by side; by their key where the API server has put them into another order."""
    key = merge_key(desired, live) if desired and isinstance(desired[0], Mapping) else None
    if key is not None and [i[key] for i in desired] != [i[key] for i in live]:
        by_key = {item[key]: item for item in live}
        if all(item[key] in by_key for item in desired):
            return ((item, by_key[item[key]]) for item in desired)
    return zip(desired, live, strict=True)


def left(recorded: Any, desired: Any, live: Any, path: Path = ()) -> Iterator[Difference]:
    """The fields that were asked for before, are not any more, and are still there."""
    if not (isinstance(recorded, Mapping) and isinstance(live, Mapping) and isinstance(desired, Mapping)):
        return
    for key, value in recorded.items():
        if key not in live:
            continue
        if key not in desired:
            yield (*path, key), live[key], None
        elif isinstance(value, list) and isinstance(desired[key], list) and isinstance(live[key], list):
            for index, items in enumerate(zip(value, desired[key], live[key], strict=False)):
                yield from left(*items, (*path, key, index))
        else:
            yield from left(value, desired[key], live[key], (*path, key))


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Difference]:
    """All of them, in an order in which they can be carried out one after the other, to make `new` of `old`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in (*old, *(key for key in new if key not in old)):
            if key not in new:
                yield (*path, key), old[key], None
            elif key not in old:
                yield (*path, key), None, new[key]
            else:
                yield from differences(old[key], new[key], (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_differences(old, new, path)
    elif not same(old, new):
        yield path, old, new


def _list_differences(old: list[Any], new: list[Any], path: Path) -> Iterator[Difference]:
    if len(old) == len(new):
        for index, items in enumerate(zip(old, new, strict=True)):
            yield from differences(*items, (*path, index))
        return
    keys = _keys(old, new)
    if keys is None:
        yield path, old, new
        return
    olds, news = keys
    for index in reversed(range(len(old))):  # from the end, so that the indices before stay what they are
        if olds[index] not in news:
            yield (*path, index), old[index], None
    by_key = dict(zip(olds, old, strict=True))
    for index, (key, item) in enumerate(zip(news, new, strict=True)):
        if key in by_key:
            yield from differences(by_key[key], item, (*path, index))
        else:
            yield (*path, index), None, item


def _keys(old: list[Any], new: list[Any]) -> tuple[list[Any], list[Any]] | None:
    """What the items are called, if they can be told apart and those that stay keep their order."""
    if (key := merge_key(old, new)) is None:
        return None
    olds, news = [item[key] for item in old], [item[key] for item in new]
    stay = [name for name in olds if name in news]
    return (olds, news) if stay == [name for name in news if name in olds] else None


def known(desired: Any, live: Any, path: Path = ()) -> tuple[Any, list[Difference]]:
    """`desired` with what is live where it is UNKNOWN, and the places where it is: they count as changes."""
    unknown: list[Difference] = []

    def walk(value: Any, there: Any, path: Path) -> Any:
        if value is UNKNOWN:
            unknown.append((path, there, UNKNOWN))
            return there
        if isinstance(value, dict):
            other = there if isinstance(there, dict) else {}
            items = {key: walk(item, other.get(key), (*path, key)) for key, item in value.items()}
            return {key: item for key, item in items.items() if item is not None}
        if isinstance(value, list):
            row = there if isinstance(there, list) else []
            found = [walk(item, row[i] if i < len(row) else None, (*path, i)) for i, item in enumerate(value)]
            return [item for item in found if item is not None]
        return value

    return walk(desired, live, path), unknown
