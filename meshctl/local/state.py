"""The state file: every resource that exists because of us, written before and after each step, secrets sealed.

Steps run in parallel, so they share writes. A step waits once, before it touches the outside world, until a write that
says so is on disk; that it has ended is written without it. Every write holds all that was handed in before, so what
leans on a step is never on disk without it, and a step whose end is lost is one that was interrupted. Each record is
turned into text once; a write joins the texts, and replaces the file by renaming.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from meshctl.local.model import Op, Options, Provider, Record
from meshctl.local.passphrase import Crypter
from meshctl.local.registry import Registry

VERSION = 1
GATHERED = 0.02
"""Seconds from one write to the next, in which steps that run side by side hand in what the next one holds."""
STACK = "pulumi:pulumi:Stack"
_MARK = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 (the mark of one on Pulumi's wire)


class StateError(Exception):
    """A state file that cannot be read or written: where, what, fix."""


class Store:
    """The records of one stack, and the file they live in."""

    def __init__(self, path: Path, identity: str, crypters: Callable[[str | None], Crypter]) -> None:
        """Read the file; what is sealed in it is opened by `load`, while the key is still being derived.

        `identity` is `<project>/<stack>`; a file of another stack is refused. `crypters` makes, or has, what opens
        values that were sealed with a salt; None is that of a file that holds nothing sealed yet.
        """
        self.path = path
        self.records: dict[str, Record] = {}
        self.doomed: dict[str, Record] = {}
        """Resources that were replaced and are still to be deleted."""
        self._identity = identity
        self._texts: dict[str, bytes] = {}
        self._turn = threading.Condition()
        self._ticket = self._written = 0
        self._writing = self._backed_up = False
        self._last = -GATHERED
        self._later = ThreadPoolExecutor(1, thread_name_prefix="state")
        self._raw = _read(path, identity)
        self.crypter = crypters(self._raw.get("salt") if self._raw else None)
        self._sealed = bool(self._raw and self._raw.get("salt"))

    def load(self) -> None:
        """Open the records; raises PassphraseError, or StateError where one is damaged."""
        for raw in (self._raw or {}).get("resources", ()):
            try:
                record = self._decode(raw)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise _broken(self.path, f"a resource in it is damaged ({type(error).__name__}: {error})") from error
            key = record.urn
            if raw.get("doomed"):
                key = doomed_key(record)
                self.doomed[key] = record
            else:
                self.records[key] = record
            self._texts[key] = json.dumps(raw, separators=(",", ":")).encode()

    def put(self, record: Record, former: str = "", doom: Record | None = None, *, wait: bool = True) -> None:
        """Record `record`, and wait until it is on disk; without `wait`, `flush` does that, and tells if it failed.

        `former` is the URN it had before; `doom` is what it replaces, to be deleted at the end.
        """
        text = self._encode(record)
        with self._turn:
            if former and former != record.urn:
                self.records.pop(former, None)
                self._texts.pop(former, None)
            self.records[record.urn] = record
            self._texts[record.urn] = text
            if doom is not None:
                key = doomed_key(doom)
                self.doomed[key] = doom
                self._texts[key] = self._encode(doom, doomed=True)
            ticket = self._take_ticket()
        if wait:
            self._commit(ticket)
        else:
            self._later.submit(self._commit, ticket)

    def flush(self) -> None:
        """Wait until all that was recorded is on disk."""
        self._commit(self._ticket)

    def drop(self, record: Record, *, doomed: bool = False) -> None:
        """Forget `record`, and wait until that is on disk."""
        key = doomed_key(record) if doomed else record.urn
        with self._turn:
            (self.doomed if doomed else self.records).pop(key, None)
            self._texts.pop(key, None)
            ticket = self._take_ticket()
        self._commit(ticket)

    def remove_if_empty(self) -> None:
        """Leave no file behind that says nothing."""
        if not self.records and not self.doomed:
            self.path.unlink(missing_ok=True)

    def _take_ticket(self) -> int:
        self._ticket += 1
        return self._ticket

    def _commit(self, ticket: int) -> None:
        with self._turn:
            while self._writing and self._written < ticket:
                self._turn.wait()
            if self._written >= ticket:
                return
            self._writing = True
        try:
            time.sleep(max(0.0, self._last + GATHERED - time.monotonic()))
            with self._turn:
                upto, texts = self._ticket, list(self._texts.values())
            self._last = time.monotonic()
            self._write(texts)
        except OSError as error:
            message = f"{self.path}: the state cannot be written: {error}; free the disk or fix its permissions"
            raise StateError(message) from error
        else:
            self._written = upto
        finally:
            with self._turn:
                self._writing = False
                self._turn.notify_all()

    def _write(self, texts: Iterable[bytes]) -> None:
        project, _, stack = self._identity.rpartition("/")
        head = {"version": VERSION, "project": project, "stack": stack}
        if self._sealed:
            head["salt"] = self.crypter.salt
        opening = f'{json.dumps(head)[:-1]}, "resources": [\n'.encode()
        if not self._backed_up:
            make_folder(self.path.parent)
            _keep(self.path)
            self._backed_up = True
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(b"%b%b\n]}\n" % (opening, b",\n".join(texts)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)

    def _encode(self, record: Record, *, doomed: bool = False) -> bytes:
        raw = {item.name: getattr(record, item.name) for item in fields(record)}
        raw["inputs"] = self._seal(record.inputs, record.secret_inputs)
        raw["outputs"] = self._seal(record.outputs, record.secret_outputs)
        options = {item.name: getattr(record.options, item.name) for item in fields(Options)}
        raw["options"] = {key: value for key, value in options.items() if value != getattr(_DEFAULTS, key)}
        raw["secret_inputs"], raw["secret_outputs"] = sorted(record.secret_inputs), sorted(record.secret_outputs)
        if doomed:
            raw["doomed"] = True
        return json.dumps(raw, separators=(",", ":")).encode()

    def _seal(self, values: Mapping[str, Any], secret: frozenset[str]) -> dict[str, Any]:
        result = dict(values)
        for key in secret & values.keys():
            self._sealed = True
            text = json.dumps(values[key], separators=(",", ":"))
            result[key] = {_MARK: _SECRET, "ciphertext": self.crypter.seal(text)}
        return result

    def _decode(self, raw: Mapping[str, Any]) -> Record:
        values = {item.name: raw[item.name] for item in fields(Record)}
        options = dict(raw["options"])
        for key in ("ignore_changes", "additional_secret_outputs"):
            options[key] = tuple(options.get(key, ()))
        return Record(
            **values
            | {
                "inputs": self._open(raw["inputs"]),
                "outputs": self._open(raw["outputs"]),
                "secret_inputs": frozenset(raw["secret_inputs"]),
                "secret_outputs": frozenset(raw["secret_outputs"]),
                "dependencies": tuple(raw["dependencies"]),
                "options": Options(**options),
                "pending": Op(raw["pending"]) if raw["pending"] else None,
            }
        )

    def _open(self, values: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(values)
        for key, value in values.items():
            if isinstance(value, dict) and value.get(_MARK) == _SECRET:
                result[key] = json.loads(self.crypter.open(value["ciphertext"]))
        return result


_DEFAULTS = Options()


def begun(record: Record, op: Op) -> Record:
    """Return `record` as it is written before `op` touches the outside world."""
    return replace(record, pending=op)


def doomed_key(record: Record) -> str:
    """Return what a replaced resource goes by, as its URN is its successor's now."""
    return f"{record.urn}\0{record.id}"


