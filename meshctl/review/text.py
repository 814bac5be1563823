"""A review for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import click

from meshctl.review import words
from meshctl.review.review import Review

_COLOURS = {"create": "green", "update": "yellow", "replace": "magenta", "delete": "red"}


def write(review: Review) -> str:
    """All of it, in the order in which one reads: what to fear, what is found, what changes."""
    return "\n".join(_lines(review)) + "\n"


def _lines(review: Review) -> Iterator[str]:
    for note in review.notes:
        yield click.style(f"note: {note}", fg="cyan")
    if review.risks:
        yield click.style("risks", bold=True)
        for risk in review.risks:
            yield click.style(f"  {risk.level}: {risk.what}", fg="red" if risk.level == "high" else "yellow")
            yield f"      {risk.why}"
            yield f"      see: {risk.page}"
        yield ""
    for title, found in (("new findings", review.new), ("findings that are gone", review.gone)):
        if found:
            yield click.style(title, bold=True)
            yield from (f"  {words.finding(item)}" for item in found)
            yield ""
    for cluster, rows in words.clusters(review.rows).items():
        yield click.style(cluster or words.OUTSIDE, bold=True)
        for row in rows:
            line = words.line(row)
            yield f"  {click.style(line[:2], fg=_COLOURS[row.op])}{line[2:]}"
            if row.op != "create":  # what a new one consists of is in the other formats
                yield from (f"       {text}" for text in words.fields(row))
        yield ""
    yield words.headline(review)
