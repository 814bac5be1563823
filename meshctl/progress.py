"""What is going on, told while it goes on: a live list on a terminal, lines elsewhere. All of it goes to stderr."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from meshctl.display import short_type
from meshctl.rows import SYMBOLS

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table


class Lines:
    """One line for each step that ends, and for each new thing a step waits for."""

    def __init__(self) -> None:
        """Begin with nothing running."""
        self._lock = threading.Lock()
        self._running: dict[str, tuple[str, float, str]] = {}
        """By URN: the operation, when it began, and what it waits for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""

    def begin(self, urn: str, op: str) -> None:
        """A step begins."""
        with self._lock:
            self._running[urn] = (str(op), time.monotonic(), "")

    def waiting(self, urn: str, message: str) -> None:
        """A step waits for something."""
        with self._lock:
            op, since, before = self._running.get(urn, ("", time.monotonic(), ""))
            if message == before:
                return
            self._running[urn] = (op, since, message)
        self._say_waiting(urn, message)

    def end(self, urn: str, op: str, error: str) -> None:
        """A step has ended."""
        with self._lock:
            _, since, _ = self._running.pop(urn, ("", time.monotonic(), ""))
        took = time.monotonic() - since
        if error:
            self.say(click.style(f" ! {_label(urn)}: failed", fg="red"))
        else:
            self.say(f"{SYMBOLS[op]:>2} {_label(urn)}" + (f" ({took:.0f} s)" if took >= 1 else ""))

    def warn(self, message: str) -> None:
        """Something to know."""
        self.say(click.style(f"warning: {message}", fg="yellow"))

    def say(self, message: str) -> None:
        """Print one line."""
        click.echo(message, err=True)

    def _say_waiting(self, urn: str, message: str) -> None:
        self.say(f"   {_label(urn)}: {message}")


class Terminal(Lines):
    """The same, with a list below of what runs and what it waits for."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        super().__init__()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True, highlight=False)
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=5, transient=True)
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, message: str) -> None:
        """Print one line above the list."""
        from rich.text import Text

        if self._live is None:
            super().say(message)
        else:
            self._live.console.print(Text.from_ansi(message))

    def _say_waiting(self, urn: str, message: str) -> None:
        """It is in the list."""

    def _table(self) -> Table:
        from rich.table import Table

        with self._lock:
            running = list(self._running.items())
        table = Table.grid(padding=(0, 2))
        now = time.monotonic()
        for urn, (op, since, message) in running[:20]:
            table.add_row(f"{SYMBOLS.get(op, ''):>2} {_label(urn)}", f"{now - since:.0f} s", message)
        if len(running) > 20:
            table.add_row(f"   and {len(running) - 20} more", "", "")
        return table


def _label(urn: str) -> str:
    parts = urn.split("::", 3)
    return f"{short_type(parts[2].rpartition('$')[2])}  {parts[3]}" if len(parts) == 4 else urn
