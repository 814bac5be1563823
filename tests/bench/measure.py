"""Whole processes, timed from outside: wall seconds, processor seconds, peak memory of the process and its children."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Run:
    """One process from start to end."""

    wall: float
    cpu: float
    peak_mib: float


_LAUNCHER = """
import json, os, sys, time
begin = time.monotonic()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
took = time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
with open("bench.json", "w") as file:
    json.dump(took, file)
sys.exit(min(abs(os.waitstatus_to_exitcode(status)), 255))
"""
"""A process begins with the peak of the one that starts it: this one is small, and the benchmarks are not."""


def once(
    command: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    expected: Collection[int] = (0,),
) -> Run:
    """Run a command that must end with one of these codes. Raises CalledProcessError with what it printed."""
    launched = [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command]
    with (cwd / "bench.log").open("wb") as log:
        done = subprocess.run(launched, cwd=cwd, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode not in expected:
        said = (cwd / "bench.log").read_text()
        error = subprocess.CalledProcessError(done.returncode, command, said)
        error.add_note(said)
        raise error
    wall, cpu, peak_mib = json.loads((cwd / "bench.json").read_text())
    return Run(wall, cpu, peak_mib)


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
