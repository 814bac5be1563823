"""One run at a time on a state file: a lock file that names the process that holds it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from meshctl.local.state import StateError, make_folder


@contextmanager
def locked(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock at `path`; the operating system gives it up with the process, the text in it tells whose it was."""
    make_folder(path.parent)
    descriptor = _acquire(path)
    try:
        holder = _holder(descriptor)
        if holder is not None and holder[0] != os.getpid() and _started(holder[0]) == holder[1]:
            raise _busy(path, holder[0])
        if holder is not None:
            say(f"took over the lock {path} of process {holder[0]}, which is no more")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "started": _started(os.getpid())}).encode(), 0)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise _busy(path, holder[0] if holder else None) from error
        # Whoever held it may have removed the file between our opening and locking it.
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
        os.close(descriptor)


def _holder(descriptor: int) -> tuple[int, str] | None:
    try:
        raw = json.loads(os.pread(descriptor, 1000, 0))
        return int(raw["pid"]), str(raw["started"])
    except (ValueError, KeyError, TypeError):
        return None


def _started(pid: int) -> str | None:
    """When a process started, so that a number used again by another one does not count; None if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    found = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def _busy(path: Path, pid: int | None) -> StateError:
    who = f"process {pid}" if pid else "another process"
    return StateError(f"{path}: {who} is working on this stack; wait until it is done, or stop it")
