"""Lines that the formats share. What comes from a document is data: no format takes it as markup."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from mesh_components.settings import Finding
from meshctl.display import short_type
from meshctl.review.review import Review
from meshctl.rows import OPS, SYMBOLS, Field, Row, summary

OUTSIDE = "outside the clusters"
_WIDEST = 120


def headline(review: Review) -> str:
    """The whole change in a line."""
    if not review.comparable:
        return "resources were not compared"
    if not review.changed:
        return "no changes"
    return summary(review.rows) if review.rows else "no resource changes"


def clusters(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by cluster."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.cluster, []).append(row)
    return found


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """Rows by operation."""
    found = Counter(row.op for row in rows)
    return {op: found[op] for op in OPS}


def kinds(rows: Iterable[Row]) -> Iterator[str]:
    """`2 v1/Service`, by kind."""
    for name, count in sorted(Counter(short_type(row.type) for row in rows).items()):
        yield f"{count} {name}"


def line(row: Row) -> str:
    """What happens to one resource."""
    return f"{SYMBOLS[row.op]:>2} {short_type(row.type)}  {row.name}"


def fields(row: Row) -> Iterator[str]:
    """What differs of it, or for a new one what it consists of."""
    if row.op == "delete":
        return
    for item in row.fields:
        yield field(item, new=row.op == "create")


def field(item: Field, *, new: bool) -> str:
    """One field."""
    note = f"  ({item.note})" if item.note and item.path else item.note
    if not item.path:
        return note
    if new:
        return f"{item.path}: {text(item.new)}"
    if item.old == item.new:
        return f"{item.path}: another {text(item.new)}{note}"
    if item.old is None:
        return f"{item.path}: + {text(item.new)}{note}"
    if item.new is None:
        return f"{item.path}: - {text(item.old)}{note}"
    return f"{item.path}: {text(item.old)} -> {text(item.new)}{note}"


def finding(item: Finding) -> str:
    """One finding in a line."""
    return f"{item.code} {item.severity} at {item.place}: {item.reason}"


def text(value: Any) -> str:
    """A value in a line."""
    told = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    told = told.replace("\r", "\\r").replace("\n", "\\n")
    return told if len(told) <= _WIDEST else f"{told[:_WIDEST]}... ({len(told)} characters)"
