"""The picture of a preview: each row of it behind the cluster, or the pair, that it is about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from meshctl.display import field_text, short_type
from meshctl.graph.doors import Rows
from meshctl.graph.scene import EMPTY, MESH, Owner, Part, Scene, State, Thing
from meshctl.local.project import ProjectError
from meshctl.rows import Field, Row, summary

_STACK = "pulumi:pulumi:Stack"
_PAIR = re.compile(r"-to-")


def with_changes(scene: Scene, rows: Sequence[Row], about: str, name: str = "mesh") -> Scene:
    """The picture of a document with what a preview of it would do.

    Args:
        scene: of the document.
        rows: of the preview; secret values are masked in them.
        about: which preview that is, for people.
        name: of the federation in the program.
    """
    owners = _Owners(scene, rows, name)
    found: dict[Owner, list[Row]] = {}
    for row in rows:
        if row.type != _STACK:
            found.setdefault(owners.of(row), []).append(row)
    parts = _between(scene, rows, owners, name)
    whats = {thing.name: thing.what for part in parts.values() for thing in part.things}
    for key in [*parts, *(key for key in found if key not in parts)]:
        mine = found.get(key, [])
        changed = _changes(mine)
        parts[key] = replace(
            parts.get(key, EMPTY),
            things=tuple(
                _thing(row, whats.get(row.name, "")) for row in sorted(mine, key=lambda row: row.op == "same")
            ),
            state=changed,
            note=summary(mine) if changed else "",
        )
    return replace(scene.having(parts), source="preview", about=f"{about}: {summary(rows)}")


def _between(scene: Scene, rows: Sequence[Row], owners: _Owners, name: str) -> dict[Owner, Part]:
    """The parts, with what happens to gateways and to the ways through them."""
    parts, found = scene.owned(), Rows(rows, _changes)
    things = {name: part.things for (name, other), part in parts.items() if not other}
    for cluster in scene.graph.clusters():
        key = cluster.name, ""
        gone = found.gone(lambda row, key=key: owners.of(row) == key, f"{name}-{cluster.name}-")  # type: ignore[misc]
        there = found.gateways(cluster, parts[key].things)
        parts[key] = replace(parts[key], gateways={**there, **gone})
    for link in scene.graph.control:
        if state := found.control(things[link.cluster], things[link.server]):
            pair = link.cluster, link.server
            parts[pair] = replace(parts.get(pair, EMPTY), control=state)
    return parts


def read(text: str) -> tuple[Row, ...]:
    """Rows as `mesh preview --json` prints them.

    Raises:
        ProjectError: when it is something else.
    """
    try:
        return tuple(_row(item) for item in json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        message = "--rows: this is not what `mesh preview --json` prints; give that, as it is"
        raise ProjectError(message) from error


def _row(item: Mapping[str, Any]) -> Row:
    return Row(**{**item, "fields": tuple(Field(**one) for one in item["fields"])})


def _changes(rows: Iterable[Row]) -> State:
    """What happens to all of it in one word. Components are no more than what they consist of."""
    found = list(rows)
    ops = {row.op for row in found if not row.type.startswith("mesh:")} or {row.op for row in found}
    if not ops:
        return ""
    if len(ops) == 1:
        return _state(ops.pop())
    return "replace" if "replace" in ops else "update"


def _state(op: str) -> State:
    return cast("State", "" if op == "same" else op)


def _thing(row: Row, what: str) -> Thing:
    told = tuple(map(field_text, row.fields)) if row.op in ("update", "replace") else ()
    return Thing(row.name, short_type(row.type), what, _state(row.op), told)


class _Owners:
    """Whose a row is: that of the component around it, as the document names them; else what the row itself tells."""

    def __init__(self, scene: Scene, rows: Sequence[Row], name: str) -> None:
        self._known = {thing.name: key for key, part in scene.owned().items() for thing in part.things}
        self._rows = {row.urn: row for row in rows}
        self._prefix = f"{name}-"
        clusters = {*scene.clusters, *(row.cluster for row in rows if row.cluster)}
        self._clusters = sorted(clusters, key=len, reverse=True)

    def of(self, row: Row) -> Owner:
        above: Row | None = row
        while above is not None:
            if above.name in self._known:
                return self._known[above.name]
            if pair := self._pair(above):
                return pair
            above = self._rows.get(above.parent)
        return (row.cluster or self._named(row), "")

    def _pair(self, row: Row) -> Owner | None:
        """Of a pair that has left the document, by the name of its component."""
        named = row.name.removeprefix(self._prefix)
        for match in _PAIR.finditer(named):
            source, reader = named[: match.start()], named[match.end() :]
            if row.type.startswith("mesh:") and source in self._clusters and reader in self._clusters:
                return reader, source
        return None

    def _named(self, row: Row) -> str:
        """The cluster whose name a resource begins with, where it is in none: keys, and what has left the document."""
        named = row.name.removeprefix(self._prefix).removeprefix("trust-")
        return next((one for one in self._clusters if named == one or named.startswith(f"{one}-")), MESH[0])
