"""A report for people: section by section, the matrix, one line at the end."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

import click

from mesh_components.settings import Severity
from meshctl.check.catalogue import SECTIONS, listed, section
from meshctl.check.matrix import Cell, Pair
from meshctl.check.report import Report
from meshctl.check.results import Problem, Unknown

_MARKS = {"ok": ("✓", "green"), "error": ("✗", "red"), "warning": ("!", "yellow"), "unknown": ("?", "cyan")}
_CELLS = {
    Cell.YES: click.style("✓", fg="green"),
    Cell.NO: click.style("✗", fg="red"),
    Cell.UNKNOWN: click.style("?", fg="cyan"),
    Cell.NONE: "-",
}
_WORST = ("error", "warning", "unknown", "ok")
_SHOWN = 6
"""So many places are named one by one."""
_WIDTH = 118
"""Of lines, in a pipe and at most; a narrower terminal has its own."""


def show(report: Report) -> None:
    """Print a report."""
    for name in SECTIONS.values():
        _section(report, name)
    if report.pairs:
        _matrix(report)
    click.echo(f"\n{last_line(report)}")


def last_line(report: Report) -> str:
    """How it went in one line."""
    states = [report.state(code) for code in report.checks]
    numbers = [(report.count(Severity.ERROR), "error"), (report.count(Severity.WARNING), "warning")]
    found = ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in numbers)
    unknown = states.count("unknown")
    rest = f"; {unknown} could not be made everywhere" if unknown else ""
    return f"{found} in {len(states)} checks{rest}"


def _section(report: Report, name: str) -> None:
    codes = [code for code in report.checks if section(code) == name]
    states = {report.state(code) for code in codes}
    worst = next(state for state in _WORST if state in states)
    click.echo(f"{_mark(worst)} {click.style(name, bold=True)}")
    for problem in report.problems:
        if problem.code in codes:
            _problem(problem)
    for text in _unknown([one for one in report.unknown if one.code in codes]):
        _wrapped(f"  {_mark('unknown')}", text, " " * 4)


def _mark(state: str) -> str:
    sign, colour = _MARKS[state]
    return click.style(sign, fg=colour)


def _problem(problem: Problem) -> None:
    code = click.style(problem.code, fg=_MARKS[problem.severity.value][1])
    where = f"{problem.where}: " if problem.where else ""
    _wrapped(f"  {_mark(problem.severity.value)} {code}", f"{where}{problem.cause}", " " * 4)
    _wrapped("      fix:", problem.fix, " " * 11)
    click.echo(f"      see: {problem.page}")


def _wrapped(first: str, text: str, indent: str) -> None:
    """`first`, which may hold colours, and the text behind it."""
    plain = click.unstyle(first)
    width = min(_WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _WIDTH
    lines = textwrap.wrap(
        f"{plain} {text}", width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )
    click.echo("\n".join([first + lines[0].removeprefix(plain), *lines[1:]]))


def _unknown(found: Sequence[Unknown]) -> Iterator[str]:
    """Alike ones together: the same reason, in the same places."""
    places: dict[tuple[str, str], list[str]] = {}  # by check and reason
    for one in found:
        places.setdefault((one.code, one.why), []).append(one.where)
    codes: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (code, why), where in places.items():
        codes.setdefault((why, tuple(dict.fromkeys(where))), []).append(code)
    for (why, there), which in codes.items():
        named = ", ".join(there[:_SHOWN]) + (f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else "")
        text = f"{listed(which)}  {named}: {why}" if named else f"{listed(which)}  {why}"
        yield textwrap.shorten(text, 400)


def _matrix(report: Report) -> None:
    cells = {(pair.reader, pair.source): pair for pair in report.pairs}
    widest = max(map(len, report.clusters))
    width = max(4, widest)
    title = "who reads whom: declared, credential valid, seen by istiod, data path"
    click.echo(f"\n{click.style(title, bold=True)}\n(✓ yes, ✗ no, ? unknown, - not asked)")
    click.echo("  ".join([" " * (widest + 6), *(name.ljust(width) for name in report.clusters)]).rstrip())
    for reader in report.clusters:
        row = [_cell(cells.get((reader, source)), width) for source in report.clusters]
        click.echo("  ".join([f"{reader.ljust(widest)} reads", *row]).rstrip())


def _cell(pair: Pair | None, width: int) -> str:
    if pair is None:
        return "·".ljust(width)
    answers = (pair.declared, pair.credential, pair.seen, pair.path)
    return "".join(_CELLS[one] for one in answers) + " " * (width - len(answers))
