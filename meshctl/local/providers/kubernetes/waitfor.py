"""What the program says about waiting: Pulumi's annotations and resource options.

https://www.pulumi.com/registry/packages/kubernetes/#pulumi-kubernetes-annotations
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from meshctl.local.model import StepError

SKIP = "pulumi.com/skipAwait"
WAIT = "pulumi.com/waitFor"
TIMEOUT = "pulumi.com/timeoutSeconds"
DEFAULT_SECONDS = 600.0

_STEP = re.compile(
    r"""\.(?P<name>(?:[\w-]|\\.)+)            # .data  .metadata.labels.a\.b
      | \[(?P<index>\d+)\]                    # [0]
      | \[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]
      | (?P<all>\[\*\]|\.\*)
      | \[\?\s*\(?@\.(?P<field>[\w.-]+)\s*==\s*(?P<q>['"])(?P<value>.*?)(?P=q)\)?\]""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class JsonPath:
    """`jsonpath={.a.b}` (something is there) or `jsonpath={.a.b}=v`."""

    text: str
    steps: tuple[tuple[str, Any], ...]
    value: str | None

    def met(self, live: Mapping[str, Any]) -> bool:
        """Whether the object is so."""
        found = list(_follow(live, self.steps))
        return any(_text(item) == self.value for item in found) if self.value is not None else bool(found)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Condition:
    """`condition=Type` or `condition=Type=Status`."""

    type: str
    status: str

    def met(self, live: Mapping[str, Any]) -> bool:
        """Whether the object is so."""
        return any(
            item.get("type", "").lower() == self.type.lower() and item.get("status", "").lower() == self.status.lower()
            for item in live.get("status", {}).get("conditions") or ()
        )

    def __str__(self) -> str:
        return f"condition {self.type} to be {self.status}"


@dataclass(frozen=True)
class Rules:
    """How one object is waited for."""

    skip: bool
    conditions: tuple[JsonPath | Condition, ...]
    """Instead of what its kind is usually waited for."""
    annotated: float | None
    timeouts: Mapping[str, float]

    def seconds(self, operation: str) -> float:
        """The resource option beats the annotation."""
        given = self.timeouts.get(operation)
        return given if given is not None else self.annotated if self.annotated is not None else DEFAULT_SECONDS


def rules(body: Mapping[str, Any], timeouts: Mapping[str, float]) -> Rules:
    """Read the annotations. Raises StepError for one that says nothing we know."""
    annotations = body.get("metadata", {}).get("annotations")
    if not isinstance(annotations, Mapping):
        annotations = {}
    where = f"{body.get('kind')} {body.get('metadata', {}).get('name')}: metadata.annotations"
    try:
        wait = annotations.get(WAIT)
        conditions = tuple(parse(wait)) if isinstance(wait, str) else ()
        seconds = annotations.get(TIMEOUT)
        annotated = float(seconds) if isinstance(seconds, str | int | float) else None
    except ValueError as error:
        raise StepError(f"{where}: {error}") from error
    return Rules(str(annotations.get(SKIP, "")).lower() == "true", conditions, annotated, timeouts)


def parse(text: str) -> Iterator[JsonPath | Condition]:
    """All conditions of one annotation: one, or a JSON list of them."""
    if text.lstrip().startswith("["):
        items = json.loads(text)
        if not all(isinstance(item, str) for item in items):
            raise ValueError(f"{WAIT}: {text!r} is not a list of strings")
    else:
        items = [text]
    for item in items:
        yield _one(item.strip())


def _one(text: str) -> JsonPath | Condition:
    kind, _, rest = text.partition("=")
    if kind == "condition" and rest:
        type_, _, status = rest.partition("=")
        return Condition(type_, status or "True")
    if kind == "jsonpath" and rest.startswith("{") and "}" in rest:
        expression, _, value = rest[1:].rpartition("}")
        if value == "" or (value.startswith("=") and len(value) > 1):
            return JsonPath(text, tuple(_steps(expression, text)), value[1:] or None)
    raise ValueError(f"{WAIT}: {text!r} is neither jsonpath={{.path}}[=value] nor condition=Type[=Status]")


def _steps(expression: str, text: str) -> Iterator[tuple[str, Any]]:
    rest = expression.strip().removeprefix("$")
    if not rest.startswith((".", "[")):
        rest = f".{rest}"
    while rest:
        match = _STEP.match(rest)
        if match is None:
            raise ValueError(f"{WAIT}: {text!r} cannot be read at {rest!r}: keys, [0], [*] and [?(@.a=='b')] are known")
        groups = match.groupdict()
        if groups["name"] is not None:
            yield "key", groups["name"].replace("\\", "")
        elif groups["key"] is not None:
            yield "key", groups["key"]
        elif groups["index"] is not None:
            yield "index", int(groups["index"])
        elif groups["all"]:
            yield "all", None
        else:
            yield "where", (groups["field"].split("."), groups["value"])
        rest = rest[match.end() :]


def _follow(value: Any, steps: tuple[tuple[str, Any], ...]) -> Iterator[Any]:
    if not steps:
        if value is not None:
            yield value
        return
    for item in _step(value, *steps[0]):
        yield from _follow(item, steps[1:])


def _step(value: Any, how: str, what: Any) -> Iterator[Any]:
    if how == "key" and isinstance(value, Mapping):
        if what in value:
            yield value[what]
    elif how == "index" and isinstance(value, list):
        yield from value[what : what + 1]
    elif how in ("all", "where") and isinstance(value, list | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            if how == "all" or any(_text(found) == what[1] for found in _dig(item, what[0])):
                yield item


def _dig(value: Any, keys: list[str]) -> Iterator[Any]:
    yield from _follow(value, tuple(("key", key) for key in keys))


def _text(value: Any) -> str:
    """As kubectl compares: words without quotes, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
