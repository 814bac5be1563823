"""One goal against the live object: what would change, and who else has a say in it.

Mostly one request. Only what the quick comparison does not find equal is asked of the API server itself, by a dry run:
it alone knows its defaults, how it spells quantities, what may change, and whose fields are touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meshctl.local.model import UNKNOWN, FieldChange, Goal, Op, Record, Step, StepError
from meshctl.local.values import has_unknown

from .cluster import Cluster
from .compare import Difference, Path, differences, known, lacking, left
from .errors import ApiError, explain
from .ignoring import keep_ignored
from .immutable import force_new
from .objects import LAST_APPLIED, Desired, as_seen, desire, expected, managers, recorded, split_id, type_of
from .paths import put, render, resolve
from .waitfor import rules

MASK = "[secret]"
GOING = "is being deleted"
"""In the warning of a step that first has to wait; `apply` looks for it."""
_SERVERS_OWN = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink")


@dataclass(frozen=True)
class Settings:
    """What the provider resource says, beyond where the cluster is."""

    stack: str
    secret_mutable: bool = False
    config_map_mutable: bool = False
    upsert: bool = False

    def mutable(self, kind: str) -> bool:
        """Whether the values of this kind may change in place."""
        return {"Secret": self.secret_mutable, "ConfigMap": self.config_map_mutable}.get(kind, True)


def plan(cluster: Cluster, goal: Goal, record: Record | None, settings: Settings) -> Step:
    """What `apply` would do. Raises StepError for what it could not do."""
    desired = desire(goal, record, settings.stack)
    rules(desired.body, goal.options.timeouts)  # a wrong annotation is told before anything is created
    try:
        return _plan(cluster, desired, goal, record, settings)
    except ApiError as error:
        raise StepError(explain(cluster.where(desired.kind, desired.id), error, secret=bool(desired.secret))) from error


def _plan(cluster: Cluster, desired: Desired, goal: Goal, record: Record | None, settings: Settings) -> Step:
    kind = cluster.kind(desired.api_version, desired.kind)
    place(desired, cluster.namespace, namespaced=kind.namespaced if kind else None)
    moved = _moved(desired, record)
    if moved:
        return Step(Op.REPLACE, _shown(moved, desired), expected(desired))
    if desired.name is UNKNOWN or desired.namespace is UNKNOWN or kind is None:
        return _create(desired, record)
    path = cluster.path(desired.api_version, kind, desired.namespace, desired.name)
    # Where something may be there that is not ours, only a look at it tells what is taken over.
    live = cluster.get(path) if desired.patch or settings.upsert else cluster.find(path)
    if live is None:
        return _create(desired, record)
    if live["metadata"].get("deletionTimestamp"):
        return _create(desired, None, f"{GOING}: waits until it is gone, then creates it")
    where = cluster.where(desired.kind, desired.id)
    owned = record is not None and record.pending is not Op.CREATE
    if not (owned or desired.patch or settings.upsert or desired.manager in managers(live)):
        raise StepError(foreign(where, live))
    keep_ignored(desired, live, goal.options.ignore_changes)
    return Comparison(cluster, path, desired, live, settings).step(record)


def place(desired: Desired, default: str, *, namespaced: bool | None) -> None:
    """Set or drop the namespace as the kind needs it; None is a kind that the cluster does not know yet."""
    metadata = desired.body["metadata"]
    if namespaced:
        metadata.setdefault("namespace", default)
    elif namespaced is False:
        metadata.pop("namespace", None)


def foreign(where: str, live: Mapping[str, Any]) -> str:
    """Why an object that somebody else made is left alone."""
    return (
        f"{where}: exists already and is not in this stack's state (written by {_writers(live)});"
        " fix: take it over (`adopt: true` of the cluster; upsert_existing_objects of a provider), set only your fields"
        " of it with a Patch resource, give yours another name, or delete it"
    )


def _writers(live: Mapping[str, Any]) -> str:
    fields = live["metadata"].get("managedFields") or ()
    names = sorted({str(entry.get("manager")) for entry in fields if entry.get("subresource") != "status"})
    return ", ".join(names) or "somebody else"


def _create(desired: Desired, record: Record | None, warning: str = "") -> Step:
    warnings = (f"{desired.kind} {desired.id} {warning}",) if warning else ()
    if desired.patch:
        warnings = (f"{desired.kind} {desired.id} is not there yet: the patch needs it when it is applied",)
    elif record is not None and record.pending is not Op.CREATE:
        warnings = (f"{desired.kind} {desired.id} was deleted outside of this program",)
    return Step(Op.CREATE, (), expected(desired), warnings)


def _moved(desired: Desired, record: Record | None) -> list[Difference]:
    """Changes of what an object is known by."""
    if record is None or not record.id:
        return []
    old_namespace, old_name = split_id(record.id)
    old_version, old_kind, _ = type_of(record.type, record.inputs)
    moved: list[Difference] = []
    if (old_version.rpartition("/")[0], old_kind) != (desired.api_version.rpartition("/")[0], desired.kind):
        moved += [(("apiVersion",), old_version, desired.api_version), (("kind",), old_kind, desired.kind)]
    if desired.namespace != old_namespace:
        moved.append((("metadata", "namespace"), old_namespace or None, desired.namespace or None))
    if desired.name != old_name:
        moved.append((("metadata", "name"), old_name, desired.name))
    return [(path, old, new) for path, old, new in moved if old != new]


def plan_from_record(goal: Goal, record: Record | None, settings: Settings) -> Step:
    """Without a cluster to ask: against the recorded inputs."""
    desired = desire(goal, record, settings.stack)
    rules(desired.body, goal.options.timeouts)
    if record is None:
        return _create(desired, None)
    if "namespace" not in desired.body["metadata"] and (namespace := split_id(record.id)[0]):
        desired.body["metadata"]["namespace"] = namespace
    was = recorded(record, settings.stack)
    if desired.namespace:
        was.body["metadata"].setdefault("namespace", desired.namespace)
    keep_ignored(desired, was.body, goal.options.ignore_changes)
    if moved := _moved(desired, record):
        return Step(Op.REPLACE, _shown(moved, desired), expected(desired))
    changed = list(differences(was.body, desired.body))
    if not changed:
        return Step(Op.SAME, (), record.outputs)
    mutable = settings.mutable(desired.kind)
    new = force_new(desired.kind, (path for path, _, _ in changed), mutable=mutable, frozen=_frozen(record.inputs))
    outputs = expected(desired) if new else {**record.outputs, **desired.body}
    return Step(Op.REPLACE if new else Op.UPDATE, _shown(changed, desired), outputs)


def _frozen(value: Mapping[str, Any]) -> bool:
    return value.get("immutable") is True


@dataclass
class Comparison:
    """One live object against what is wanted of it."""

    cluster: Cluster
    path: str
    desired: Desired
    live: dict[str, Any]
    settings: Settings

    def step(self, record: Record | None) -> Step:
        """SAME after the quick comparison where there is a record to trust; else what a dry run says."""
        body, unknown = (
            known(self.desired.body, self.live) if has_unknown(self.desired.body) else (self.desired.body, [])
        )
        gone = list(self._left(record, body))
        quick = [*lacking(body, self.live), *gone]
        settled = record is not None and record.pending is None
        if settled and not quick and not unknown:
            return Step(Op.SAME, (), as_seen(self.live))
        if not quick:
            return self._conclude(record, unknown, self.live)
        try:
            after, conflicts = self._dry_run(body)
        except ApiError as error:
            rough = [*lacking(self.desired.body, self.live), *(difference for difference in gone if difference[0])]
            return self._refused(error, record, rough, unknown=bool(unknown))
        changed = [*differences(comparable(self.live), comparable(after)), *unknown]
        if record is not None and self._force_new(changed, record):
            return self._replace(changed)
        return self._conclude(record, changed, after, conflicts)

    def _refused(self, error: ApiError, record: Record | None, rough: list[Difference], *, unknown: bool) -> Step:
        """What the quick comparison has found must do, if the refusal is of the dry run only."""
        new = record is not None and self._force_new(rough, record)
        if record is not None and (error.immutable or (error.code == 422 and new)):
            return self._replace(rough)
        why = error.webhook or error.no_dry_run
        if not why and not (unknown and error.malformed):  # what is known alone need not be a valid object
            raise error
        if new:
            return self._replace(rough)
        for path, _, value in rough:
            if value is not None:
                put(self.live, path, value)
        told = f"{self.desired.kind} {self.desired.id}: compared roughly, as no dry run was possible: {error}"
        return self._conclude(record, rough, self.live, warnings=(told,) if why else ())

    def _conclude(
        self,
        record: Record | None,
        changed: list[Difference],
        after: dict[str, Any],
        conflicts: Sequence[tuple[str, str]] = (),
        warnings: tuple[str, ...] = (),
    ) -> Step:
        outputs = dict(as_seen(after))
        for path, _, new in changed:
            if new is UNKNOWN:
                put(outputs, path, UNKNOWN)
        if record is not None and not changed:
            return Step(Op.SAME, (), outputs)
        notes = {resolve(field, after): f"taken over from {manager}" for field, manager in conflicts}
        shown = _shown(changed, self.desired, notes)
        if record is None and self.desired.patch:
            return Step(Op.CREATE, shown, outputs, warnings)
        if record is None:
            mine = self.desired.manager in managers(self.live)
            taken = "made by this stack: taken up again" if mine else f"written by {_writers(self.live)}: taken over"
            warnings = (f"{self.desired.kind} {self.desired.id} exists already, {taken}", *warnings)
        return Step(Op.UPDATE, shown, outputs, warnings)

    def _left(self, record: Record | None, body: Mapping[str, Any]) -> Iterable[Difference]:
        if record is None:
            # Whatever a run that left no record has set may be more than is wanted now: only the dry run can tell.
            return [((), None, None)] if self.desired.manager in managers(self.live) else []
        return left(recorded(record, self.settings.stack).body, body, self.live)

    def _force_new(self, changed: Iterable[Difference], record: Record) -> bool:
        before = recorded(record, self.settings.stack).body
        # Values that only somebody else has changed are put right in place: nobody has read them from the program.
        drifted = all(before.get(key) == self.desired.body.get(key) for key in ("data", "stringData", "binaryData"))
        mutable = self.settings.mutable(self.desired.kind) or drifted
        # A Patch resource does not own the object: it cannot make another one of it.
        return not self.desired.patch and force_new(
            self.desired.kind, (path for path, _, _ in changed), mutable=mutable, frozen=_frozen(self.live)
        )

    def _replace(self, changed: list[Difference]) -> Step:
        return Step(Op.REPLACE, _shown(changed, self.desired), expected(self.desired))

    def _dry_run(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        manager = self.desired.manager
        try:
            return self.cluster.apply(self.path, body, manager, dry=True)[0], []
        except ApiError as error:
            if not error.conflicts:
                raise
            return self.cluster.apply(self.path, body, manager, dry=True, force=True)[0], error.conflicts


def comparable(live: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what the API server, and kubectl, write for themselves."""
    rest = {key: value for key, value in live.items() if key != "status"}
    rest["metadata"] = {key: value for key, value in live["metadata"].items() if key not in _SERVERS_OWN}
    if annotations := rest["metadata"].get("annotations"):
        rest["metadata"]["annotations"] = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
    return rest


def _shown(
    changed: Iterable[Difference], desired: Desired, notes: Mapping[Path, str] | None = None
) -> tuple[FieldChange, ...]:
    """For a reader: no secret values, and each takeover at the change that it belongs to."""
    found = []
    for path, old, new in changed:
        note = "; ".join(sorted({text for at, text in (notes or {}).items() if at[: len(path)] == path[: len(at)]}))
        if path and path[0] in desired.secret:
            old, new = (value if value is None or value is UNKNOWN else MASK for value in (old, new))
        found.append(FieldChange(render(path), old, new, note))
    return tuple(found)
