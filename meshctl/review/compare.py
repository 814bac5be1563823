"""What differs between two foreseen meshes, as rows, one a resource. The same library makes both, so URNs match.

A value that is known only after apply is taken to stay, unless what it comes from is replaced, is new, or goes: then it
is another one, and so on for what comes from it. No value that is secret gets in here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from meshctl.local.foresight import CODE, Foreseen, Resource
from meshctl.local.model import UNKNOWN, FieldChange, Goal, Op, Record, Step
from meshctl.local.registry import PROVIDER_PREFIX, package
from meshctl.local.values import SECRET, has_unknown, leaves, split_path
from meshctl.rows import Field, Row

LATER = "<known after apply>"
ANOTHER = "<another one, known after apply>"
_SHOWN_OF_NEW = 40
"""So many fields of a new resource are told; a chart's values are endless."""


def compare(before: Foreseen, after: Foreseen) -> tuple[Row, ...]:
    """The resources that differ, by cluster, type and name."""
    rows = _Comparison(before, after).rows()
    return tuple(sorted(rows, key=lambda row: (row.cluster != "", row.cluster, row.type, row.name, row.urn)))


@dataclass
class _Comparison:
    before: Foreseen
    after: Foreseen

    def __post_init__(self) -> None:
        self._pairs = dict(_pairs(self.before, self.after))
        """What each resource was before, by the URN it has now."""
        kept = {was.goal.urn for was in self._pairs.values()}
        self._left = {urn: item for urn, item in self.before.resources.items() if urn not in kept}
        self._why = {urn: f"{item.goal.name} goes" for urn, item in self._left.items()}
        """What follows from a resource whose values are other ones: by URN, in words."""

    def rows(self) -> Iterator[Row]:
        """One for each resource that differs."""
        yield from (_row(item, Op.DELETE) for item in self._left.values() if _counts(item.goal))
        for urn, item in self.after.resources.items():
            if not _counts(item.goal):
                continue
            was = self._pairs.get(urn)
            row = _row(item, Op.CREATE, _fields_of_new(item.goal)) if was is None else self._both(was, item)
            if row is None:
                continue
            if row.op in (Op.CREATE, Op.REPLACE):
                self._why[urn] = f"{item.goal.name} is {'new' if row.op == Op.CREATE else 'replaced'}"
            yield row

    def _both(self, was: Resource, item: Resource) -> Row | None:
        follows = self._followed(was, item)
        old, new = _settled(was.goal), _settled(item.goal, follows)
        step = self._step(was, item, old, new)
        if step.op is Op.SAME:
            return None
        if follows:
            self._why[item.goal.urn] = next(iter(follows.values()))
        secret = old.secret_inputs | new.secret_inputs | frozenset(item.goal.options.additional_secret_outputs)
        return _row(item, step.op, _fields(step.changes, secret, follows))

    def _followed(self, was: Resource, item: Resource) -> dict[str, str]:
        """Properties that hold another value, although none is known on either side, with the reason."""
        found: dict[str, str] = {}
        for key, value in item.goal.inputs.items():
            if not has_unknown(value) or not has_unknown(was.goal.inputs.get(key)):
                continue
            origins = item.origins.get(key, frozenset()) | was.origins.get(key, frozenset())
            reasons = sorted(self._why[urn] for urn in origins if urn in self._why)
            if reasons:
                more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
                found[key] = f"as {reasons[0]}{more}"
        return found

    def _step(self, was: Resource, item: Resource, old: Goal, new: Goal) -> Step:
        record = _record(old)
        step = self.after.registry.get(new.type, new.provider).plan(new, record)
        moved = _identity(self.before, was) != _identity(self.after, item)
        triggers = was.goal.options.replacement_trigger, item.goal.options.replacement_trigger
        triggered = None not in triggers and triggers[0] != triggers[1]
        if not moved and not triggered:
            return step
        note = "its cluster is another one" if moved else "what it was made for has changed"
        return replace(step, op=Op.REPLACE, changes=(*step.changes, FieldChange("", None, None, note)))


