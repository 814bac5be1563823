"""Many questions to many clusters, a few at a time to each, and none that the others wait for."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable


class Lanes:
    """Jobs by cluster. Their threads end with the program: whoever does not answer is left behind."""

    def __init__(self, limit: int) -> None:
        """At most `limit` jobs of one cluster run at a time."""
        self._limit = limit
        self._changed = threading.Condition()
        self._slots: dict[str, threading.Semaphore] = {}
        self._open: Counter[str] = Counter()
        self._finished: dict[str, float] = {}
        self._failures: list[BaseException] = []
        self._began = time.monotonic()

    def start(self, lane: str, job: Callable[[], object]) -> None:
        """Run a job as soon as its cluster has room for it. Jobs may start others."""
        with self._changed:
            slots = self._slots.setdefault(lane, threading.Semaphore(self._limit))
            self._open[lane] += 1
        threading.Thread(target=self._run, args=(lane, slots, job), daemon=True).start()

    def _run(self, lane: str, slots: threading.Semaphore, job: Callable[[], object]) -> None:
        try:
            with slots:
                job()
        except BaseException as failure:  # noqa: BLE001 - `wait` raises it where somebody sees it
            self._failures.append(failure)
        finally:
            with self._changed:
                self._open[lane] -= 1
                if not self._open[lane]:
                    self._finished[lane] = time.monotonic() - self._began
                self._changed.notify_all()

    def wait(self, limit: float, least: float) -> frozenset[str]:
        """Wait until all is done; the clusters that are late.

        Args:
            limit: seconds after which nothing is waited for.
            least: seconds that everybody has. Once most clusters are done, the others have twice the time of the
                slowest of those, and never less than this.
        """
        with self._changed:
            while True:
                if self._failures:
                    raise self._failures[0]
                late = frozenset(lane for lane, count in self._open.items() if count)
                done = [seconds for lane, seconds in self._finished.items() if lane not in late]
                until = min(limit, max(least, 2 * max(done))) if len(done) > len(late) else limit
                left = self._began + until - time.monotonic()
                if not late or left <= 0:
                    return late
                self._changed.wait(left)
