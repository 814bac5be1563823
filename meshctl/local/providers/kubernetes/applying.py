"""Carrying out a step: server-side apply, as often as it takes, then waiting.

What can be waited out is waited out: a kind whose definition is seconds old, a webhook whose server is not up yet. What
the plan has not told its reader is not done: a conflict that it did not announce is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meshctl.local.model import Applied, Goal, Op, Progress, Record, Step, StepError
from meshctl.local.values import has_unknown

from .cluster import Cluster, Kind
from .compare import differences
from .deleting import remove
from .errors import ApiError, explain
from .ignoring import keep_ignored
from .objects import Desired, as_seen, desire, recorded
from .paths import render, resolve
from .planning import GOING, Settings, comparable, foreign, place
from .waitfor import rules
from .waiting import Clock, until_gone, until_ready, why_not_gone

KIND_SECONDS = 30.0
"""How long a kind may stay unknown after its definition was written: the API server publishes it within seconds."""
NAMESPACE_SECONDS = 5.0


def apply(
    cluster: Cluster, goal: Goal, record: Record | None, step: Step, settings: Settings, progress: Progress
) -> Applied:
    """Create or update the object and wait for it."""
    drawn = str(step.outputs.get("metadata", {}).get("name") or "")
    desired = desire(goal, record, settings.stack, drawn)
    if has_unknown(desired.body):
        raise StepError(f"{goal.urn}: still holds values that are not known; they must be when it is applied")
    how = rules(desired.body, goal.options.timeouts)

    def say(message: str) -> None:
        progress(goal.urn, message)

    clock = Clock(how.seconds("update" if step.op is Op.UPDATE else "create"), say)
    try:
        writer = Writer(cluster, desired, step, clock, goal.options.ignore_changes, settings)
        if step.op is Op.REPLACE and record is not None:
            writer.clear(record)
        live = writer.write()
    except ApiError as error:
        where = cluster.where(desired.kind, desired.id)
        raise StepError(explain(where, error, secret=bool(desired.secret))) from error
    where = cluster.where(desired.kind, desired.id)
    if not desired.patch:
        live = until_ready(cluster, writer.path, live, how, clock, where=where, id_=desired.id)
    return Applied(desired.id, as_seen(live))


@dataclass
class Writer:
    """One object, until the API server has taken it."""

    cluster: Cluster
    desired: Desired
    step: Step
    clock: Clock
    ignored: tuple[str, ...]
    settings: Settings
    path: str = ""
    uid: str = ""
    """Of the object that a Patch resource was made for, lest the apply makes one where it has just gone."""

    @property
    def where(self) -> str:
        """How messages name it."""
        return self.cluster.where(self.desired.kind, self.desired.id)

    def clear(self, record: Record) -> None:
        """A replacement under the same name needs the place: what is recorded goes first, if it has not yet."""
        if self.desired.id == record.id:
            remove(self.cluster, recorded(record, self.settings.stack), record, self.clock)

    def write(self) -> dict[str, Any]:
        """The object after it was applied."""
        kind = self._kind()
        desired = self.desired
        place(desired, self.cluster.namespace, namespaced=kind.namespaced)
        self.path = self.cluster.path(desired.api_version, kind, desired.namespace, desired.name)
        if desired.patch or (self.ignored and self.step.op is Op.UPDATE):
            self._look()
        if any(GOING in warning for warning in self.step.warnings):
            self._until_gone(self.cluster.get(self.path))
        while True:
            live, created = self._patiently()
            if not live["metadata"].get("deletionTimestamp"):
                break
            # It has been on its way out since the plan: what was written goes with it.
            self._until_gone(live)
        if self.step.op in (Op.CREATE, Op.REPLACE) and not created:
            self._ours(live)
        return live

    def _look(self) -> None:
        live = self.cluster.get(self.path)
        if live is None:
            if self.desired.patch:
                raise StepError(
                    f"{self.where}: is not there, and a Patch resource does not create it; fix: create it first"
                    " (depends_on), or register the object itself"
                )
            return
        if self.desired.patch:
            self.uid = str(live["metadata"]["uid"])
        keep_ignored(self.desired, live, self.ignored)

    def _kind(self) -> Kind:
        wait = Clock(min(KIND_SECONDS, self.clock.seconds), self.clock.say)
        while True:
            kind = self.cluster.kind(self.desired.api_version, self.desired.kind)
            if kind is not None:
                return kind
            if not wait.tick(f"the cluster to know {self.desired.kind}"):
                raise StepError(
                    f"{self.where}: the cluster does not know the kind {self.desired.kind} of"
                    f" {self.desired.api_version}; fix: install its CustomResourceDefinition first (depends_on), or"
                    " correct apiVersion"
                )

    def _patiently(self) -> tuple[dict[str, Any], bool]:
        namespace, kind = (
            Clock(min(seconds, self.clock.seconds), self.clock.say) for seconds in (NAMESPACE_SECONDS, KIND_SECONDS)
        )
        while True:
            try:
                return self._once()
            except ApiError as error:
                if not self._passing(error, namespace, kind):
                    raise

    def _passing(self, error: ApiError, namespace: Clock, kind: Clock) -> bool:
        """Wait a little if the error is one that passes by itself."""
        if error.webhook:
            return self.clock.tick(f"the admission webhook {error.webhook} to answer")
        if error.missing_namespace:
            return namespace.tick(f"namespace {self.desired.namespace}")
        return error.code == 404 and kind.tick(f"the cluster to serve {self.desired.kind}")

    def _once(self) -> tuple[dict[str, Any], bool]:
        body, manager, warn = self._sent(), self.desired.manager, self._warn
        try:
            return self.cluster.apply(self.path, body, manager, warn=warn)
        except ApiError as error:
            if not error.conflicts:
                raise
            self._announced(error.conflicts)
            return self.cluster.apply(self.path, body, manager, force=True, warn=warn)

    def _sent(self) -> dict[str, Any]:
        """What goes over the wire. An object of which nothing but its name is applied (a Namespace, a ServiceAccount)
        would not be marked as ours in its managedFields: an empty map of annotations is, and takes nothing away."""
        body = self.desired.body
        extra = {"uid": self.uid} if self.uid else {"annotations": body["metadata"].get("annotations", {})}
        return {**body, "metadata": {**body["metadata"], **extra}}

    def _warn(self, text: str) -> None:
        self.clock.say("the API server warns" + ("" if self.desired.secret else f": {text}"))

    def _announced(self, conflicts: list[tuple[str, str]]) -> None:
        """Raise unless the plan has shown every one of these takeovers, or nothing changes by it."""
        named = [(render(resolve(field, self.desired.body)), field, manager) for field, manager in conflicts]
        unseen = [item for item in named if not self._shown(item[0], item[2])]
        changed = self._changed() if unseen else []
        for path, field, manager in unseen:
            if any(_overlap(one, path) for one in changed):
                raise StepError(
                    f"{self.where}: {path or field} has been set by {manager} since the plan was made; fix: run again,"
                    " and agree to the takeover that the new plan shows, or leave the field out (ignore_changes)"
                )

    def _shown(self, path: str, manager: str) -> bool:
        note = f"taken over from {manager}"
        return any(note in change.note and _overlap(change.path, path) for change in self.step.changes)

    def _changed(self) -> list[str]:
        """What a forced apply would change. An empty text that the API server does not keep is a conflict with whoever
        has applied the same, and no change."""
        live = self.cluster.get(self.path) or {"metadata": {}}
        after, _ = self.cluster.apply(self.path, self._sent(), self.desired.manager, force=True, dry=True)
        return [render(path) for path, _, _ in differences(comparable(live), comparable(after))]

    def _ours(self, live: Mapping[str, Any]) -> None:
        """Raise if somebody else has made the object since the plan saw none: only the answer tells."""
        if self.desired.patch or self.settings.upsert:
            return
        created = str(live["metadata"].get("creationTimestamp"))
        entries = [e for e in live["metadata"].get("managedFields") or () if not e.get("subresource")]
        others = [e for e in entries if e.get("manager") != self.desired.manager and e.get("time", "") <= created]
        # Who has made it without setting a field leaves no entry; then ours is younger than the object.
        late = any(e.get("manager") == self.desired.manager and e.get("time", "") > created for e in entries)
        if others or late:
            bare = {"name": self.desired.name, "uid": live["metadata"]["uid"]}
            nothing = {"apiVersion": self.desired.api_version, "kind": self.desired.kind, "metadata": bare}
            self.cluster.apply(self.path, nothing, self.desired.manager)  # leave it as it was found
            raise StepError(
                f"{foreign(self.where, {'metadata': {'managedFields': others}})}; it appeared since the plan"
            )

    def _until_gone(self, live: Mapping[str, Any] | None) -> None:
        if live is None or not live["metadata"].get("deletionTimestamp"):
            return
        left = until_gone(self.cluster, self.path, str(live["metadata"].get("uid")), self.clock)
        if left is not None:
            raise StepError(
                f"{self.where}: is being deleted, and its name is needed; waited {self.clock.seconds:g} s, but"
                f" {why_not_gone(left)}; fix: let what set the finalizers finish, or remove them by hand"
            )


def _overlap(one: str, other: str) -> bool:
    """Whether one of two rendered paths is the other, or around it."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and long[len(short) : len(short) + 1] in ("", ".", "[")
