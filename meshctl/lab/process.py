"""Processes that outlive the command which started them, known by pid and start time.

A pid alone proves nothing: after a crash or a reboot it may belong to somebody else. So a process is only ever seen,
waited for or stopped when its start time is the remembered one too.
"""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = Path(__file__).resolve().parents[2]
PROC = Path("/proc")
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Running:
    """A process as it was when it was started."""

    pid: int
    started: str
    """Opaque; equal for the same process only."""
    command: tuple[str, ...]

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return start_time(self.pid) == self.started

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process is gone or the pid has become somebody else's."""
        if self.alive:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def start(command: Sequence[str], log: Path) -> Running:
    """Start in a session of its own (Ctrl-C in the terminal does not reach it), with its output in `log`.

    Its working folder is the one that holds this package, so that `python -m meshctl...` finds it from anywhere.
    """
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "ab") as output:
        process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=PACKAGES, start_new_session=True
        )
    process.returncode = 0  # It is meant to outlive us; this keeps Popen from warning that it does.
    return Running(process.pid, start_time(process.pid) or "ended at once", tuple(command))


def stop(processes: Sequence[Running], limit: float) -> None:
    """Ask all to end (TERM), after `limit` seconds insist (KILL), and return when all are gone."""
    for process in processes:
        process.signal(signal.SIGTERM)
    if not _gone(processes, limit):
        for process in processes:
            process.signal(signal.SIGKILL)
        _gone(processes, float("inf"))


def _gone(processes: Sequence[Running], limit: float) -> bool:
    end = time.monotonic() + limit
    while any(process.alive for process in processes):
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def start_time(pid: int) -> str | None:
    """When the process started, as the system tells it; None when there is no such process (any more)."""
    found = _from_proc(pid) if PROC.joinpath("self").exists() else _from_ps(pid)
    if found is None:
        _reap(pid)
    return found


def _reap(pid: int) -> None:
    """A child of ours that ended stays a zombie until somebody asks for it."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _from_proc(pid: int) -> str | None:
    try:
        stat = PROC.joinpath(str(pid), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # The name in parentheses may itself hold blanks and parentheses.
    state, threads, ticks_since_boot = fields[0], int(fields[17]), fields[19]  # proc(5), fields 3, 20 and 22
    # While other threads of it still end, a process whose first thread has ended keeps its ports and files.
    gone = state in "ZX" and threads <= 1
    return None if gone else f"{_boot()} {ticks_since_boot}"


def _boot() -> str:
    try:
        return PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _from_ps(pid: int) -> str | None:
    """Systems without /proc, such as macOS."""
    command = ["/bin/ps", "-o", "state=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split(maxsplit=1)
    return None if len(answer) < 2 or answer[0].startswith("Z") else answer[1].strip()
