"""What a preview or an update is about, one row a resource, in the form both engines share. No secret gets in here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

OPS = ("create", "update", "replace", "delete")
DONE: Mapping[str, str] = {**{op: f"{op.rstrip('e')}ed" for op in OPS}, "same": "unchanged"}
SYMBOLS: Mapping[str, str] = {"create": "+", "update": "~", "replace": "+-", "delete": "-", "same": " "}


@dataclass(frozen=True)
class Field:
    """One field that differs; None where it is absent on that side."""

    path: str
    old: Any
    new: Any
    note: str = ""

    def data(self) -> dict[str, Any]:
        """The field as it is in `--json`."""
        return {"path": self.path, "old": self.old, "new": self.new, "note": self.note}


@dataclass(frozen=True)
class Row:
    """One resource and what happens to it."""

    urn: str
    type: str
    name: str
    parent: str
    cluster: str
    op: str
    fields: tuple[Field, ...] = ()

    def data(self) -> dict[str, Any]:
        """The row as it is in `--json`."""
        return {
            "urn": self.urn,
            "type": self.type,
            "name": self.name,
            "parent": self.parent,
            "cluster": self.cluster,
            "op": self.op,
            "fields": [item.data() for item in self.fields],
        }


@dataclass(frozen=True)
class Report:
    """The end of a command: what happened (in a preview: would happen), what came out of it, and what failed."""

    rows: tuple[Row, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def changes(self) -> int:
        """How many resources change."""
        return sum(row.op != "same" for row in self.rows)

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        return 130 if self.interrupted else int(bool(self.failures))


DECLINED = Report(failures=("nothing was changed, as you did not agree",))


def refused(planned: Report) -> Report:
    """Report a plan that cannot be carried out: nothing of it was done."""
    return Report(failures=planned.failures)


def summary(rows: Iterable[Row], *, done: bool = False) -> str:
    """Count the operations; `0 changes` exactly when nothing changes."""
    counts = Counter(row.op for row in rows)
    words = {op: DONE[op] if done else f"to {op}" for op in OPS}
    parts = [f"{counts[op]} {words[op]}" for op in OPS if counts[op]] or ["0 changes"]
    if counts["same"]:
        parts.append(f"{counts['same']} unchanged")
    return ", ".join(parts)
