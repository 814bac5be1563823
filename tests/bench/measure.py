"""Whole processes, timed from outside: wall seconds, processor seconds, peak memory of the process and its children."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


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


def as_installed(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Without the switch that has Python compile our modules anew at every start: an installed command has them."""
    kept = {key: value for key, value in environment.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


class Report:
    """Says each figure as soon as it is known, and keeps it for `--json`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.figures: list[dict[str, Any]] = []
        self.recipes: list[Mapping[str, Any]] = []

    def runs(self, what: str, runs: Sequence[Run]) -> None:
        """Processes that did the same."""
        self.say(line(what, runs))
        self.figures.append({"what": what, "runs": [asdict(run) for run in runs]})

    def number(self, what: str, value: float, unit: str = "") -> None:
        """What follows from them."""
        self.say(f"{what:<58}{value:>8.2f} {unit}".rstrip())
        self.figures.append({"what": what.strip(), "value": value, "unit": unit})


def line(what: str, runs: Sequence[Run]) -> str:
    """A row of the report: median, minimum and maximum of the wall time, median processor time, highest peak."""
    walls = [run.wall for run in runs]
    return (
        f"{what:<58}{statistics.median(walls):>8.2f} s  ({min(walls):.2f} to {max(walls):.2f}, {len(runs)} runs)"
        f"{statistics.median(run.cpu for run in runs):>8.2f} s cpu{max(run.peak_mib for run in runs):>7.0f} MiB"
    )
