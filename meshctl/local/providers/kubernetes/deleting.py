"""Taking an object away, and staying until it is gone: what comes after may need its name, or that it acts no more."""

from __future__ import annotations

from meshctl.local.model import Op, Progress, Record, StepError

from .cluster import Cluster
from .errors import ApiError, explain
from .objects import Desired, managers, recorded, split_id
from .planning import Settings
from .waitfor import DEFAULT_SECONDS
from .waiting import Clock, until_gone, why_not_gone

PROPAGATION = "pulumi.com/deletionPropagationPolicy"
_POLICIES = {"foreground": "Foreground", "background": "Background", "orphan": "Orphan"}
_OWNING_GROUPS = ("apps", "batch")


def delete(cluster: Cluster, record: Record, settings: Settings, progress: Progress) -> None:
    """Delete what is recorded. That it is not there, or that its kind is not, is success."""
    clock = Clock(record.options.timeouts.get("delete", DEFAULT_SECONDS), lambda text: progress(record.urn, text))
    desired = recorded(record, settings.stack)
    try:
        if desired.patch:
            _give_up(cluster, desired, record)
        else:
            remove(cluster, desired, record, clock)
    except ApiError as error:
        raise StepError(explain(cluster.where(desired.kind, record.id), error)) from error


def hindrance(cluster: Cluster, record: Record, settings: Settings) -> str:
    """What the object would wait for; looked at, and not touched."""
    desired = recorded(record, settings.stack)
    namespace, name = split_id(record.id or desired.id)
    try:
        kind = cluster.kind(desired.api_version, desired.kind)
        live = cluster.get(cluster.path(desired.api_version, kind, namespace, name)) if kind else None
    except ApiError as error:
        return explain(cluster.where(desired.kind, record.id), error)
    finalizers = (live or {}).get("metadata", {}).get("finalizers") or ()
    if desired.patch or not finalizers:
        return ""
    return f"waits until its finalizers are taken away: {', '.join(map(str, finalizers))}"


def remove(cluster: Cluster, desired: Desired, record: Record, clock: Clock) -> None:
    """Delete the recorded object, and no other that has its name by now."""
    namespace, name = split_id(record.id or desired.id)
    kind = cluster.kind(desired.api_version, desired.kind)
    if kind is None:
        return
    path = cluster.path(desired.api_version, kind, namespace, name)
    if record.pending is Op.CREATE and desired.manager not in managers(cluster.get(path) or {}):
        return  # whether our create ever arrived is not recorded: what is there may be somebody else's
    # What a create was begun for again has another uid than the one recorded; its field manager says whose it is.
    known = "" if record.pending is Op.CREATE else (record.outputs.get("metadata") or {}).get("uid")
    uid = str(known or "")
    left = cluster.delete(path, _propagation(desired), uid)
    if left is None:
        return
    live = until_gone(cluster, path, str(left["metadata"].get("uid")), clock)
    if live is not None:
        raise StepError(
            f"{cluster.where(desired.kind, record.id)}: waited {clock.seconds:g} s for it to be gone, but"
            f" {why_not_gone(live)}; fix: let what set the finalizers finish (is its controller still there?), or"
            " remove them by hand, and run again"
        )


def _propagation(desired: Desired) -> str:
    """Foreground, as Pulumi, for what owns pods; elsewhere it would only make each deletion wait for the collector."""
    annotations = desired.body["metadata"].get("annotations")
    asked = str(annotations.get(PROPAGATION, "")).lower() if isinstance(annotations, dict) else ""
    owning = desired.api_version.partition("/")[0] in _OWNING_GROUPS
    return _POLICIES.get(asked, "Foreground" if owning else "Background")


def _give_up(cluster: Cluster, desired: Desired, record: Record) -> None:
    """Apply nothing: the fields that only this manager set go away, the object and everybody else's stay."""
    kind = cluster.kind(desired.api_version, desired.kind)
    namespace, name = split_id(record.id or desired.id)
    path = cluster.path(desired.api_version, kind, namespace, name) if kind else ""
    live = cluster.get(path) if path else None
    if live is None or live["metadata"].get("deletionTimestamp") or desired.manager not in managers(live):
        return  # an apply would make the object anew
    nothing = {
        "apiVersion": desired.api_version,
        "kind": desired.kind,
        "metadata": {"name": name, "uid": live["metadata"]["uid"]},
    }
    cluster.apply(path, nothing, desired.manager)
