"""Decides the step of each resource: what its provider says, and what the engine itself has to say about it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from mesh_components.settings.kubeconfig import KubeconfigError, read
from meshctl.local.model import FieldChange, Goal, Op, Provider, Record, RecordedPlanner, Step, StepError, Unreachable
from meshctl.local.registry import FORESEEN, NEEDS_PROVIDER, PROVIDER_PREFIX, Registry, needs_cli, package
from meshctl.local.state import Store
from meshctl.local.values import differences, keep_old, split_path


class Watcher(Protocol):
    """Told what happens, to show it."""

    def begin(self, urn: str, op: str) -> None:
        """A step begins."""

    def waiting(self, urn: str, message: str) -> None:
        """A step waits for something."""

    def end(self, urn: str, op: str, error: str) -> None:
        """A step has ended; `error` is empty where it went well."""

    def warn(self, message: str) -> None:
        """Something to know."""


@dataclass(frozen=True)
class Plan:
    """A step with what it is for."""

    goal: Goal
    record: Record | None
    former: str
    """The URN the record is found under; another one than the goal's if an alias led to it."""
    step: Step
    moved: bool = False
    """Whether the resource leaves the provider that made it; what that one made stays until the end."""

    @property
    def known(self) -> Record | None:
        """The record as far as it means anything to the provider in charge now."""
        return self.record if self.record is not None and self.record.id and not self.moved else None


class Planner:
    """Plans one pass."""

    def __init__(self, store: Store, registry: Registry, watcher: Watcher, warned: set[str], *, preview: bool) -> None:
        """In a preview, what cannot be asked is compared with the state; what is in `warned` is not said again."""
        self.goals: dict[str, Goal] = {}
        """What the program has asked for so far."""
        self._store = store
        self._registry = registry
        self._watcher = watcher
        self._preview = preview
        self._aliases: dict[str, list[str]] = {}
        self._renamed: dict[str, str] = {}
        self._replaced: set[str] = set()
        self._warned = warned
        self._lock = threading.Lock()

    def plan(self, goal: Goal, aliases: Iterable[str]) -> Plan:
        """Plan the step of `goal`. Raises StepError where there can be none."""
        record, former = self._recorded(goal, self._all_aliases(goal, aliases))
        if record is not None:
            for path in goal.options.ignore_changes:
                goal = replace(goal, inputs=keep_old(goal.inputs, record.inputs, split_path(path)))
        if not goal.custom:
            plan = Plan(goal, record, former, plan_plain(goal, record))
        elif not self._registry.knows(goal.type) or (not self._preview and package(goal.type) in FORESEEN):
            raise StepError(needs_cli(goal.type))
        elif goal.type.startswith(PROVIDER_PREFIX):
            plan = Plan(goal, record, former, self._plan_provider(goal, record))
        else:
            plan = self._plan_custom(goal, record, former)
        for warning in plan.step.warnings:
            self._warn_once(warning, warning)
        if plan.step.op is Op.REPLACE and record is not None and record.options.protect and goal.options.protect:
            message = "it is protected and would be replaced; take `protect` off it in the program first, and run `up`"
            raise StepError(message)
        return plan

    def cluster_of(self, resource: Goal | Record) -> str:
        """Name the cluster a resource lives on, for display."""
        owner: Goal | Record | None = resource
        if not resource.type.startswith(PROVIDER_PREFIX):
            owner = (
                self.goals.get(resource.provider)
                or self._store.records.get(resource.provider)
                or self._store.doomed.get(resource.provider)
            )
        return cluster_name(owner.inputs) if owner is not None else ""

    def _recorded(self, goal: Goal, aliases: Iterable[str]) -> tuple[Record | None, str]:
        for urn in (goal.urn, *aliases):
            record = self._store.records.get(urn)
            if record is not None and (urn == goal.urn or urn not in self.goals):
                if urn != goal.urn:
                    self._renamed[urn] = goal.urn
                return record, urn
        return None, goal.urn

    def _all_aliases(self, goal: Goal, given: Iterable[str]) -> list[str]:
        """Add what a child is known by because of its parent's aliases: renamed parents take their children along."""
        aliases = list(given)
        name = goal.parent.rpartition("::")[2]
        for urn in self._aliases.get(goal.parent, ()):
            types, _, old = urn.rpartition("::")
            own = old + goal.name.removeprefix(name) if goal.name.startswith(name) else goal.name
            aliases.append(f"{types}${goal.type}::{own}")
        if aliases:
            self._aliases[goal.urn] = aliases
        return aliases

    def aliases(self, urn: str) -> tuple[str, ...]:
        """What else a resource of this pass is known by."""
        return tuple(self._aliases.get(urn, ()))

    def is_claimed(self, urn: str) -> bool:
        """Tell whether the program still has the resource that is recorded under `urn`."""
        return urn in self.goals or urn in self._renamed

    def _plan_provider(self, goal: Goal, record: Record | None) -> Step:
        self._registry.configure(goal.urn, goal.type, goal.inputs)
        step = plan_plain(goal, record)
        if record is not None and _another_cluster(record.inputs, goal.inputs):
            self._replaced.add(goal.urn)
            return replace(step, op=Op.REPLACE)
        return step

    def _plan_custom(self, goal: Goal, record: Record | None, former: str) -> Plan:
        if package(goal.type) in NEEDS_PROVIDER and not goal.provider:
            message = (
                f"{goal.type} {goal.name!r} has no provider of its own, and the default one, which acts on whatever "
                "cluster this machine points at, is disabled; pass `provider=` or give its component `providers=[...]`"
            )
            raise StepError(message)
        provider = self._registry.get(goal.type, goal.provider)
        moved = record is not None and (
            self._renamed.get(record.provider, record.provider) != goal.provider or goal.provider in self._replaced
        )
        plan = Plan(goal, record, former, Step(Op.SAME), moved)
        step = self._judge(plan, self._ask(provider, goal, plan.known), provider)
        if step.inputs is not None:
            goal = replace(goal, inputs=step.inputs)
        return replace(plan, goal=goal, step=step)

    def _judge(self, plan: Plan, step: Step, provider: Provider) -> Step:
        """Replace what the program wants replaced, and finish what was interrupted."""
        record, goal = plan.record, plan.goal
        if record is None:
            return step
        if plan.moved:
            # What its new provider finds now may be the very object that its old one is about to delete.
            return replace(step, op=Op.REPLACE, changes=(_MOVED,), warnings=())
        if plan.known is None:
            return step
        if _is_triggered(record, goal):
            fresh = self._ask(provider, goal, None)
            return replace(fresh, op=Op.REPLACE, changes=(*step.changes, _TRIGGERED))
        if record.pending is not None and step.op is Op.SAME:
            note = FieldChange("", None, None, f"finishes a step ({record.pending}) that was interrupted")
            return replace(step, op=Op.UPDATE, changes=(note,))
        return step

    def _ask(self, provider: Provider, goal: Goal, record: Record | None) -> Step:
        try:
            return provider.plan(goal, record)
        except Unreachable as error:
            if not self._preview:
                raise
            where = f"unreachable {provider.cluster or goal.provider}"
            self._warn_once(where, f"{error}; compared with the state instead")
            if isinstance(provider, RecordedPlanner):
                return provider.plan_recorded(goal, record)
            return plan_plain(goal, record)

    def _warn_once(self, key: str, message: str) -> None:
        with self._lock:
            if key in self._warned:
                return
            self._warned.add(key)
        self._watcher.warn(message)


