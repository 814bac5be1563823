"""Whole processes, timed from outside: wall seconds, processor seconds, peak memory of the process and its children."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One process from start to end."""

    wall: float
    cpu: float
    peak_mib: float


def once(command: Sequence[str], cwd: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Run a command that must succeed. Raises CalledProcessError with what it printed."""
    with (cwd / "bench.log").open("wb") as log:
        begin = time.monotonic()
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, (cwd / "bench.log").read_text())
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def line(what: str, runs: Sequence[Run]) -> str:
    """A row of the report: median, minimum and maximum of the wall time, median processor time, highest peak."""
    walls = [run.wall for run in runs]
    return (
        f"{what:<58}{statistics.median(walls):>8.2f} s  ({min(walls):.2f} to {max(walls):.2f}, {len(runs)} runs)"
        f"{statistics.median(run.cpu for run in runs):>8.2f} s cpu{max(run.peak_mib for run in runs):>7.0f} MiB"
    )
