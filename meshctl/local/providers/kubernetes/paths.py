"""Paths to fields in their three spellings: ours and Pulumi's, the API server's, and steps into the object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .compare import Path

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TOKEN = re.compile(r'\.?([A-Za-z_$][\w$-]*)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]')
_SELECTOR = re.compile(r"\[([^\]]*)\]")


def render(path: Path) -> str:
    """As a reader knows it from Pulumi: `spec.ports[1].port`, `metadata.labels["a/b"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part)}]"
    return text


def parse(text: str) -> Path:
    """The path that Pulumi's `ignore_changes` spells; `*` is kept as the key "*"."""
    path: list[str | int] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is not a property path (at character {at + 1})")
        key, index, quoted = match.groups()
        if quoted is not None:
            path.append(json.loads(f'"{quoted}"'))
        else:
            path.append(key if key is not None else int(index) if index != "*" else "*")
        at = match.end()
    return tuple(path)


def resolve(field: str, value: Any) -> Path:
    """Steps into `value` along a path of the API server, as far as it can be followed.

    `.metadata.labels.a.b/c` does not say where a key ends, `.spec.ports[port=80,protocol="TCP"]` names an item by its
    keys: only the object tells.
    """
    path: list[str | int] = []
    while field:
        step: str | int | None
        if field.startswith("["):
            match = _SELECTOR.match(field)
            step = _selected(match.group(1), value) if match else None
            field = field[match.end() :] if match else ""
        else:
            field = field.removeprefix(".")
            step = _key(field, value)
            field = field[len(step) :] if isinstance(step, str) else ""
        if step is None:
            break
        path.append(step)
        value = value[step]
    return tuple(path)


def _key(field: str, value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    fitting = (key for key in value if field.startswith(key) and field[len(key) : len(key) + 1] in ("", ".", "["))
    return max(fitting, key=len, default=None)


def _selected(selector: str, value: Any) -> int | None:
    if not isinstance(value, list):
        return None
    if selector.isdigit():
        return int(selector) if int(selector) < len(value) else None
    wanted = dict(_pairs(selector))
    for index, item in enumerate(value):
        if item == wanted.get("") if "" in wanted else _fits(item, wanted):
            return index
    return None


def _pairs(selector: str) -> Iterator[tuple[str, Any]]:
    for key, raw in re.findall(r'(\w*)=("(?:[^"\\]|\\.)*"|[^,]*)', selector):
        try:
            yield key, json.loads(raw)
        except ValueError:
            yield key, raw


def _fits(item: Any, wanted: Mapping[str, Any]) -> bool:
    # A key with a default (a port's protocol) is named although the item may not have it yet.
    return isinstance(item, Mapping) and all(item.get(key, value) == value for key, value in wanted.items())


def put(value: Any, path: Path, new: Any) -> None:
    """Set what is there, in place; what cannot be reached becomes `new` as far up as needed."""
    for index, part in enumerate(path):
        last = index == len(path) - 1
        if isinstance(value, list) and isinstance(part, int):
            if part >= len(value):
                value.append(new)
                return
        elif isinstance(value, dict):
            last = last or not isinstance(value.get(part), dict | list)
        if last:
            value[part] = new
            return
        value = value[part]
