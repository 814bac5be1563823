"""What a rule looks at, and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Resource:
    """One resource as a program asks for it. Values that are not known yet are no text, mapping or list."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    secret: frozenset[str] | None = None
    """Inputs that are secret; None where nobody tells, as Pulumi tells a policy pack only the values."""
    protect: bool = False
    retain: bool | None = None
    """Whether it stays when it leaves the program; None where nobody tells."""

    @property
    def kind(self) -> str:
        """`kubernetes:core/v1:Secret` is a Secret; empty for what is no object of Kubernetes."""
        return self.type.rpartition(":")[2] if self.type.startswith("kubernetes:") else ""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Of an object of Kubernetes."""
        return self.part("metadata")

    @property
    def labels(self) -> Mapping[str, Any]:
        """Of an object of Kubernetes."""
        return mapping(self.metadata.get("labels"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        """Of an object of Kubernetes."""
        return mapping(self.metadata.get("annotations"))

    @property
    def spec(self) -> Mapping[str, Any]:
        """Of an object of Kubernetes."""
        return self.part("spec")

    def part(self, key: str) -> Mapping[str, Any]:
        """An input that is a mapping; an empty one where it is something else, or not known yet."""
        return mapping(self.inputs.get(key))


@dataclass(frozen=True)
class Violation:
    """One resource that breaks a rule. Quotes no value that may be secret."""

    rule: str
    urn: str
    name: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}; fix: {self.fix}"


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return list(value) if isinstance(value, list | tuple) else []


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """All texts in a value, each with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key in value:
            yield from texts(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from texts(item, f"{path}[{number}]")
