"""Decides and carries out the step of each resource that a program registers, or that has left the program.

A failed step leaves alone what does not depend on it; what does is skipped. Before the outside world is touched the
record says so (`pending`), so that a run that is killed leaves nothing that the next one does not know of.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from meshctl.local.model import (
    UNKNOWN,
    Applied,
    FieldChange,
    Goal,
    Op,
    Provider,
    Record,
    Step,
    StepError,
    Unreachable,
)
from meshctl.local.registry import NEEDS_PROVIDER, PROVIDER_PREFIX, Registry, needs_cli, package
from meshctl.local.state import Store, begun
from meshctl.local.values import differences, has_unknown, keep_old, scrub, split_path, strings

STACK_TYPE = "pulumi:pulumi:Stack"


class Watcher(Protocol):
    """Told what happens, to show it."""

    def begin(self, urn: str, op: Op) -> None:
        """A step begins."""

    def waiting(self, urn: str, message: str) -> None:
        """A step waits for something."""

    def end(self, urn: str, op: Op, error: str) -> None:
        """A step has ended; `error` is empty where it went well."""

    def warn(self, message: str) -> None:
        """Something to know."""


@dataclass(frozen=True)
class Outcome:
    """What became, or in a preview would become, of one resource."""

    resource: Goal | Record
    op: Op
    cluster: str = ""
    changes: tuple[FieldChange, ...] = ()
    secret: frozenset[str] = frozenset()
    """Top-level properties whose values must not be shown."""


@dataclass(frozen=True)
class Answer:
    """What the program gets back."""

    ok: bool
    id: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Plan:
    """A step with what it is for."""

    goal: Goal
    record: Record | None
    former: str
    """The URN the record is found under, if the goal is known by another one now."""
    step: Step
    moved: bool = False
    """Whether the resource leaves the provider it was made by, so that the old one stays until the end."""


class Engine:
    """One pass over a program: a preview, or the update itself."""

    def __init__(
        self, store: Store, registry: Registry, watcher: Watcher, stop: threading.Event, *, preview: bool
    ) -> None:
        """`stop` may be set at any time: what runs is finished, nothing else is begun."""
        self.store = store
        self.registry = registry
        self.watcher = watcher
        self.preview = preview
        self.stop = stop
        self.outcomes: dict[str, Outcome] = {}
        self.failures: dict[str, str] = {}
        self.skipped: set[str] = set()
        self.goals: dict[str, Goal] = {}
        self._moved: dict[str, str] = {}
        self._undecided: set[str] = set()
        self._warned: set[str] = set()
        self._lock = threading.Lock()

    def register(self, goal: Goal, aliases: Iterable[str] = ()) -> Answer:
        """Take one resource through its step."""
        with self._lock:
            first = self.goals.setdefault(goal.urn, goal)
        if first is not goal:
            return self.refuse(goal, f"two resources have this URN; give one of them another name than {goal.name!r}")
        if self._is_blocked(goal):
            self.skipped.add(goal.urn)
            return Answer(ok=False)
        op = Op.SAME
        try:
            plan = self._plan(goal, aliases)
            op = plan.step.op
            self._note(plan)
            return self._foresee(plan) if self.preview else self._carry_out(plan)
        except StepError as error:
            return self.refuse(goal, str(error), op)

    def refuse(self, goal: Goal, message: str, op: Op = Op.SAME) -> Answer:
        """Record that the step of `goal` failed; whatever depends on it will be skipped."""
        hidden = (text for key in goal.secret_inputs for text in strings(goal.inputs.get(key)))
        message = scrub(message, hidden)
        with self._lock:
            self.failures[goal.urn] = message
        self.watcher.end(goal.urn, op, message)
        return Answer(ok=False)

    def register_outputs(self, urn: str, outputs: Mapping[str, Any], secret: frozenset[str]) -> None:
        """Record what a component, or the stack, has to say at its end."""
        record = self.store.records.get(urn)
        if self.preview or record is None or has_unknown(outputs):
            return
        if (record.outputs, record.secret_outputs) != (outputs, secret):
            self.store.put(replace(record, outputs=outputs, secret_outputs=secret))

    def invoke(self, token: str, provider: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a provider function."""
        return self.registry.get(token, provider).invoke(token, args)

    def left(self) -> list[Record]:
        """Return what is recorded and not in the program any more."""
        return [record for urn, record in self.store.records.items() if urn not in self.goals]

    def warn_once(self, message: str) -> None:
        """Warn, unless the same was said before."""
        with self._lock:
            if message in self._warned:
                return
            self._warned.add(message)
        self.watcher.warn(message)

    def _is_blocked(self, goal: Goal) -> bool:
        bad = self.failures.keys() | self.skipped
        return self.stop.is_set() or not bad.isdisjoint((*goal.dependencies, goal.provider, goal.parent))

    # Planning

    def _plan(self, goal: Goal, aliases: Iterable[str]) -> _Plan:
        record, former = self._recorded(goal, aliases)
        if record is not None:
            for path in goal.options.ignore_changes:
                goal = replace(goal, inputs=keep_old(goal.inputs, record.inputs, split_path(path)))
        moved = False
        if not goal.custom or goal.type == STACK_TYPE:
            step = _plan_plain(goal, record)
        elif goal.type.startswith(PROVIDER_PREFIX):
            step = self._plan_provider(goal, record)
        else:
            moved = record is not None and self._moved.get(record.provider, record.provider) != goal.provider
            step = self._plan_custom(goal, record, moved=moved)
        for warning in step.warnings:
            self.warn_once(warning)
        if step.op is Op.REPLACE and record is not None and record.options.protect and goal.options.protect:
            message = "it is protected and would be replaced; take `protect` off it in the program first, and run `up`"
            raise StepError(message)
        return _Plan(goal, record, former, step, moved)

    def _recorded(self, goal: Goal, aliases: Iterable[str]) -> tuple[Record | None, str]:
        for urn in (goal.urn, *aliases):
            record = self.store.records.get(urn)
            if record is not None and (urn == goal.urn or urn not in self.goals):
                if urn != goal.urn:
                    self._moved[urn] = goal.urn
                return record, urn
        return None, ""

    def _plan_provider(self, goal: Goal, record: Record | None) -> Step:
        if not self.registry.knows(goal.type):
            raise StepError(needs_cli(goal.type))
        self.registry.configure(goal.urn, goal.type, goal.inputs)
        if has_unknown(goal.inputs):
            self._undecided.add(goal.urn)
        step = _plan_plain(goal, record)
        old, new = (r.inputs.get("clusterIdentifier") if r else None for r in (record, goal))
        if old and new and old != new:
            return replace(step, op=Op.REPLACE)
        return step

    def _plan_custom(self, goal: Goal, record: Record | None, *, moved: bool) -> Step:
        if not self.registry.knows(goal.type):
            raise StepError(needs_cli(goal.type))
        if package(goal.type) in NEEDS_PROVIDER and not goal.provider:
            message = (
                f"{goal.type} {goal.name!r} has no provider of its own, and the default one, which acts on whatever "
                "cluster this machine points at, is disabled; pass `provider=` or give its component `providers=[...]`"
            )
            raise StepError(message)
        provider = self.registry.get(goal.type, goal.provider)
        known = record if record is not None and record.id and not moved else None
        step = self._ask(provider, goal, known)
        if record is None:
            return step
        if moved or _is_triggered(record, goal):
            fresh = self._ask(provider, goal, None)
            return replace(step, op=Op.REPLACE, outputs=fresh.outputs)
        if record.pending is not None and step.op is Op.SAME:
            note = FieldChange("", None, None, f"finishes a step ({record.pending}) that was interrupted")
            return replace(step, op=Op.UPDATE, changes=(note,))
        return step

    def _ask(self, provider: Provider, goal: Goal, record: Record | None) -> Step:
        if goal.provider in self._undecided:
            return _plan_plain(goal, record)
        try:
            return provider.plan(goal, record)
        except Unreachable as error:
            if not self.preview:
                raise
            where = provider.cluster or goal.provider or package(goal.type)
            if where not in self._warned:
                self._warned.add(where)
                self.watcher.warn(f"{error}; compared with the state instead")
            return _plan_plain(goal, record)

    def _note(self, plan: _Plan) -> None:
        goal, record = plan.goal, plan.record
        secret = goal.secret_inputs | frozenset(goal.options.additional_secret_outputs)
        if record is not None:
            secret |= record.secret_inputs | record.secret_outputs
        self.outcomes[goal.urn] = Outcome(goal, plan.step.op, self.cluster_of(goal), plan.step.changes, secret)

    def cluster_of(self, resource: Goal | Record) -> str:
        """Name the cluster a resource lives on, for display."""
        if resource.type.startswith(PROVIDER_PREFIX):
            return _cluster(resource.inputs)
        owner = self.goals.get(resource.provider) or self.store.records.get(resource.provider)
        return _cluster(owner.inputs) if owner is not None else ""

    def _foresee(self, plan: _Plan) -> Answer:
        goal, record, step = plan.goal, plan.record, plan.step
        if step.op is Op.SAME and record is not None:
            return _answer(record.id, step.outputs or record.outputs, goal, record)
        outputs = {**goal.inputs, **step.outputs}
        if goal.custom:
            outputs = {**dict.fromkeys(goal.options.additional_secret_outputs, UNKNOWN), **outputs}
        known_id = record.id if record is not None and step.op is Op.UPDATE else ""
        return _answer(known_id, outputs, goal, record)

    # Acting

    def _carry_out(self, plan: _Plan) -> Answer:
        goal, record, step = plan.goal, plan.record, plan.step
        if has_unknown(goal.inputs):
            message = "one of its inputs is not known, although nothing it depends on has failed"
            raise StepError(message)
        if step.op is Op.SAME and record is not None:
            done, doom = Applied(record.id, step.outputs or record.outputs), None
        else:
            self.watcher.begin(goal.urn, step.op)
            done, doom = self._act(plan)
        made = _recorded(goal, done)
        if not goal.custom and record is not None:
            # What a component says at its end is not known yet; the last word stands until then.
            made = replace(made, outputs=record.outputs, secret_outputs=record.secret_outputs)
        if made != record or plan.former != goal.urn or doom is not None:
            self.store.put(made, plan.former, doom)
        if step.op is not Op.SAME:
            self.watcher.end(goal.urn, step.op, "")
        return _answer(done.id, done.outputs, goal, None)

    def _act(self, plan: _Plan) -> tuple[Applied, Record | None]:
        goal, record, step = plan.goal, plan.record, plan.step
        if not goal.custom or goal.type.startswith(PROVIDER_PREFIX):
            return self._act_plain(goal, record, step)
        provider = self.registry.get(goal.type, goal.provider)
        known = record if record is not None and record.id and not plan.moved else None
        pending = replace(record, urn=goal.urn) if record is not None else _recorded(goal, Applied("", {}))
        self.store.put(begun(pending, step.op), plan.former)
        doom = None
        if step.op is Op.REPLACE:
            if not plan.moved and known is not None and _deletes_first(goal):
                provider.delete(known)
            elif record is not None and not record.options.retain_on_delete:
                doom = record
            known, step = None, replace(step, op=Op.CREATE)
        try:
            return provider.apply(goal, known, step), doom
        except StepError as error:
            if error.partial is not None:
                self.store.put(begun(_recorded(goal, error.partial), step.op), doom=doom)
            raise

    def _act_plain(self, goal: Goal, record: Record | None, step: Step) -> tuple[Applied, Record | None]:
        outputs = goal.inputs if goal.custom else (record.outputs if record else {})
        if not goal.custom:
            return Applied("", outputs), None
        if record is None or step.op is not Op.REPLACE:
            return Applied(record.id if record and record.id else str(uuid.uuid4()), outputs), None
        # What the old provider made is found by it alone: those records now name it instead of the new one.
        former = f"{record.urn}\0{record.id}"
        for owned in [r for r in self.store.records.values() if r.provider == record.urn]:
            self.store.put(replace(owned, provider=former))
        return Applied(str(uuid.uuid4()), outputs), record


