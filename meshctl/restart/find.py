"""Looks through a cluster for workloads with old proxies. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from meshctl.local.providers.kubernetes.cluster import Cluster
from meshctl.restart.proxies import Injectors, NobodyError, Object, Proxy, is_alive, is_old, running

PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
_PAGE = "500"


@dataclass(frozen=True, order=True)
class Workload:
    """What owns pods: the one thing to restart for all of them."""

    cluster: str
    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.cluster}  {self.namespace}/{self.name} ({self.kind})"

    @property
    def path(self) -> str:
        """Of the object, for the kinds that roll."""
        return f"/apis/apps/v1/namespaces/{quote(self.namespace)}/{PLURALS[self.kind]}/{quote(self.name)}"


@dataclass
class Old:
    """A workload with pods of an old proxy."""

    workload: Workload
    runs: set[Proxy] = field(default_factory=set)
    wanted: set[Proxy] = field(default_factory=set)
    pods: int = 0

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            **vars(self.workload),
            "pods": self.pods,
            "runs": sorted(map(str, self.runs)),
            "wanted": sorted(map(str, self.wanted)),
        }


@dataclass(frozen=True, order=True)
class Left:
    """A workload with an old proxy that is not restarted."""

    workload: Workload
    why: str

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        return {**vars(self.workload), "why": self.why}


@dataclass(frozen=True)
class Found:
    """What there is to do in one cluster."""

    old: tuple[Old, ...]
    left: tuple[Left, ...]
    pods: int
    """How many pods have a proxy."""


def look(cluster: Cluster, injectors: Injectors, namespace: str | None) -> Found:
    """Compare every pod's proxy with the one it would get."""
    inside = f"/api/v1/namespaces/{quote(namespace)}" if namespace else "/api/v1"
    path = f"/api/v1/namespaces/{quote(namespace)}" if namespace else "/api/v1/namespaces"
    spaces = [cluster.request("GET", path)[1]] if namespace else listed(cluster, path)
    namespaces = {item["metadata"]["name"]: item for item in spaces}
    owners = _Owners(cluster)
    old: dict[Workload, Old] = {}
    left: dict[Workload, str] = {}
    count = 0
    for pod in listed(cluster, f"{inside}/pods"):
        runs = running(pod) if is_alive(pod) else None
        home = namespaces.get(pod["metadata"]["namespace"])
        if runs is None or home is None:
            continue
        count += 1
        try:
            wanted = injectors.wanted(home, pod)
        except NobodyError as nobody:
            left[owners.of(pod)] = f"restarted, it would have no proxy: {nobody}"
            continue
        if is_old(runs, wanted):
            workload = owners.of(pod)
            entry = old.setdefault(workload, Old(workload))
            entry.pods += 1
            entry.runs.add(runs)
            entry.wanted.add(wanted)
    left |= {workload: why for workload in old if (why := owners.refuses(workload))}
    kept = (entry for workload, entry in old.items() if workload not in left)
    return Found(
        tuple(sorted(kept, key=lambda entry: entry.workload)),
        tuple(sorted(Left(workload, why) for workload, why in left.items())),
        count,
    )


def listed(cluster: Cluster, path: str, query: Mapping[str, str] | None = None) -> Iterator[Object]:
    """All objects of a list, page by page."""
    token = ""
    while True:
        answer = cluster.request("GET", path, {**(query or {}), "limit": _PAGE, "continue": token})[1]
        yield from answer.get("items") or ()
        token = (answer.get("metadata") or {}).get("continue") or ""
        if not token:
            return


class _Owners:
    """Whose a pod is. A ReplicaSet is asked once for its Deployment."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._owners: dict[tuple[str, str], tuple[str, str]] = {}

    def of(self, pod: Object) -> Workload:
        namespace = pod["metadata"]["namespace"]
        kind, name = _controller(pod) or ("Pod", pod["metadata"]["name"])
        if kind == "ReplicaSet":
            kind, name = self._deployment(namespace, name)
        return Workload(self._cluster.label, namespace, kind, name)

    def refuses(self, workload: Workload) -> str:
        """Why a workload cannot be restarted; empty when it can."""
        if workload.kind == "Pod":
            return "nothing owns this pod, so nothing would make it anew; delete it and make it again"
        if workload.kind == "Job":
            return "a job is not restarted; it ends, and the next one has the new proxy"
        if workload.kind not in PLURALS:
            return f"this command does not know how to restart a {workload.kind}; restart it as its own tool does"
        spec = (self._cluster.get(workload.path) or {}).get("spec", {})
        if spec.get("paused"):
            return "its rollout is paused; `kubectl rollout resume` it, then restart"
        if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
            return "its updateStrategy is OnDelete, so its pods stay until somebody deletes them, one by one"
        return ""

    def _deployment(self, namespace: str, replica_set: str) -> tuple[str, str]:
        key = (namespace, replica_set)
        if key not in self._owners:
            path = f"/apis/apps/v1/namespaces/{quote(namespace)}/replicasets/{quote(replica_set)}"
            self._owners[key] = _controller(self._cluster.get(path) or {"metadata": {}}) or ("ReplicaSet", replica_set)
        return self._owners[key]


def _controller(item: Object) -> tuple[str, str] | None:
    for owner in item["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return owner["kind"], owner["name"]
    return None
