"""`preview`, `up` and `destroy`: chooses the engine, runs it, and prints what came of it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from meshctl import display
from meshctl.local.passphrase import PassphraseError
from meshctl.local.project import ProjectError, load
from meshctl.local.state import StateError
from meshctl.progress import Lines, Terminal
from meshctl.rows import Report, summary

UserError = (ProjectError, StateError, PassphraseError)
"""What a user can put right; the message says how."""


def run(
    command: str, *, stack: str, cwd: Path, state: Path | None, engine: str | None, as_json: bool, yes: bool
) -> Report:
    """Run one command to its end, and print it."""
    project = load(cwd, stack)
    chosen = engine or ("pulumi" if shutil.which("pulumi") else "local")
    why = "as asked" if engine else "pulumi is on PATH" if chosen == "pulumi" else "pulumi is not on PATH"
    click.echo(f"{command} of {project.name}/{stack} by the {chosen} engine ({why})", err=True)

    from meshctl.local.session import Session

    progress = Terminal() if sys.stderr.isatty() else Lines()
    session = Session(project, state.resolve() if state else None, progress)

    def confirm(planned: Report) -> bool:
        if not as_json:
            display.print_rows(planned)
        if not planned.changes:
            return True
        if yes:
            progress.__enter__()
            return True
        agreed = click.confirm("\nDo it?", err=as_json)
        if agreed:
            progress.__enter__()
        return agreed

    try:
        report = {
            "preview": lambda: session.preview(),
            "up": lambda: session.up(confirm),
            "destroy": lambda: session.destroy(confirm),
        }[command]()
    finally:
        progress.__exit__(None, None, None)
    _print(command, report, as_json=as_json)
    return report


def _print(command: str, report: Report, *, as_json: bool) -> None:
    if as_json:
        rows = [row.data() for row in report.rows]
        display.print_json({"resources": rows, "outputs": dict(report.outputs)} if command == "up" else rows)
    elif command == "preview":
        display.print_rows(report)
    else:
        click.echo(summary(report.rows, done=True))
        display.print_outputs(report.outputs)
    display.print_failures(report.failures)
    if report.interrupted:
        click.echo("interrupted: the state is complete; run the same command again to go on", err=True)
