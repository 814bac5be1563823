"""What the commands print: the changes grouped by cluster, the outputs, the failures."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from meshctl.rows import DONE, OPS, SYMBOLS, Field, Report, Row, summary

_COLOURS = {"create": "green", "update": "yellow", "replace": "magenta", "delete": "red"}
_WIDEST = 120


def print_rows(report: Report, *, done: bool = False) -> None:
    """Print what changes, by cluster, and the summary."""
    changed = [row for row in report.rows if row.op != "same"]
    for cluster in dict.fromkeys(row.cluster for row in changed):
        click.secho(cluster or "outside the clusters", bold=True)
        for row in changed:
            if row.cluster == cluster:
                _print_row(row)
        click.echo()
    click.echo(summary(report.rows, done=done))


def print_table(report: Report) -> None:
    """Print how many resources each cluster has, and what was done to them."""
    ops = [op for op in (*OPS, "same") if any(row.op == op for row in report.rows)]
    clusters = sorted({row.cluster for row in report.rows}, key=lambda name: (name == "", name))
    names = {cluster: cluster or "outside the clusters" for cluster in clusters}
    counts = Counter((row.cluster, row.op) for row in report.rows)
    widest = max(map(len, names.values()), default=0)
    if report.rows:
        click.secho("\n" + "  ".join(["cluster".ljust(widest), *(DONE[op] for op in ops)]), bold=True)
    for cluster, name in names.items():
        numbers = (str(counts[cluster, op] or "").rjust(len(DONE[op])) for op in ops)
        click.echo("  ".join([name.ljust(widest), *numbers]).rstrip())
    if report.rows:
        click.echo()


def print_outputs(outputs: Mapping[str, Any]) -> None:
    """Print the outputs of the stack, nested ones indented."""
    if outputs:
        click.secho("\noutputs", bold=True)
    for line in _lines(outputs, "  "):
        click.echo(line)


def _lines(values: Mapping[str, Any], indent: str) -> Iterator[str]:
    widest = max(map(len, values), default=0)
    for name, value in sorted(values.items()):
        if isinstance(value, Mapping) and value:
            yield f"{indent}{name}"
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            yield f"{indent}{name:<{widest}}  {value[0]}"
            yield from (f"{indent}{'':<{widest}}  {item}" for item in value[1:])
        else:
            yield f"{indent}{name:<{widest}}  {_text(value)}"


def print_failures(failures: Iterable[str]) -> None:
    """Print what failed, to stderr."""
    for failure in failures:
        click.secho(f"error: {failure}", fg="red", err=True)


def print_json(data: Any) -> None:
    """Print one JSON document and nothing else."""
    click.echo(json.dumps(data, indent=2, default=str))


def short_type(type_: str) -> str:
    """Leave out of a type what repeats itself: `tls:index/privateKey:PrivateKey` is tls:PrivateKey."""
    package, _, rest = type_.partition(":")
    module, _, name = rest.rpartition(":")
    if package == "kubernetes":
        return f"{module.removeprefix('core/')}/{name}"
    return f"{package}:{name}"


def _print_row(row: Row) -> None:
    symbol = click.style(f"{SYMBOLS[row.op]:>2}", fg=_COLOURS[row.op])
    click.echo(f"  {symbol} {short_type(row.type)}  {row.name}")
    for item in row.fields if row.op != "delete" else ():
        click.echo(f"       {field_text(item) if row.op != 'create' else f'{item.path}: {_text(item.new)}'}")


def field_text(item: Field) -> str:
    """A field that differs, in a line."""
    note = f"  ({item.note})" if item.note and item.path else item.note
    if not item.path:
        return note
    if item.old is None:
        return f"{item.path}: + {_text(item.new)}{note}"
    if item.new is None:
        return f"{item.path}: - {_text(item.old)}{note}"
    return f"{item.path}: {_text(item.old)} -> {_text(item.new)}{note}"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = text.replace("\n", "\\n")
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}... ({len(text)} characters)"
