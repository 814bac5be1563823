"""One command of the local engine from beginning to end: read, plan, and, for an update, act and prune."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from meshctl.interrupts import interruptible
from meshctl.local import sdk
from meshctl.local.deletes import Deleter, protected
from meshctl.local.engine import Agreed, Engine, Outcome, takeovers
from meshctl.local.lock import locked
from meshctl.local.model import UNKNOWN, FieldChange, Goal, Op, Record
from meshctl.local.monitor import Monitor
from meshctl.local.passphrase import Crypter, from_environment
from meshctl.local.planner import Watcher, cluster_name
from meshctl.local.project import Config, Project
from meshctl.local.references import References
from meshctl.local.registry import DYNAMIC, FACTORIES, FORESEEN, PROVIDER_PREFIX, Factory, Registry, needs_cli, package
from meshctl.local.rehearsal import Rehearsal, rehearse
from meshctl.local.showing import is_hidden, secret_texts, shown, trace
from meshctl.local.state import StateError, Store
from meshctl.local.values import has_unknown, leaves, scrub
from meshctl.rows import DECLINED, Field, Report, Row, refused

Confirm = Callable[[Report], bool]
"""Shown what would happen; says whether it shall."""


class Session:
    """A stack, its state, and what may be done with them."""

    def __init__(
        self,
        project: Project,
        state: Path | None,
        watcher: Watcher,
        factories: Mapping[str, Factory] = FACTORIES,
        *,
        properties: bool = False,
    ) -> None:
        """Read the state; keys are derived in the background from here on. With `properties`, what would be created is
        told with all that it consists of."""
        self.project = project
        self.path = state_file(project, state)
        self.stop = threading.Event()
        self._watcher = watcher
        self._properties = properties
        self._warned: set[str] = set()
        self._identity = f"{project.name}/{project.stack}"
        phrase = from_environment()
        self._phrase = phrase
        self._crypters: dict[str, Crypter] = {}
        self._store = self._open()
        self._registry = Registry(self._identity, watcher.waiting, factories)

    def preview(self) -> Report:
        """Say what an update would do."""
        self._store.load()
        engine, failures, _ = self._pass(preview=True)
        return Report(_sorted(self._rows(engine, failures)), {}, tuple(failures))

    def up(self, confirm: Confirm, *, skip_preview: bool = False) -> Report:
        """Preview, ask, and do it."""
        with self._locked():
            self._store.load()
            if skip_preview:
                self._store.crypter.check()
                with self._interruptible():
                    return self._update()
            self._store.crypter.begin()  # the key is there by the time that something is to be sealed
            engine, failures, _ = self._pass(preview=True)
            failures += _only_foreseen(engine)
            planned = Report(_sorted(self._rows(engine, failures)), {}, tuple(failures))
            if failures:
                return refused(planned)
            if any(outcome.secret for outcome in engine.outcomes.values()):
                self._store.crypter.check()
            if not confirm(planned):
                return DECLINED
            with self._interruptible():
                return self._update({row.urn: (row.op, takeovers(row.fields)) for row in planned.rows})

    def destroy(self, confirm: Confirm) -> Report:
        """Delete all that the state knows; the program is not run."""
        with self._locked():
            self._store.load()
            records = list(self._store.records.values())
            rows = _sorted(self._row(Outcome(record, Op.DELETE, self._cluster(record))) for record in records)
            failures = self._named(protected(records))
            planned = Report(rows, {}, tuple(failures))
            if failures or not (rows or self._store.doomed):
                return refused(planned)
            if not confirm(planned):
                return DECLINED
            if any(package(record.type) == DYNAMIC for record in records):
                self._surround(self.project.config(self._crypter(None)))
            with self._interruptible():
                deleter = Deleter(self._store, self._registry, self._watcher, self.stop)
                deleter.run(records)
            self._store.remove_if_empty()
            left = self._store.records
            gone = tuple(row for row in rows if row.urn not in left)
            return Report(gone, {}, tuple(self._named(deleter.failures)), self.stop.is_set())

    def rehearse(self) -> Rehearsal:
        """Say what `destroy` would do; changes nothing."""
        self._store.load()
        clusters = {urn: self._cluster(record) for urn, record in self._store.records.items()}
        return rehearse(self._store, self._registry, clusters)

    def _update(self, agreed: Agreed | None = None) -> Report:
        engine, failures, monitor = self._pass(preview=False, agreed=agreed)
        try:
            self._store.flush()
        except StateError as error:
            failures.append(str(error))
        rows = [self._row(outcome) for urn, outcome in engine.outcomes.items() if urn not in engine.failures]
        if not failures and not self.stop.is_set():
            left = engine.left()
            failures += self._named(protected(left) or engine.unshown(left))
            if not failures:
                rows += self._prune(left, failures)
        return Report(_sorted(rows), _outputs(monitor), tuple(failures), self.stop.is_set())

    def _prune(self, left: list[Record], failures: list[str]) -> list[Row]:
        deleter = Deleter(self._store, self._registry, self._watcher, self.stop)
        deleter.run(left)
        failures += self._named(deleter.failures)
        gone = [record for record in left if record.urn not in self._store.records]
        return [self._row(Outcome(record, Op.DELETE, self._cluster(record))) for record in gone]

    def _pass(self, *, preview: bool, agreed: Agreed | None = None) -> tuple[Engine, list[str], Monitor]:
        config = self.project.config(self._crypter(None))
        self._surround(config)
        engine = Engine(
            self._store, self._registry, self._watcher, self.stop, self._warned, preview=preview, agreed=agreed
        )
        references = References(self.path, self.project.name)
        monitor = Monitor(engine, self.project.name, self.project.stack, references)
        logger = logging.Logger("program")
        logger.addHandler(sdk.LogHandler(self._log))
        project, error = self.project, ""
        hidden = [text for key in config.secret_keys for text in secret_texts(config.values[key])]
        try:
            sdk.run(project, config, monitor, logger, preview=preview)
        except sdk.RunError as failure:
            error = str(failure)
        except SystemExit as failure:
            error = f"the program ended itself with exit code {failure.code}" if failure.code else ""
        except Exception as failure:  # noqa: BLE001 (a program may raise anything)
            error = f"the program failed:\n{trace(failure, project.program.parent)}"
        if preview:
            # Rules know of versions of Istio and of documents: an update does not wait for these.
            from meshctl.local import policy

            policy.tell(engine.planner.goals.values(), project.stack, self._watcher.warn)
        failures = self._named(engine.failures)
        failures += list(dict.fromkeys(monitor.errors)) or ([scrub(error, iter(hidden))] if error else [])
        return engine, failures, monitor

    def _surround(self, config: Config) -> None:
        """Tell dynamic providers, whose code is the program's, what they find around them."""
        folder, name = str(self.project.program.parent), self.project.name
        around = {"project": name, "folder": folder, "config": config.values, "secretKeys": config.secret_keys}
        self._registry.configure("", f"{PROVIDER_PREFIX}{DYNAMIC}", around)

    def _rows(self, engine: Engine, failures: list[str]) -> Iterator[Row]:
        for outcome in engine.outcomes.values():
            yield self._row(outcome)
        if failures:
            return
        left = engine.left()
        failures += self._named(protected(left))
        for record in left:
            yield self._row(Outcome(record, Op.DELETE, self._cluster(record)))

    def _cluster(self, record: Record) -> str:
        owner = self._store.records.get(record.provider) or self._store.doomed.get(record.provider)
        return cluster_name((owner or record).inputs)

    def _row(self, outcome: Outcome) -> Row:
        resource: Goal | Record = outcome.resource
        changes = outcome.changes
        if self._properties and outcome.op is Op.CREATE:
            changes = tuple(FieldChange(path, None, value) for path, value in leaves(resource.inputs))
        told = self._properties  # whoever looks at all properties looks for what is unknown, secrets among it
        fields = tuple(
            Field(c.path, shown(c.old, hide), shown(c.new, hide and not (told and c.new is UNKNOWN)), c.note)
            for c in changes
            for hide in [is_hidden(c.path, outcome.secret)]
        )
        return Row(
            resource.urn, resource.type, resource.name, resource.parent, outcome.cluster, str(outcome.op), fields
        )

    def _named(self, failures: Mapping[str, str]) -> list[str]:
        """Name each resource that failed; where several fail alike, all of them in one message."""
        alike: dict[str, list[str]] = {}
        for urn, message in failures.items():
            alike.setdefault(message, []).append(urn.split("::", 3)[-1])
        return [f"{', '.join(sorted(names))}: {message}" for message, names in alike.items()]

    def _log(self, level: str, message: str) -> None:
        if level == "info":
            self._watcher.waiting("program", message)
        else:
            self._watcher.warn(message)

    def _open(self) -> Store:
        return Store(self.path, self._identity, self._crypter)

    def _crypter(self, salt: str | None) -> Crypter:
        """Derive one key a salt; what has none of its own shares that of the stack's settings."""
        salt = salt or self.project.salt
        where = self.project.stack_file if salt == self.project.salt and salt else self.path
        if (salt or "") not in self._crypters:
            self._crypters[salt or ""] = Crypter(self._phrase, salt, str(where))
        return self._crypters[salt or ""]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with locked(self.path.with_name(self.path.name + ".lock"), self._watcher.warn):
            # What was read before the lock was held may be old by now.
            self._store = self._open()
            yield

    def _interruptible(self) -> AbstractContextManager[None]:
        """What was begun is in the state as such, whenever the second Ctrl-C comes."""
        return interruptible(self.stop, self._watcher.warn, "what runs is finished and recorded, nothing new begins")


def state_file(project: Project, stated: Path | None = None) -> Path:
    """Where the state of a stack is."""
    return stated or project.root / ".pulumi-local" / project.name / f"{project.stack}.json"


def _sorted(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Order rows by URN, which keeps a component's own together; registrations come in another order every time."""
    return tuple(sorted(rows, key=lambda row: (bool(row.parent), row.urn)))


def _only_foreseen(engine: Engine) -> list[str]:
    """Say which resources stop an update before it begins, one message for all of a package."""
    packages = {package(g.type) for g in engine.planner.goals.values() if g.custom} & FORESEEN
    return [f"nothing was done: {needs_cli(name)}" for name in sorted(packages)]


def _outputs(monitor: Monitor) -> dict[str, Any]:
    """Return the outputs of the stack that are known; after a failure or an interruption some are not."""
    known = ((key, value) for key, value in monitor.outputs.items() if not has_unknown(value))
    return {key: shown(value, key in monitor.secret_outputs) for key, value in known}
