"""What the local engine and its providers tell each other: a goal, what is recorded of it, and the step between.

Values are plain JSON values. One that is not known before something has been applied is `UNKNOWN`; which top-level
properties are secret is kept beside the values, by name, as Pulumi's wire format bubbles secrets up to there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable


class Unknown:
    """The type of `UNKNOWN`, a value that only applying can tell."""

    def __repr__(self) -> str:
        return "<known after apply>"

    def __deepcopy__(self, memo: object) -> Unknown:
        return self


UNKNOWN = Unknown()


class Op(StrEnum):
    """What happens to one resource; the words are those of `pulumi preview`."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True)
class Options:
    """The resource options that the local engine honours; any other one that would change a step is refused.

    Hooks alone are accepted and not run: the one that this library sets, patience with a webhook that nobody serves
    yet, is the Kubernetes provider's own habit here.
    """

    protect: bool = False
    retain_on_delete: bool = False
    delete_before_replace: bool = False
    ignore_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    deleted_with: str = ""
    replacement_trigger: Any = None
    timeouts: Mapping[str, float] = field(default_factory=dict)
    """Seconds, by `create`, `update`, `delete`."""


@dataclass(frozen=True)
class Goal:
    """One resource as the program asks for it."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    provider: str
    """URN of the provider resource, or "" where there is none (components, providers, packages without settings)."""
    inputs: Mapping[str, Any]
    secret_inputs: frozenset[str]
    dependencies: tuple[str, ...]
    options: Options = Options()


@dataclass(frozen=True)
class Record:
    """One resource as the state file knows it."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    provider: str
    inputs: Mapping[str, Any]
    secret_inputs: frozenset[str]
    dependencies: tuple[str, ...]
    id: str
    outputs: Mapping[str, Any]
    secret_outputs: frozenset[str]
    options: Options = Options()
    pending: Op | None = None
    """The operation that was begun and whose end was never recorded: the process was killed in between."""

    def goal(self) -> Goal:
        """What was asked for when it was recorded."""
        return Goal(
            urn=self.urn,
            type=self.type,
            name=self.name,
            custom=self.custom,
            parent=self.parent,
            provider=self.provider,
            inputs=self.inputs,
            secret_inputs=self.secret_inputs,
            dependencies=self.dependencies,
            options=self.options,
        )


@dataclass(frozen=True)
class FieldChange:
    """One field that differs. `old` or `new` is None where the field is absent on that side."""

    path: str
    old: Any
    new: Any
    note: str = ""
    """Something a reader must know before agreeing, such as «taken over from kubectl-edit»."""


@dataclass(frozen=True)
class Step:
    """What a provider would do for one goal."""

    op: Op
    changes: tuple[FieldChange, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """The outputs after the step as far as they can be told now; `UNKNOWN` for the rest."""
    warnings: tuple[str, ...] = ()
    inputs: Mapping[str, Any] | None = None
    """What the provider made of the inputs, to be applied and recorded instead of them; None where it leaves them."""
    delete_first: bool = False
    """Whether a replacement has to wait until what it replaces is gone."""


@dataclass(frozen=True)
class Applied:
    """What came of a step."""

    id: str
    outputs: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


class StepError(Exception):
    """A step that failed, in words for the user: what, where, why, fix. Carries no secret value.

    Attributes:
        partial: what exists all the same (an object that was created and then did not become ready), so that it is
            recorded and the next run goes on from it.
    """

    def __init__(self, message: str, partial: Applied | None = None) -> None:
        super().__init__(message)
        self.partial = partial


class Unreachable(StepError):  # noqa: N818 (it says what is so, not that anything went wrong)
    """Raised by `plan` where the API server cannot be asked: a preview then compares with what is recorded instead."""


class Progress(Protocol):
    """Told what a step is waiting for, in words for the user."""

    def __call__(self, urn: str, message: str) -> None: ...  # noqa: D102


class Provider(Protocol):
    """The little that a resource provider of the local engine does. One instance a configured provider resource."""

    cluster: str
    """The cluster this provider acts on, for display; "" where there is none."""

    def plan(self, goal: Goal, record: Record | None) -> Step:
        """Compare what is asked with what is there (not only with what is recorded). Changes nothing."""
        ...

    def apply(self, goal: Goal, record: Record | None, step: Step) -> Applied:
        """Carry out a create or update that `plan` returned, and wait until it is ready. Raises StepError."""
        ...

    def delete(self, record: Record) -> None:
        """Delete what `record` names and wait until it is gone; nothing there is success. Raises StepError."""
        ...

    def invoke(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a provider function such as `kubernetes:helm:template`. Raises StepError."""
        ...


@runtime_checkable
class RecordedPlanner(Provider, Protocol):
    """A provider that can also plan without asking anybody, for a preview that met `Unreachable`."""

    def plan_recorded(self, goal: Goal, record: Record | None) -> Step:
        """Compare with the record alone."""
        ...


@runtime_checkable
class Foretelling(Provider, Protocol):
    """A provider that can say beforehand what would hold up a deletion."""

    def hindrance(self, record: Record) -> str:
        """In words; empty where there is nothing. Asks what is there, changes nothing. Raises StepError."""
        ...
