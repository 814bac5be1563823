"""Takes each resource that a program registers through its step.

A failed step leaves alone what does not depend on it; what does is skipped. Before the outside world is touched the
record says so (`pending`), so that a run that is killed leaves nothing that the next one does not know of.
"""

from __future__ import annotations

import threading
import traceback
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from meshctl.local.model import UNKNOWN, Applied, FieldChange, Goal, Op, Record, Step, StepError
from meshctl.local.planner import Plan, Planner, Watcher
from meshctl.local.registry import PROVIDER_PREFIX, Registry, package
from meshctl.local.state import StateError, Store, begun, doomed_key, provider_of
from meshctl.local.values import has_unknown, scrub, strings
from meshctl.rows import Field

STACK_TYPE = "pulumi:pulumi:Stack"
CHANGED = "changed since it was shown; run again"

Takeovers = frozenset[tuple[str, str]]
"""Path and note of each field that somebody else has set."""

Agreed = Mapping[str, tuple[str, Takeovers]]
"""What was agreed to, by URN: the operation, and what it takes over."""


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


class Engine:
    """One pass over a program: a preview, or the update itself."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        watcher: Watcher,
        stop: threading.Event,
        warned: set[str],
        *,
        preview: bool,
        agreed: Agreed | None = None,
    ) -> None:
        """`stop` may be set at any time: what runs is finished, nothing else is begun; `warned` is what was said.

        What replaces, deletes or takes over is refused if it is not in `agreed`; None is an update nobody was shown.
        """
        self.store = store
        self.outcomes: dict[str, Outcome] = {}
        self.failures: dict[str, str] = {}
        self.skipped: set[str] = set()
        self.planner = Planner(store, registry, watcher, warned, preview=preview)
        self._registry = registry
        self._watcher = watcher
        self._stop = stop
        self._preview = preview
        self._agreed = agreed
        self._lock = threading.Lock()

    def register(self, goal: Goal, aliases: Iterable[str] = (), refusal: str = "") -> Answer:
        """Take one resource through its step; with a `refusal`, say why there is none."""
        with self._lock:
            first = self.planner.goals.setdefault(goal.urn, goal)
        if first is not goal:
            return self._fail(goal, f"two resources have this URN; give one of them another name than {goal.name!r}")
        if refusal:
            return self._fail(goal, refusal)
        if self._is_blocked(goal):
            with self._lock:
                self.skipped.add(goal.urn)
            return Answer(ok=False)
        op = Op.SAME
        try:
            plan = self.planner.plan(goal, aliases)
            op = plan.step.op
            self._note(plan)
            return self._foresee(plan) if self._preview else self._carry_out(plan)
        except (StepError, StateError) as error:
            return self._fail(goal, str(error), op)
        except Exception as error:  # noqa: BLE001 (a defect of a provider must not hide what happened to the others)
            return self._fail(goal, unexpected(error), op)

    def register_outputs(self, urn: str, outputs: Mapping[str, Any], secret: frozenset[str]) -> None:
        """Record what a component, or the stack, has to say at its end."""
        record = self.store.records.get(urn)
        if self._preview or record is None or has_unknown(outputs):
            return
        if (record.outputs, record.secret_outputs) != (outputs, secret):
            self.store.put(replace(record, outputs=outputs, secret_outputs=secret), wait=False)

    def invoke(self, token: str, provider: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a provider function."""
        return self._registry.get(token, provider).invoke(token, args)

    def left(self) -> list[Record]:
        """Return what is recorded and not in the program any more."""
        return [record for urn, record in self.store.records.items() if not self.planner.is_claimed(urn)]

    def unshown(self, left: Iterable[Record]) -> dict[str, str]:
        """Say which of `left` may not be deleted, as nobody has agreed to it."""
        if self._agreed is None:
            return {}
        return {r.urn: CHANGED for r in left if self._agreed.get(r.urn, _NOTHING)[0] != Op.DELETE}

    def _fail(self, goal: Goal, message: str, op: Op = Op.SAME) -> Answer:
        hidden = (text for key in goal.secret_inputs for text in strings(goal.inputs.get(key)))
        message = scrub(message, hidden)
        with self._lock:
            self.failures[goal.urn] = message
        self._watcher.end(goal.urn, op, message)
        return Answer(ok=False)

    def _is_blocked(self, goal: Goal) -> bool:
        with self._lock:
            bad = self.failures.keys() | self.skipped
        return self._stop.is_set() or not bad.isdisjoint((*goal.dependencies, goal.provider, goal.parent))

    def _note(self, plan: Plan) -> None:
        goal, record = plan.goal, plan.record
        secret = goal.secret_inputs | frozenset(goal.options.additional_secret_outputs)
        if record is not None:
            secret |= record.secret_inputs | record.secret_outputs
        cluster = self.planner.cluster_of(goal)
        self.outcomes[goal.urn] = Outcome(goal, plan.step.op, cluster, plan.step.changes, secret)

    def _foresee(self, plan: Plan) -> Answer:
        goal, record, step = plan.goal, plan.record, plan.step
        if step.op is Op.SAME and record is not None:
            return _answer(record.id, step.outputs or record.outputs, goal, record)
        outputs = {**goal.inputs, **step.outputs}
        if goal.custom:
            outputs = {**dict.fromkeys(goal.options.additional_secret_outputs, UNKNOWN), **outputs}
        known_id = record.id if record is not None and step.op is Op.UPDATE else ""
        return _answer(known_id, outputs, goal, record)

    def _carry_out(self, plan: Plan) -> Answer:
        goal, record, step = plan.goal, plan.record, plan.step
        if has_unknown(goal.inputs):
            message = "one of its inputs is not known, although nothing it depends on has failed"
            raise StepError(message)
        self._check(goal, step)
        doom = None
        if step.op is Op.SAME and record is not None:
            done = Applied(record.id, step.outputs or record.outputs)
        else:
            self._watcher.begin(goal.urn, step.op)
            done, doom = self._act(plan)
            for warning in done.warnings:
                self._watcher.warn(warning)
        made = _made(goal, done)
        if not goal.custom and record is not None:
            # What a component says at its end is not known yet; the last word stands until then.
            made = replace(made, outputs=record.outputs, secret_outputs=record.secret_outputs)
        if made != self.store.records.get(goal.urn) or doom is not None:
            self.store.put(made, plan.former, doom, wait=False)
        if step.op is not Op.SAME:
            self._watcher.end(goal.urn, step.op, "")
        return _answer(done.id, done.outputs, goal, None)

    def _check(self, goal: Goal, step: Step) -> None:
        """Refuse what was not agreed to; where nobody was shown anything, say what is taken over."""
        taken = takeovers(step.changes)
        if self._agreed is None:
            for path, note in sorted(taken):
                self._watcher.warn(f"{goal.name}: {path}: {note}")
            return
        op, shown = self._agreed.get(goal.urn, _NOTHING)
        if (step.op is Op.REPLACE and op != Op.REPLACE) or not taken <= shown:
            raise StepError(CHANGED)

    def _act(self, plan: Plan) -> tuple[Applied, Record | None]:
        """Act, and return what came of it and what it replaces that is still there."""
        goal, record = plan.goal, plan.record
        if not goal.custom:
            return Applied("", goal.inputs), None
        if goal.type.startswith(PROVIDER_PREFIX):
            return self._set_up(goal, record, plan.step)
        pending = replace(record, urn=goal.urn) if record is not None else _made(goal, Applied("", {}))
        self.store.put(begun(pending, plan.step.op), plan.former)
        if plan.step.op is not Op.REPLACE or record is None:
            return self._apply(goal, plan.known, plan.step, None), None
        doom = self._make_room(plan, record)
        # From here on the record is of what is being made, lest that is taken for its predecessor and left behind.
        self.store.put(begun(_made(goal, Applied("", {})), Op.CREATE), doom=doom)
        return self._apply(goal, None, replace(plan.step, op=Op.CREATE), doom), doom

    def _make_room(self, plan: Plan, record: Record) -> Record | None:
        """Delete what is to be replaced, or return it if it goes after its successor has come."""
        if not (plan.step.delete_first or _deletes_first(plan.goal)):
            return record
        if not record.options.retain_on_delete:
            provider_of(record, self.store, self._registry).delete(record)
        return None

    def _apply(self, goal: Goal, record: Record | None, step: Step, doom: Record | None) -> Applied:
        try:
            return self._registry.get(goal.type, goal.provider).apply(goal, record, step)
        except StepError as error:
            if error.partial is not None:
                self.store.put(begun(_made(goal, error.partial), step.op), doom=doom)
            raise

    def _set_up(self, goal: Goal, record: Record | None, step: Step) -> tuple[Applied, Record | None]:
        if record is None or step.op is not Op.REPLACE:
            return Applied(record.id if record and record.id else str(uuid.uuid4()), goal.inputs), None
        # What the old provider made is found by it alone: those records now name it instead of the new one.
        self.store.put(record, doom=record)
        for owned in [r for r in list(self.store.records.values()) if r.provider == record.urn]:
            self.store.put(replace(owned, provider=doomed_key(record)))
        return Applied(str(uuid.uuid4()), goal.inputs), record


