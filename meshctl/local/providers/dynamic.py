"""The `pulumi-python` package: resources whose provider is a Python class of the program (`pulumi.dynamic`).

Asks those classes what Pulumi's own host of them asks (pulumi/pulumi: sdk/python/lib/pulumi/dynamic/__main__.py), in
the same order: `check` of the inputs, `diff` of the recorded outputs with them, then `create`, `update` or `delete`.
Every pass also calls `read`, as `pulumi preview --refresh` does, so drift shows. What a class logs by `logging` as a
warning while it is asked is a warning of the step.

The class itself lies in the input `__provider`, pickled: a secret, as it may have captured some, and never shown.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from meshctl.local import sdk, sdk_dynamic
from meshctl.local.model import UNKNOWN, Applied, FieldChange, Goal, Op, Record, Step, StepError
from meshctl.local.values import differences, scrub, strings

_CODE = "__provider"
_ASKED = FieldChange("", None, None, "its provider asks for it")


class DynamicProvider:
    """All dynamic resources of a stack, whatever their classes."""

    cluster = ""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        """`inputs` is what a class finds around it: the `project`, the `folder` of its program, the `config` of the
        stack and which of its `secretKeys` are secret."""
        self._project, self._folder = str(inputs.get("project", "")), str(inputs.get("folder", ""))
        self._config: Mapping[str, str] = inputs.get("config", {})
        self._hidden = [self._config[key] for key in inputs.get("secretKeys", ())]
        self._loaded: dict[str, Any] = {}
        self._lock = threading.Lock()

    def plan(self, goal: Goal, record: Record | None) -> Step:
        """Check the inputs, look at what is there, and ask for the difference."""
        code = goal.inputs[_CODE]
        if code is UNKNOWN and record is None:
            return Step(Op.CREATE)
        asked = self._asked(record.inputs[_CODE] if record and code is UNKNOWN else code, goal, record)
        with asked.warnings() as warnings:
            step = _plan(asked, goal, record)
        return Step(step.op, step.changes, step.outputs, (*step.warnings, *warnings), step.inputs, step.delete_first)

    def apply(self, goal: Goal, record: Record | None, step: Step) -> Applied:
        """Create, or update what the record names; a class says what is known of it afterwards."""
        asked = self._asked(goal.inputs[_CODE], goal, record)
        with asked.warnings() as warnings:
            if record is not None and step.op is Op.UPDATE:
                id_, outputs = record.id, asked.update(record, goal.inputs)
            else:
                id_, outputs = asked.create(goal.inputs)
        return Applied(id_, outputs, tuple(warnings))

    def delete(self, record: Record) -> None:
        """Let the class delete that has been recorded; one that never came to be has no id."""
        if record.id:
            self._asked(record.outputs.get(_CODE) or record.inputs[_CODE], record, None).delete(record)

    def invoke(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 (none is known)
        """Know no functions: Pulumi's host has none either."""
        message = f"{token} is no function of a dynamic provider"
        raise StepError(message)

    def _asked(self, code: str, of: Goal | Record, record: Record | None) -> _Asked:
        hidden = [*self._hidden, *_secrets(of), *(_secrets(record) if record is not None else ())]
        try:
            with self._lock:
                if code not in self._loaded:
                    self._loaded[code] = sdk_dynamic.load(code, self._folder, self._config, self._project)
        except Exception as error:  # noqa: BLE001 (code of the user's runs here)
            raise _failed("cannot be loaded", error, hidden) from None
        return _Asked(self._loaded[code], code, hidden)