def _pairs(before: Foreseen, after: Foreseen) -> Iterator[tuple[str, Resource]]:
    """By URN, or by one under which a resource was known before that nobody else has now."""
    for urn, item in after.resources.items():
        known = (urn, *(alias for alias in item.aliases if alias not in after.resources))
        found = next((name for name in known if name in before.resources), None)
        if found is not None:
            yield urn, before.resources[found]


def _counts(goal: Goal) -> bool:
    """Whether a reviewer sees it: components and providers are only the frame."""
    return goal.custom and not goal.type.startswith(PROVIDER_PREFIX)


def _identity(foreseen: Foreseen, item: Resource) -> Any:
    """Of the cluster that a resource is in."""
    provider = foreseen.resources.get(item.goal.provider)
    return provider.goal.inputs.get("clusterIdentifier") if provider else None


def _settled(goal: Goal, follows: Mapping[str, str] | None = None) -> Goal:
    """With words in the place of what is not known, so that it can be compared, and without code."""
    changed = follows or {}
    inputs = {
        key: _worded(value, ANOTHER if key in changed else LATER) for key, value in goal.inputs.items() if key != CODE
    }
    return replace(goal, inputs=inputs, secret_inputs=goal.secret_inputs - {CODE})


def _worded(value: Any, word: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _worded(value[key], word) for key in sorted(value)}  # the wire has them in any order
    if isinstance(value, list):
        return [_worded(item, word) for item in value]
    return word if value is UNKNOWN else value


def _record(goal: Goal) -> Record:
    """As if it had been made."""
    metadata = goal.inputs.get("metadata") or {}
    parts = (metadata.get("namespace"), metadata.get("name")) if package(goal.type) == "kubernetes" else (goal.name,)
    return Record(
        urn=goal.urn,
        type=goal.type,
        name=goal.name,
        custom=True,
        parent=goal.parent,
        provider=goal.provider,
        inputs=goal.inputs,
        secret_inputs=goal.secret_inputs,
        dependencies=goal.dependencies,
        id="/".join(str(part) for part in parts if part),
        outputs={},
        secret_outputs=frozenset(),
        options=goal.options,
    )


def _fields(changes: Iterable[FieldChange], secret: frozenset[str], follows: Mapping[str, str]) -> tuple[Field, ...]:
    found = [_field(change, secret, follows) for change in changes]
    return tuple(sorted(found, key=lambda item: _natural(item.path)))


def _natural(path: str) -> list[tuple[int, int, str]]:
    """`ports[2]` comes before `ports[10]`."""
    return [(0, part, "") if isinstance(part, int) else (1, 0, part) for part in split_path(path)]


def _field(change: FieldChange, secret: frozenset[str], follows: Mapping[str, str]) -> Field:
    head = str(split_path(change.path)[0]) if change.path else ""
    hide = head in secret
    old, new = (SECRET if hide and value is not None else value for value in (change.old, change.new))
    follows_here = follows.get(head, "") if change.new == ANOTHER or hide else ""
    return Field(change.path, old, new, change.note or follows_here)


def _fields_of_new(goal: Goal) -> tuple[Field, ...]:
    found = sorted(_leaves_of_new(_settled(goal)), key=lambda item: _natural(item.path))
    more = len(found) - _SHOWN_OF_NEW
    return (*found[:_SHOWN_OF_NEW], *([Field("", None, None, f"and {more} more fields")] if more > 0 else []))


def _leaves_of_new(goal: Goal) -> Iterator[Field]:
    secret = goal.secret_inputs | ({"data", "stringData"} if goal.type == "kubernetes:core/v1:Secret" else frozenset())
    for path, value in leaves(goal.inputs):
        yield Field(path, None, SECRET if str(split_path(path)[0]) in secret else value)


def _row(item: Resource, op: Op, fields: tuple[Field, ...] = ()) -> Row:
    goal = item.goal
    return Row(goal.urn, goal.type, goal.name, goal.parent, item.cluster, str(op), fields)
