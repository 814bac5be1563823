"""Keeps the phase of a rotation in the stack's state, and refuses a step that would break trust.

A program does not know what was applied before; a resource's provider is told. There are two gates: `entered` comes
before everything that changes with a phase, `reached` after it. The second one knows whether the phase before was
finished in every cluster, also when an `up` was interrupted; the first one counts, so that phases which were entered
and never finished are seen. Both refuse in `check`, which runs in the preview already. Where the preview was skipped,
`entered` still stops everything in the clusters; what `reached` alone knows comes too late then. Neither touches a
cluster.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from mesh_components.topology.rotation import Position, refusal, unfinished


class GateProvider(ResourceProvider):
    """Refuses where `topology.rotation` does. Has no state of its own; the engine finds it by its name."""

    serialize_as_secret_always = False
    """What the engine keeps of it is the name of this class."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Compare with what was applied last, and count what is entered."""
        before, after = _before(_olds), _position(news)
        why = refusal(before, after)
        inputs = {key: value for key, value in news.items() if key != "__provider"}
        entry, last = _number(news, "entry"), _number(_olds, "entry")
        if "entry" not in news:
            inputs["entry"] = (last or 0) + (before is None or before.steps != after.steps)
        elif before is not None and not why and entry is not None and last is not None:
            why = unfinished(before, after, entry - last)
        return CheckResult(inputs, [CheckFailure("phase", why)] if why else [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Nothing is ever replaced: what is kept would be lost."""
        keys = ("serial", "phase", "multiRoot", "entry")
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in keys), replaces=[])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Keep it."""
        return CreateResult("phase", _outputs(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Keep the new one."""
        return UpdateResult(_outputs(_news))


class RotationGate(Resource, module="trust", name="RotationGate"):
    """The phase that was entered, or reached, last."""

    entry: pulumi.Output[int]
    """How often another phase was entered, this one included."""

    def __init__(
        self,
        name: str,
        at: Position,
        entry: pulumi.Input[int] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """With an `entry`, that of the gate before everything, it is the one after everything."""
        props: dict[str, Any] = {"serial": at.serial, "phase": at.phase, "multiRoot": at.multi_root}
        super().__init__(GateProvider(), name, {**props, "entry": entry}, opts)


def _before(olds: dict[str, Any]) -> Position | None:
    return _position(olds) if "serial" in olds else None


def _position(props: dict[str, Any]) -> Position:
    return Position(int(props["serial"]), props["phase"], bool(props["multiRoot"]))


def _number(props: dict[str, Any], key: str) -> int | None:
    """Numbers come as floats; what is not known yet comes as a text."""
    value = props.get(key)
    return int(value) if isinstance(value, int | float) else None


def _outputs(props: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in props.items() if key != "__provider"}