_MOVED = FieldChange("", None, None, "moves from one provider to another")
_TRIGGERED = FieldChange("", None, None, "its replacement_trigger has another value")


def plan_plain(goal: Goal, record: Record | None) -> Step:
    """Compare with the record alone: for components and providers, and for what cannot be asked."""
    if record is None:
        return Step(Op.CREATE, outputs=goal.inputs)
    changes = tuple(differences(record.inputs, goal.inputs))
    if changes:
        return Step(Op.UPDATE, changes, {**record.outputs, **goal.inputs})
    return Step(Op.SAME, (), record.outputs)


def cluster_name(inputs: Mapping[str, Any]) -> str:
    """Name the cluster that a provider with these inputs acts on."""
    identifier = inputs.get("clusterIdentifier")
    return identifier.rpartition("/")[2] if isinstance(identifier, str) else ""


def _is_triggered(record: Record, goal: Goal) -> bool:
    old, new = record.options.replacement_trigger, goal.options.replacement_trigger
    return old is not None and new is not None and old != new


def _another_cluster(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether a provider of Kubernetes is of another cluster, and all its objects with it: as its identifier says, or,
    where it never had one, the server in its kubeconfig (pulumi-kubernetes, `DiffConfig`)."""
    old, new = olds.get("clusterIdentifier"), news.get("clusterIdentifier")
    if old or new or "kubeconfig" not in olds or "kubeconfig" not in news:
        return bool(old and new and old != new)
    return _server(olds["kubeconfig"]) != _server(news["kubeconfig"])


def _server(kubeconfig: Any) -> str:
    try:
        return read(kubeconfig).server if isinstance(kubeconfig, str) else ""
    except KubeconfigError:
        return ""
