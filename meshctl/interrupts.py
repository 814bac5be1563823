"""Ctrl-C, for work that has to end in order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interruptible(stop: threading.Event, say: Callable[[str], None], what: str) -> Iterator[None]:
    """The first Ctrl-C sets `stop` and says `what`; the second one ends the process at once.

    By a handler, since KeyboardInterrupt may come anywhere, also where a thread has begun and nobody knows of it yet.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: object) -> None:  # noqa: ARG001
        if stop.is_set():
            os.write(2, b"\x1b[?25h\ninterrupted again: stopped at once\n")
            os._exit(130)
        stop.set()
        say(f"interrupted: {what}; once more stops at once")

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