def _plan(asked: _Asked, goal: Goal, record: Record | None) -> Step:
    if record is None:
        return Step(Op.CREATE, inputs=asked.check({}, goal.inputs))
    inputs, olds = asked.read(record)
    if olds is None:
        gone = f"{record.name} was deleted outside of this program"
        return Step(Op.CREATE, warnings=(gone,), inputs=asked.check({}, goal.inputs))
    news = asked.check(inputs, goal.inputs)
    found = asked.diff(record.id, olds, news)
    changes = tuple(change for change in differences(inputs, news) if change.path != _CODE)
    # A class that does not know leaves it to the inputs.
    if not (inputs != news if found.changes is None else found.changes):
        return Step(Op.SAME, outputs=olds, inputs=news)
    if found.replaces:
        # What was recorded is no base for what takes its place.
        fresh = asked.check({}, goal.inputs)
        return Step(Op.REPLACE, changes or (_ASKED,), inputs=fresh, delete_first=bool(found.delete_before_replace))
    return Step(Op.UPDATE, changes or (_ASKED,), inputs=news)


class _Asked:
    """One class of a program, and questions to it in Pulumi's plain values; what it raises becomes a StepError."""

    def __init__(self, provider: Any, code: str, hidden: list[str]) -> None:
        self._provider = provider
        self._code = code
        self._hidden = hidden

    def check(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Mapping[str, Any]:
        result = self._call("check", sdk_dynamic.handed(olds), sdk_dynamic.handed(news))
        if result.failures:
            reasons = "; ".join(f"{failure.property}: {failure.reason}" for failure in result.failures)
            raise StepError(scrub(reasons, iter(self._hidden)))
        return self._answered("check", result.inputs, news[_CODE])

    def read(self, record: Record) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
        """Return inputs and outputs as they are now; no outputs where nothing is there any more."""
        result = self._call("read", record.id, sdk_dynamic.handed(record.outputs))
        inputs = record.inputs
        if result.inputs is not None:
            inputs = self._answered("read", result.inputs, record.inputs[_CODE])
        return inputs, self._answered("read", result.outs) if result.id else None

    def diff(self, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Any:
        return self._call("diff", id_, sdk_dynamic.handed(olds), sdk_dynamic.handed(news))

    def create(self, inputs: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        result = self._call("create", sdk_dynamic.handed(inputs))
        if not result.id:
            message = "its provider returned no id from `create`, so what it may have made cannot be recorded"
            raise StepError(message)
        return str(result.id), self._answered("create", result.outs)

    def update(self, record: Record, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        result = self._call("update", record.id, sdk_dynamic.handed(record.outputs), sdk_dynamic.handed(inputs))
        return self._answered("update", result.outs)

    def delete(self, record: Record) -> None:
        self._call("delete", record.id, sdk_dynamic.handed(record.outputs))

    @contextmanager
    def warnings(self) -> Iterator[list[str]]:
        """Collect what is logged as a warning by this thread, instead of letting it be printed into the display."""
        found: list[str] = []
        handler = _Collector(lambda text: found.append(scrub(text, iter(self._hidden))))
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            yield found
        finally:
            root.removeHandler(handler)

    def _call(self, method: str, *args: Any) -> Any:
        try:
            return getattr(self._provider, method)(*args)
        except Exception as error:  # noqa: BLE001 (code of the user's runs here)
            raise _failed(f"failed in `{method}`", error, self._hidden) from None

    def _answered(self, method: str, values: Mapping[str, Any] | None, code: Any = None) -> Mapping[str, Any]:
        try:
            return {**sdk_dynamic.unmarked(values or {}), _CODE: code or self._code}
        except (TypeError, ValueError) as error:
            # What it returned may be secret, and is not known as such here.
            message = f"its provider returned from `{method}` what is not plain values ({type(error).__name__})"
            raise StepError(message) from None


class _Collector(logging.Handler):
    """Hands on the warnings of the thread that made it; many resources are planned at once."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on one message."""
        if record.thread == self._thread:
            self._tell(record.getMessage())


def _secrets(of: Goal | Record) -> Iterator[str]:
    for key in of.secret_inputs - {_CODE}:
        yield from strings(of.inputs.get(key))
    if isinstance(of, Record):
        for key in of.secret_outputs - {_CODE}:
            yield from strings(of.outputs.get(key))


def _failed(what: str, error: Exception, hidden: list[str]) -> StepError:
    text = str(error) if isinstance(error, sdk.RunError) else f"{type(error).__name__}: {error}"
    return StepError(scrub(f"its provider {what}: {text}", iter(hidden)))
