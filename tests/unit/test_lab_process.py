"""No process but the lab's own is ever stopped."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from meshctl.lab import process

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]


def test_a_process_is_known_by_pid_and_start_time(tmp_path: Path) -> None:
    running = process.start(SLEEPER, tmp_path / "log")
    assert running.alive
    process.stop([running], limit=60)
    assert not running.alive


def test_a_recycled_pid_is_left_alone(tmp_path: Path) -> None:
    """After a reboot the remembered pid may be anybody's."""
    stranger = process.start(SLEEPER, tmp_path / "log")
    remembered = replace(stranger, started="long ago")
    assert not remembered.alive
    process.stop([remembered], limit=0)
    remembered.signal(signal.SIGKILL)
    assert stranger.alive
    process.stop([stranger], limit=60)


def test_who_does_not_listen_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    running = process.start(STUBBORN, log)
    while "deaf" not in log.read_text():
        assert running.alive
    process.stop([running], limit=0.1)
    assert not running.alive


def test_a_process_that_ended_is_not_alive_even_as_a_zombie(tmp_path: Path) -> None:
    running = process.start([sys.executable, "-c", ""], tmp_path / "log")
    while running.alive:
        pass
    assert process.start_time(running.pid) is None


def test_it_does_not_die_with_the_terminal(tmp_path: Path) -> None:
    running = process.start(SLEEPER, tmp_path / "log")
    assert os.getsid(running.pid) == running.pid
    process.stop([running], limit=60)
