"""Restarts workloads as `kubectl rollout restart` does, one at a time in each namespace, and waits for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from meshctl.local.model import StepError
from meshctl.local.planner import Watcher
from meshctl.local.providers.kubernetes import readiness
from meshctl.local.providers.kubernetes.cluster import Cluster
from meshctl.local.providers.kubernetes.errors import ApiError, explain
from meshctl.restart.find import Old, Workload, listed
from meshctl.restart.proxies import Injectors, NobodyError, is_alive, is_old, running

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
MANAGER = "mesh-restart"
AT_ONCE = 4
"""Namespaces at a time."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class RestartError(Exception):
    """A workload did not come through its restart: in words for the user, why."""


@dataclass
class Outcome:
    """What became of the workloads of one cluster."""

    done: list[Workload] = field(default_factory=list)
    failed: dict[Workload, str] = field(default_factory=dict)
    """What rolled when Ctrl-C came is among them: it goes on by itself, and nobody sees its end."""
    not_begun: list[Workload] = field(default_factory=list)


class Roller:
    """Restarts in one cluster."""

    def __init__(
        self, cluster: Cluster, injectors: Injectors, watcher: Watcher, stop: threading.Event, timeout: float
    ) -> None:
        self._cluster, self._injectors, self._watcher, self._stop = cluster, injectors, watcher, stop
        self._timeout = timeout
        self._lock = threading.Lock()

    def run(self, old: Iterable[Old], *, keep_going: bool) -> Outcome:
        """Restart all; after a failure nothing new begins, unless `keep_going`, and what runs is waited for."""
        outcome = Outcome()
        work = sorted((entry.workload for entry in old), key=lambda item: (item.namespace, item))
        groups = groupby(work, key=lambda item: item.namespace)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            waited = [pool.submit(self._namespace, list(group), outcome, keep_going) for _, group in groups]
            try:
                for future in waited:
                    future.result()
            except BaseException:
                self._stop.set()
                raise
        return outcome

    def _namespace(self, workloads: list[Workload], outcome: Outcome, keep_going: bool) -> None:
        for workload in workloads:
            if self._stop.is_set() or (outcome.failed and not keep_going):
                with self._lock:
                    outcome.not_begun.append(workload)
                continue
            self._watcher.begin(str(workload), "update")
            error = self._attempt(workload)
            with self._lock:
                if error:
                    outcome.failed[workload] = error
                else:
                    outcome.done.append(workload)
            self._watcher.end(str(workload), "update", error)

    def _attempt(self, workload: Workload) -> str:
        """Why it failed, empty when it did not."""
        try:
            self._restart(workload)
            self._check(workload, self._wait(workload))
        except (RestartError, StepError) as error:
            return str(error)
        except ApiError as error:
            return explain("the API server", error)
        return ""

    def _restart(self, workload: Workload) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = {
            "apiVersion": "apps/v1",
            "kind": workload.kind,
            "metadata": {"name": workload.name, "namespace": workload.namespace},
            "spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}},
        }
        self._cluster.request("PATCH", workload.path, {"fieldManager": MANAGER, "force": "true"}, body)

    def _wait(self, workload: Workload) -> Mapping[str, Any]:
        until, pause, missing = time.monotonic() + self._timeout, _FIRST_PAUSE, ""
        while True:
            live = self._cluster.get(workload.path)
            if live is None:
                raise RestartError("somebody deleted it meanwhile")
            missing = readiness.missing(live, self._cluster)
            if not missing:
                return live
            progress = readiness.condition(live, "Progressing")
            if progress.get("reason") == "ProgressDeadlineExceeded" and _is_observed(live):
                raise RestartError(f"its rollout does not progress: {progress.get('message', '')}{_refused(live)}")
            self._watcher.waiting(str(workload), missing)
            if time.monotonic() > until:
                raise RestartError(
                    f"not ready after {self._timeout:g} s; it waits for {missing}{_refused(live)}. It goes on: "
                    "`kubectl rollout status` tells how, `kubectl rollout undo` takes it back, --timeout waits longer"
                )
            if self._stop.wait(pause):
                raise RestartError(f"interrupted; the rollout goes on, and waits for {missing}")
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _check(self, workload: Workload, live: Mapping[str, Any]) -> None:
        """Whether the new pods have the new proxy: a restart that does not bring it would be asked for for ever."""
        home = self._cluster.request("GET", f"/api/v1/namespaces/{workload.namespace}")[1]
        path = f"/api/v1/namespaces/{workload.namespace}/pods"
        for pod in listed(self._cluster, path, {"labelSelector": _selector(live["spec"]["selector"])}):
            if not is_alive(pod):
                continue
            runs = running(pod)
            try:
                wanted = self._injectors.wanted(home, pod)
            except NobodyError as nobody:
                raise RestartError(f"somebody changed labels meanwhile: {nobody}") from None
            if runs is None:
                raise RestartError(
                    f"pod {pod['metadata']['name']} came back without a proxy: no webhook injected it; see that "
                    f"the one of {wanted} is in the cluster and answers"
                )
            if is_old(runs, wanted):
                raise RestartError(
                    f"its new pods still get the proxy of {runs} and not of {wanted}; see where the tag points in the "
                    "cluster (`istioctl tag list`): the document says this, and the cluster may not have been told yet "
                    "(`mesh up`)"
                )


def _is_observed(live: Mapping[str, Any]) -> bool:
    return int(live["status"].get("observedGeneration", 0)) >= int(live["metadata"].get("generation", 0))


def _refused(live: Mapping[str, Any]) -> str:
    """What a controller says that may not make pods, such as the words of a webhook that does not answer."""
    message = readiness.condition(live, "ReplicaFailure").get("message")
    return f" ({message})" if message else ""


def _selector(selector: Mapping[str, Any]) -> str:
    terms = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    for term in selector.get("matchExpressions") or ():
        values = f" ({','.join(term.get('values') or ())})"
        words = {"In": f"{term['key']} in{values}", "NotIn": f"{term['key']} notin{values}", "Exists": term["key"]}
        terms.append(words.get(term["operator"], f"!{term['key']}"))
    return ",".join(terms)
