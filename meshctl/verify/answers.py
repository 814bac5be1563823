"""What came back: which version answered, in which cluster, how often. Pure: lines in, counts out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_ANSWER = re.compile(r"Hello version: (\w+), instance: (\S+)")
_STATUS = re.compile(r"\s*\[(\d{3})\]\s*$")
_OK = "200"


@dataclass(frozen=True, order=True)
class Target:
    """A version where it runs."""

    version: str
    cluster: str

    def __str__(self) -> str:
        return f"{self.version} in {self.cluster}"


@dataclass(frozen=True)
class Asked:
    """What one cluster's client got."""

    cluster: str
    counts: Mapping[Target, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    """Requests without an answer, by what came instead."""
    unasked: str = ""
    """Why nothing was asked from here; empty where something was."""
    pretended: bool = False
    """True: nobody could be asked, since the lab runs no pods."""

    @property
    def total(self) -> int:
        """How many requests there were."""
        return sum(self.counts.values()) + sum(self.failed.values())

    def share(self, target: Target) -> int:
        """Percent of the requests that it answered."""
        return round(100 * self.counts.get(target, 0) / self.total) if self.total else 0

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        answers = [
            {"version": target.version, "cluster": target.cluster, "count": count, "share": self.share(target)}
            for target, count in sorted(self.counts.items())
        ]
        return {"from": self.cluster, "answers": answers, "failed": dict(self.failed), "unasked": self.unasked}


@dataclass(frozen=True)
class Round:
    """The same requests from every cluster."""

    url: str
    times: int
    """From each cluster."""
    placed: tuple[Target, ...]
    asked: tuple[Asked, ...]

    def heard(self, caller: str, cluster: str) -> bool | str | None:
        """Whether a caller got an answer from a cluster; why it was not asked; None where nothing there can answer."""
        if all(target.cluster != cluster for target in self.placed):
            return None
        one = next((one for one in self.asked if one.cluster == caller), None)
        if one is None or one.unasked:
            return one.unasked if one else "no workloads are meant to be there"
        return any(target.cluster == cluster for target in one.counts)


def read(cluster: str, lines: Iterable[str], pods: Mapping[str, str], placed: Iterable[Target]) -> Asked:
    """Count answers.

    Args:
        cluster: who asked.
        lines: one a request, body and status, `Hello version: v1, instance: helloworld-v1-x [200]`.
        pods: the cluster of each pod.
        placed: where the document has versions; it decides where a pod was that is gone by now.
    """
    homes: dict[str, list[str]] = {}
    for target in placed:
        homes.setdefault(target.version, []).append(target.cluster)
    counts: Counter[Target] = Counter()
    failed: Counter[str] = Counter()
    for line in filter(str.strip, lines):
        answer, status = _ANSWER.search(line), _STATUS.search(line)
        if answer is None or status is None or status[1] != _OK:
            failed[_STATUS.sub("", line).strip() or (f"status {status[1]}" if status else "nothing")] += 1
            continue
        version, pod = answer.groups()
        only = homes.get(version, [])
        counts[Target(version, pods.get(pod) or (only[0] if len(only) == 1 else "?"))] += 1
    return Asked(cluster, counts, failed)


def missing(asked: Iterable[Asked], placed: Iterable[Target]) -> list[tuple[str, Target]]:
    """Who has not heard of which target, of those who could be asked."""
    wanted = sorted(placed)
    return [(one.cluster, target) for one in asked if not one.unasked for target in wanted if target not in one.counts]
