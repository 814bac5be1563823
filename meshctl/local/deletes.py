"""Deletes what left the program, or all of it: what leans on a resource goes before it."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from meshctl.local.engine import unexpected
from meshctl.local.model import Op, Record, StepError
from meshctl.local.planner import Watcher
from meshctl.local.registry import DYNAMIC, PROVIDER_PREFIX, Registry, package
from meshctl.local.state import StateError, Store, begun, provider_of
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
        self._held: set[tuple[str, ...]] = set()
        """What records that stay stand for: it is not deleted, whoever else claims it."""

    def run(self, records: Sequence[Record]) -> None:
        """Delete `records`, and what was replaced; what a failed one leans on is kept."""
        graph = _Graph({**self._store.doomed, **{record.urn: record for record in records}})
        going = {record.urn for record in records}
        staying = [record for urn, record in self._store.records.items() if urn not in going]
        self._held = {identity for record in staying for identity in _identities(record)}
        with ThreadPoolExecutor(THREADS, thread_name_prefix="delete") as pool:
            running: dict[Future[bool], str] = {}
            while True:
                if not self._stop.is_set():
                    ready = graph.take_free() or (graph.take_any() if not running and not self.failures else [])
                    running |= {pool.submit(self._delete, key, graph.nodes[key], going): key for key in ready}
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    key = running.pop(future)
                    if future.result():
                        graph.free(key)

    def _delete(self, key: str, record: Record, going: set[str]) -> bool:
        doomed = key != record.urn
        op = Op.REPLACE if doomed else Op.DELETE
        try:
            if is_outside(record) and not goes_by_itself(record, going) and not self._is_held(record):
                self._watcher.begin(record.urn, op)
                if not doomed and record.pending is not Op.CREATE:
                    self._store.put(begun(record, Op.DELETE))
                provider_of(record, self._store, self._registry).delete(record)
                self._watcher.end(record.urn, op, "")
            self._store.drop(record, doomed=doomed)
        except (StepError, StateError) as error:
            return self._fail(record, op, str(error))
        except Exception as error:  # noqa: BLE001 (a defect of a provider must not stop the other deletes)
            return self._fail(record, op, unexpected(error))
        return True

    def _is_held(self, record: Record) -> bool:
        """Tell whether a resource that stays has taken over what this one stands for. A Patch gives up no more than its
        own fields, whoever has the object."""
        return not record.type.endswith("Patch") and not self._held.isdisjoint(_identities(record))

    def _fail(self, record: Record, op: Op, message: str) -> bool:
        hidden = (text for name in record.secret_inputs for text in strings(record.inputs.get(name)))
        self.failures[record.urn] = scrub(message, hidden)
        self._watcher.end(record.urn, op, self.failures[record.urn])
        return False


def order(records: Sequence[Record], doomed: Mapping[str, Record]) -> list[list[Record]]:
    """What can go at the same time, step by step; where things lean on each other, one of them goes first."""
    graph = _Graph({**doomed, **{record.urn: record for record in records}})
    steps: list[list[Record]] = []
    while keys := graph.take_free() or graph.take_any():
        steps.append([graph.nodes[key] for key in keys])
        for key in keys:
            graph.free(key)
    return steps


def protected(records: Sequence[Record]) -> dict[str, str]:
    """Say which of `records` may not be deleted, before anything is."""
    return {
        r.urn: "it is protected and would be deleted; take `protect` off it in the program first, and run `up`"
        for r in records
        if r.options.protect
    }


def _leans_on(record: Record) -> set[str]:
    return {*record.dependencies, record.parent, record.provider, record.options.deleted_with}


class _Graph:
    """What leans on what, among the things to be deleted."""

    def __init__(self, nodes: Mapping[str, Record]) -> None:
        self.nodes = nodes
        keys: dict[str, set[str]] = defaultdict(set)
        for key, record in nodes.items():
            keys[key].add(key)
            keys[record.urn].add(key)
        self._below = {key: {k for urn in _leans_on(r) for k in keys.get(urn, ())} - {key} for key, r in nodes.items()}
        self._above = Counter(key for below in self._below.values() for key in below)
        self._free = [key for key in nodes if not self._above[key]]
        self._waiting = {key for key in nodes if self._above[key]}

    def take_free(self) -> list[str]:
        """Take what nothing leans on any more."""
        taken, self._free = self._free, []
        return taken

    def take_any(self) -> list[str]:
        """Take one that still waits: what has been replaced and what it leaned on may lean on each other by now."""
        return [self._waiting.pop()] if self._waiting else []

    def free(self, key: str) -> None:
        """Let go of what `key` leaned on."""
        for below in self._below[key]:
            self._above[below] -= 1
            if not self._above[below] and below in self._waiting:
                self._waiting.remove(below)
                self._free.append(below)


def is_outside(record: Record) -> bool:
    """Tell whether a record stands for anything outside the state file."""
    return record.custom and not record.type.startswith(PROVIDER_PREFIX)


def _identities(record: Record) -> set[tuple[str, ...]]:
    """What a record stands for, under each of its names: an object of Kubernetes also has one that no provider and no
    version of its kind changes. The id of a dynamic resource names it to its own class alone."""
    if package(record.type) == DYNAMIC:
        return set()
    found: set[tuple[str, ...]] = {(record.provider, record.type, record.id)} if record.id else set()
    metadata = record.outputs.get("metadata")
    uid = metadata.get("uid") if isinstance(metadata, Mapping) and package(record.type) == "kubernetes" else None
    return found | {(uid,)} if isinstance(uid, str) else found


def goes_by_itself(record: Record, going: set[str]) -> bool:
    """Tell whether nobody has to delete it: it is kept, or goes with something else."""
    return record.options.retain_on_delete or record.options.deleted_with in going
