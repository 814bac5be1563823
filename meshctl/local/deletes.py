"""Deletes what left the program, or all of it: what leans on a resource goes before it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from meshctl.local.engine import STACK_TYPE, Watcher
from meshctl.local.model import Op, Provider, Record, StepError
from meshctl.local.registry import PROVIDER_PREFIX, Registry
from meshctl.local.state import Store, begun
from meshctl.local.values import scrub, strings

THREADS = 16


class Deleter:
    """Deletes records, and forgets each as soon as it is gone."""

    def __init__(self, store: Store, registry: Registry, watcher: Watcher, stop: threading.Event) -> None:
        """Nothing new is begun once `stop` is set."""
        self.failures: dict[str, str] = {}
        self._store = store
        self._registry = registry
        self._watcher = watcher
        self._stop = stop

    def run(self, records: Sequence[Record]) -> None:
        """Delete `records`, and what was replaced; what a failed one leans on is kept."""
        nodes = {f"{r.urn}\0{r.id}": r for r in self._store.doomed.values()} | {r.urn: r for r in records}
        going = set(nodes)
        below = {key: _leans_on(record) & going - {key} for key, record in nodes.items()}
        above: dict[str, int] = defaultdict(int)
        for keys in below.values():
            for key in keys:
                above[key] += 1
        with ThreadPoolExecutor(THREADS, thread_name_prefix="delete") as pool:
            running: dict[Future[bool], str] = {}
            ready = [key for key in nodes if not above[key]]
            while ready or running:
                if not self._stop.is_set():
                    running |= {pool.submit(self._delete, key, nodes[key], going): key for key in ready}
                elif not running:
                    return
                ready = []
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    key = running.pop(future)
                    if future.result():
                        ready += _freed(below[key], above)

    def _delete(self, key: str, record: Record, going: set[str]) -> bool:
        doomed = key != record.urn
        op = Op.REPLACE if doomed else Op.DELETE
        try:
            if _is_outside(record) and not _goes_by_itself(record, going):
                self._watcher.begin(record.urn, op)
                if not doomed:
                    self._store.put(begun(record, Op.DELETE))
                self._provider_of(record).delete(record)
                self._watcher.end(record.urn, op, "")
        except StepError as error:
            hidden = (text for name in record.secret_inputs for text in strings(record.inputs.get(name)))
            self.failures[record.urn] = scrub(str(error), hidden)
            self._watcher.end(record.urn, op, self.failures[record.urn])
            return False
        self._store.drop(record, doomed=doomed)
        return True

    def _provider_of(self, record: Record) -> Provider:
        owner = self._store.records.get(record.provider) or self._store.doomed.get(record.provider)
        if owner is not None:
            return self._registry.configure(record.provider, owner.type, owner.inputs)
        return self._registry.get(record.type, record.provider)


def protected(records: Sequence[Record]) -> dict[str, str]:
    """Say which of `records` may not be deleted, before anything is."""
    return {
        r.urn: "it is protected and would be deleted; take `protect` off it in the program first, and run `up`"
        for r in records
        if r.options.protect
    }


def _leans_on(record: Record) -> set[str]:
    return {*record.dependencies, record.parent, record.provider, record.options.deleted_with}


def _freed(keys: set[str], above: dict[str, int]) -> list[str]:
    for key in keys:
        above[key] -= 1
    return [key for key in keys if not above[key]]


def _is_outside(record: Record) -> bool:
    """Tell whether a record stands for anything outside the state file."""
    return record.custom and not record.type.startswith(PROVIDER_PREFIX) and record.type != STACK_TYPE


def _goes_by_itself(record: Record, going: set[str]) -> bool:
    return record.options.retain_on_delete or record.options.deleted_with in going