def _plan_plain(goal: Goal, record: Record | None) -> Step:
    """Compare with the record alone: for components and providers, and for what cannot be asked."""
    if record is None:
        return Step(Op.CREATE, outputs=goal.inputs)
    changes = tuple(differences(record.inputs, goal.inputs))
    if changes:
        return Step(Op.UPDATE, changes, {**record.outputs, **goal.inputs})
    return Step(Op.SAME, (), record.outputs if goal.custom else goal.inputs)


def _is_triggered(record: Record, goal: Goal) -> bool:
    old, new = record.options.replacement_trigger, goal.options.replacement_trigger
    return old is not None and new is not None and old != new


def _deletes_first(goal: Goal) -> bool:
    """Objects of Kubernetes have the names they were given, so two of them cannot be there at once."""
    return goal.options.delete_before_replace or package(goal.type) == "kubernetes"


def _cluster(inputs: Mapping[str, Any]) -> str:
    identifier = inputs.get("clusterIdentifier")
    return identifier.rpartition("/")[2] if isinstance(identifier, str) else ""


def _secret_outputs(goal: Goal, outputs: Mapping[str, Any], record: Record | None) -> frozenset[str]:
    secret = goal.secret_inputs | frozenset(goal.options.additional_secret_outputs)
    if record is not None:
        secret |= record.secret_outputs
    return secret & outputs.keys()


def _answer(id_: str, outputs: Mapping[str, Any], goal: Goal, record: Record | None) -> Answer:
    if not goal.custom:
        outputs = goal.inputs
    return Answer(True, id_, outputs, _secret_outputs(goal, outputs, record))


def _recorded(goal: Goal, done: Applied) -> Record:
    return Record(
        urn=goal.urn,
        type=goal.type,
        name=goal.name,
        custom=goal.custom,
        parent=goal.parent,
        provider=goal.provider,
        inputs=goal.inputs,
        secret_inputs=goal.secret_inputs,
        dependencies=goal.dependencies,
        id=done.id,
        outputs=done.outputs,
        secret_outputs=_secret_outputs(goal, done.outputs, None),
        options=goal.options,
    )
