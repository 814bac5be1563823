"""A verification as text: who got which answers, then what to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from meshctl.verify.answers import Asked
from meshctl.verify.causes import TITLES
from meshctl.verify.verdict import FAILED, NOT_ASKED, Verdict

_COLOURS = {"wrong": "red", "unknown": "yellow"}
_WORDS = {"ok": "ok", "wrong": "wrong", "unknown": "partly seen"}


def show(verdict: Verdict) -> None:
    """Print it."""
    asked = [one for one in verdict.asked if not one.unasked]
    if asked:
        click.secho(f"{verdict.calls.times} requests from each cluster to {verdict.calls.url}", bold=True)
        _answers(verdict, asked)
    for why in dict.fromkeys(one.unasked for one in verdict.asked if one.unasked):
        callers = ", ".join(one.cluster for one in verdict.asked if one.unasked == why)
        click.secho(f"not asked from {callers}: {why}", fg="yellow")
    if verdict.only_local:
        click.secho(f"\nonly the local version answers in {', '.join(verdict.only_local)}", fg="red")
    if verdict.causes:
        _causes(verdict)
    click.echo(f"\n{_end(verdict)}")


def _answers(verdict: Verdict, asked: Sequence[Asked]) -> None:
    targets = sorted({*verdict.calls.placed, *(target for one in asked for target in one.counts)})
    errors = any(one.failed for one in asked)
    rows = [["from", *map(str, targets), *(["failed"] if errors else [])]]
    for one in asked:
        cells = [f"{one.counts[t]} ({one.share(t)} %)" if t in one.counts else "none" for t in targets]
        failed = ", ".join(f"{count} ({why})" for why, count in one.failed.items())
        rows.append([one.cluster, *cells, *([failed] if errors else [])])
    _table(rows)


def _causes(verdict: Verdict) -> None:
    asked = any(not one.unasked for one in verdict.asked)
    click.secho("\nwhat to look at, in this order" if asked else "\nwhat can be seen without asking", bold=True)
    pairs = dict.fromkeys((cause.caller, cause.cluster) for cause in verdict.causes)
    states = {(cause.caller, cause.cluster, cause.number): cause.state for cause in verdict.causes}
    rows = [["from", "to", *(f"{number} {title}" for number, title in TITLES.items())]]
    rows += [[*pair, *(_WORDS[states[(*pair, number)]] for number in TITLES)] for pair in pairs]
    _table(rows)
    said = {
        (cause.state != "wrong", cause.number, line, cause.state)
        for cause in verdict.causes
        if cause.state != "ok"
        for line in cause.says
    }
    for _, number, line, state in sorted(said):
        click.secho(f"  {number} {TITLES[number]}: {line}", fg=_COLOURS[state])


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.secho(f"  {line}", bold=number == 0)


def _end(verdict: Verdict) -> str:
    if verdict.exit_code == NOT_ASKED:
        return "not verified: nobody could be asked; nothing is wrong in what can be seen without"
    if verdict.exit_code != FAILED:
        return "verified: every version answers in every cluster"
    if not verdict.missing:
        unasked = ", ".join(one.cluster for one in verdict.asked if one.unasked)
        return f"not verified: {f'{unasked} could not be asked' if unasked else 'see above'}"
    lost = _listed(f"{caller} gets no answer of {target}" for caller, target in verdict.missing)
    wrong = any(cause.state == "wrong" for cause in verdict.causes)
    return f"not verified: {lost}" + ("" if wrong else f"; {_NOTHING_WRONG}")


_NOTHING_WRONG = (
    "and none of the five is wrong. Then see whether a DestinationRule with outlierDetection and localityLbSetting, or "
    "the region of the nodes, keeps requests near (that is by design), and what the proxy knows: `istioctl "
    "proxy-config endpoints deploy/curl -n <namespace>`, where other networks have their gateway's address"
)


def _listed(items: Iterable[str], most: int = 4) -> str:
    found = list(items)
    return "; ".join(found[:most]) + (f"; and {len(found) - most} more" if len(found) > most else "")
