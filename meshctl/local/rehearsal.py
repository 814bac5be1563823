"""What a destroy would do, told without doing it: the order, what stays, and what would hold it up."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from meshctl.local.deletes import THREADS, goes_by_itself, is_outside, order, protected
from meshctl.local.model import Foretelling, Record, StepError, Unreachable
from meshctl.local.registry import Registry
from meshctl.local.state import Store, provider_of


@dataclass(frozen=True)
class Remark:
    """One resource, and what is to be said of it."""

    cluster: str
    type: str
    name: str
    why: str

    def data(self) -> dict[str, str]:
        """As it is in `--json`."""
        return {"cluster": self.cluster, "type": self.type, "name": self.name, "why": self.why}


@dataclass(frozen=True)
class Rehearsal:
    """All there is to know beforehand."""

    steps: tuple[tuple[Remark, ...], ...]
    """What goes at the same time; one step after the other."""
    stays: tuple[Remark, ...]
    blocks: tuple[Remark, ...]
    """What would stop the destroy, or hold it up."""


def rehearse(store: Store, registry: Registry, clusters: Mapping[str, str]) -> Rehearsal:
    """Look at what is recorded, and at the live objects. Changes nothing.

    Args:
        store: what is recorded.
        registry: who would delete it.
        clusters: by URN, the cluster that a resource is in.
    """
    records = list(store.records.values())
    going = {record.urn for record in records}

    def remark(record: Record, why: str = "") -> Remark:
        return Remark(clusters.get(record.urn, ""), record.type, record.name, why)

    touched = [r for r in records if is_outside(r) and not goes_by_itself(r, going)]
    chosen = {record.urn for record in touched}
    steps = [tuple(remark(r) for r in _sorted(step) if r.urn in chosen) for step in order(records, store.doomed)]
    stays = [remark(r, "it is kept on purpose (retainOnDelete)") for r in records if r.options.retain_on_delete]
    held = [remark(store.records[urn], "it is protected: nothing at all is deleted") for urn in protected(records)]
    found = _Look(store, registry, clusters).at(touched)
    return Rehearsal(
        tuple(step for step in steps if step),
        tuple(sorted(stays, key=_place)),
        (*sorted(held, key=_place), *sorted((remark(r, why) for r, why in found), key=_place)),
    )


class _Look:
    """At the live objects, cluster by cluster side by side; one that does not answer is asked once."""

    def __init__(self, store: Store, registry: Registry, clusters: Mapping[str, str]) -> None:
        self._store = store
        self._registry = registry
        self._clusters = clusters
        self._silent: set[str] = set()
        self._lock = threading.Lock()

    def at(self, records: Sequence[Record]) -> list[tuple[Record, str]]:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="look") as pool:
            told = pool.map(self._why, records)
        return [(record, why) for record, why in zip(records, told, strict=True) if why]

    def _why(self, record: Record) -> str:
        cluster = self._clusters.get(record.urn, "")
        with self._lock:
            if cluster in self._silent:
                return ""
        try:
            provider = provider_of(record, self._store, self._registry)
            return provider.hindrance(record) if isinstance(provider, Foretelling) else ""
        except Unreachable as error:
            with self._lock:
                if cluster in self._silent:
                    return ""
                self._silent.add(cluster)
            return f"nothing in {cluster or 'its cluster'} can be deleted: {error}"
        except StepError as error:
            return str(error)


def _sorted(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: record.urn)


def _place(item: Remark) -> tuple[str, str, str]:
    return item.cluster, item.type, item.name