def takeovers(changes: Iterable[FieldChange | Field]) -> Takeovers:
    """Return what `changes` take over from somebody else."""
    return frozenset((change.path, change.note) for change in changes if "taken over from" in change.note)


_NOTHING: tuple[str, Takeovers] = ("", frozenset())


def unexpected(error: Exception) -> str:
    """Describe a failure nobody has foreseen: where it happened, and that it is ours."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{where}: {error}; this is a defect of the engine, please report it"


def _deletes_first(goal: Goal) -> bool:
    """Objects of Kubernetes have the names they were given, so two of them cannot be there at once."""
    return goal.options.delete_before_replace or package(goal.type) == "kubernetes"


def _answer(id_: str, outputs: Mapping[str, Any], goal: Goal, record: Record | None) -> Answer:
    if not goal.custom:
        outputs = goal.inputs
    return Answer(True, id_, outputs, _secret_outputs(goal, outputs, record))


def _secret_outputs(goal: Goal, outputs: Mapping[str, Any], record: Record | None) -> frozenset[str]:
    secret = goal.secret_inputs | frozenset(goal.options.additional_secret_outputs)
    if record is not None:
        secret |= record.secret_outputs
    return secret & outputs.keys()


def _made(goal: Goal, done: Applied) -> Record:
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
