"""Waiting until an object is what its users need it to be, or gone; and telling what for.

By short polling: one request per object and second is less than a watch costs to set up for objects that are mostly
ready at the first look, and a connection that breaks needs no care.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from meshctl.local.model import Applied, StepError

from .cluster import Cluster
from .errors import ApiError
from .objects import as_seen
from .readiness import Failed, missing
from .waitfor import Rules

FIRST_PAUSE = 0.1
LAST_PAUSE = 1.0


class Clock:
    """Pauses that grow, until a deadline; says what is waited for when that changes."""

    def __init__(self, seconds: float, say: Callable[[str], None]) -> None:
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._pause = FIRST_PAUSE
        self.say = say
        self._said = ""

    def tick(self, waiting_for: str) -> bool:
        """Sleep; False when the time is over."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            return False
        if waiting_for != self._said:
            self._said = waiting_for
            self.say(f"waiting for {waiting_for}")
        time.sleep(min(self._pause, left))
        self._pause = min(self._pause * 1.5, LAST_PAUSE)
        return True


def until_ready(
    cluster: Cluster,
    path: str,
    live: dict[str, Any],
    how: Rules,
    clock: Clock,
    *,
    where: str,
    id_: str,
) -> dict[str, Any]:
    """The live object once it is ready. Raises StepError with what there is of it as `partial`."""
    while True:
        try:
            waiting_for = _missing(live, how, cluster)
        except Failed as error:
            raise StepError(f"{where}: {error}{_seen(live, cluster)}", _partial(id_, live)) from error
        if not waiting_for:
            return live
        if not clock.tick(waiting_for):
            raise StepError(
                f"{where}: waited {clock.seconds:g} s for {waiting_for}{_seen(live, cluster)}; fix: see why it is not"
                " ready and run again, or give it more time (custom_timeouts, pulumi.com/timeoutSeconds)",
                _partial(id_, live),
            )
        found = cluster.get(path)
        if found is None:
            raise StepError(f"{where}: was deleted by somebody else while this waited for {waiting_for}")
        live = found


def _missing(live: Mapping[str, Any], how: Rules, cluster: Cluster) -> str:
    if how.skip:
        return ""
    if how.conditions:
        return " and ".join(str(condition) for condition in how.conditions if not condition.met(live))
    return missing(live, cluster)


def _partial(id_: str, live: dict[str, Any]) -> Applied:
    return Applied(id_, as_seen(live))


def _seen(live: Mapping[str, Any], cluster: Cluster) -> str:
    """The last that is known of it: conditions that are not met, and the events somebody wrote about it."""
    seen = [
        f"{item.get('type')} is {item.get('status')}{_because(item)}"
        for item in live.get("status", {}).get("conditions") or ()
        if item.get("message") or item.get("status") != "True"
    ]
    seen += _events(live["metadata"], str(live["kind"]), cluster)
    return f" (last seen: {'; '.join(seen)})" if seen else ""


def _because(item: Mapping[str, Any]) -> str:
    text = " ".join(str(item[key]) for key in ("reason", "message") if item.get(key))
    return f" ({text})" if text else ""


def _events(metadata: Mapping[str, Any], kind: str, cluster: Cluster) -> list[str]:
    namespace = quote(str(metadata.get("namespace") or "default"))
    query = {"fieldSelector": f"involvedObject.kind={kind},involvedObject.name={metadata['name']},type=Warning"}
    try:
        items = cluster.request("GET", f"/api/v1/namespaces/{namespace}/events", query)[1].get("items") or []
    except (ApiError, StepError):
        return []  # what is told already matters more
    return [f"event {item.get('reason')}: {item.get('message')}" for item in items[-3:]]


def until_gone(cluster: Cluster, path: str, uid: str, clock: Clock) -> dict[str, Any] | None:
    """None when the object of that uid is gone; what is left of it when the time is over."""
    while True:
        live = cluster.get(path)
        if live is None or live["metadata"].get("uid") != uid:
            return None
        if not clock.tick(_holding(live) or "it to be gone"):
            return live


def _holding(live: Mapping[str, Any]) -> str:
    finalizers = live["metadata"].get("finalizers") or live.get("spec", {}).get("finalizers") or ()
    return f"its finalizers ({', '.join(finalizers)})" if finalizers else ""


def why_not_gone(live: Mapping[str, Any]) -> str:
    """Who has to act before the object can go."""
    blocking = [
        str(item.get("message"))
        for item in live.get("status", {}).get("conditions") or ()
        if item.get("status") == "True" and item.get("message")
    ]
    return "; ".join(filter(None, [_holding(live) or "no finalizers are left", *blocking]))
