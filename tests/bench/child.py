"""`mesh` in a process of its own that says at its end what it took, its own share apart from that of `helm`."""

from __future__ import annotations

import json
import resource
import sys
from contextlib import redirect_stdout
from pathlib import Path

from meshctl.cli import main


def _took() -> dict[str, float]:
    usage = {"own": resource.RUSAGE_SELF, "helm": resource.RUSAGE_CHILDREN}
    seconds = {whose: resource.getrusage(number) for whose, number in usage.items()}
    # Not ru_maxrss: that begins with the memory of the process that started this one.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        **{whose: one.ru_utime + one.ru_stime for whose, one in seconds.items()},
        "peak_mib": int(status["VmHWM"].split()[0]) / 1024,
    }


if __name__ == "__main__":
    out = Path(sys.argv.pop(1))
    try:
        with (out / "rows.json").open("w") as rows, redirect_stdout(rows):
            main()
    finally:
        (out / "took.json").write_text(json.dumps(_took()))