def make_folder(path: Path) -> None:
    """Make a folder and those above it, for this user alone; those that are there are left as they are."""
    for folder in reversed((path, *path.parents)):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


def _keep(path: Path) -> None:
    """Keep the last good state beside the new one; a second name for the same file costs nothing."""
    if path.exists():
        spare = path.with_name(f"{path.name}.{os.getpid()}.old")
        spare.unlink(missing_ok=True)
        os.link(path, spare)
        spare.replace(path.with_name(path.name + ".bak"))


def _broken(path: Path, what: str) -> StateError:
    backup = path.with_name(path.name + ".bak")
    fix = f"restore it from {backup}" if backup.exists() else "restore it from a backup"
    return StateError(f"{path}: the state file cannot be used: {what}; nothing was changed. To go on, {fix}")


def _read(path: Path, identity: str) -> Mapping[str, Any] | None:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(path, f"it cannot be read ({error})") from error
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise _broken(path, f"it is not JSON, or was cut off ({error})") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("resources"), list):
        raise _broken(path, "it is JSON, but not a state of `mesh`")
    if raw.get("version") != VERSION:
        raise _broken(path, f"it has version {raw.get('version')!r}, and this program knows version {VERSION}")
    owner = f"{raw.get('project')}/{raw.get('stack')}"
    if owner != identity:
        raise _broken(path, f"it is the state of {owner}, not of {identity}")
    return raw


def public_outputs(path: Path, identity: str) -> dict[str, Any]:
    """What a stack exports, without what is secret of it: so without any key. Raises StateError."""
    resources = (_read(path, identity) or {}).get("resources", ())
    stack: Mapping[str, Any] = next((raw for raw in resources if raw.get("type") == STACK), {})
    hidden = stack.get("secret_outputs", ())
    return {key: value for key, value in (stack.get("outputs") or {}).items() if key not in hidden}


def provider_of(record: Record, store: Store, registry: Registry) -> Provider:
    """Return the provider that made what `record` stands for, with the settings it is recorded with."""
    owner = store.records.get(record.provider) or store.doomed.get(record.provider)
    if owner is not None:
        return registry.configure(record.provider, owner.type, owner.inputs)
    return registry.get(record.type, record.provider)
