"""`mesh restart` that is interrupted: whenever Ctrl-C comes, it ends, and every workload is accounted for."""

from __future__ import annotations

import _thread
import threading
from typing import Any

import pytest

from meshctl.interrupts import interruptible
from meshctl.restart.find import Old, Workload
from meshctl.restart.roll import Roller


class NeverReady:
    """A cluster in which no rollout comes to its end. It stands in for an API server."""

    def request(self, *_: Any) -> tuple[int, dict[str, Any]]:
        return 200, {}

    def get(self, _path: str) -> dict[str, Any]:
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"generation": 2},
            "spec": {"replicas": 1},
            "status": {"observedGeneration": 1},
        }


class Interrupts:
    """Presses Ctrl-C as soon as so many have begun: with many namespaces, others are still being handed over then."""

    def __init__(self, after: int) -> None:
        self._left = after
        self._lock = threading.Lock()

    def begin(self, _urn: str, _op: str) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                _thread.interrupt_main()

    def waiting(self, *_: str) -> None:
        pass

    end = warn = waiting


@pytest.mark.parametrize("after", [1, 2, 4])
@pytest.mark.parametrize("namespaces", [4, 400])
def test_whenever_it_comes_it_ends_and_all_are_accounted_for(namespaces: int, after: int) -> None:
    work = [Workload("east", f"team-{n}", "Deployment", name) for n in range(namespaces) for name in ("a", "b")]
    cluster: Any = NeverReady()
    nobody: Any = None
    stop, watcher = threading.Event(), Interrupts(after)
    with interruptible(stop, watcher.warn, "nothing new begins"):
        outcome = Roller(cluster, nobody, watcher, stop, timeout=600).run([Old(one) for one in work], keep_going=False)
    assert stop.is_set()
    assert outcome.done == []
    assert sorted([*outcome.failed, *outcome.not_begun]) == sorted(work)
    assert all("interrupted; the rollout goes on" in why for why in outcome.failed.values())
    assert len(outcome.failed) >= after
