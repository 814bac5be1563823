"""`preview`, `up` and `destroy`: chooses the engine, runs it, and prints what came of it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import click

from mesh_components.settings.kubeconfig import WITHOUT_CREDENTIALS
from meshctl import display
from meshctl.local.passphrase import PassphraseError
from meshctl.local.project import Project, ProjectError, load
from meshctl.local.state import StateError
from meshctl.progress import Lines, Terminal
from meshctl.rows import Report, summary

UserError = (ProjectError, StateError, PassphraseError)
"""What a user can put right; the message says how."""

Confirm = Callable[[Report], bool]


class Runner(Protocol):
    """Either engine."""

    def preview(self) -> Report:
        """Say what an update would do."""

    def up(self, confirm: Confirm, *, skip_preview: bool = False) -> Report:
        """Preview, ask, and do it."""

    def destroy(self, confirm: Confirm) -> Report:
        """Show what would be deleted, ask, and delete it."""


def run(
    command: str,
    *,
    stack: str,
    cwd: Path,
    state: Path | None,
    engine: str | None,
    as_json: bool,
    yes: bool,
    skip_preview: bool = False,
    properties: bool = False,
    without_credentials: bool = False,
) -> Report:
    """Run one command to its end, and print it."""
    project = load(cwd, stack)
    if without_credentials:
        os.environ[WITHOUT_CREDENTIALS] = "true"
    chosen, why = choose(engine, shutil.which("pulumi"))
    click.echo(f"{command} of {project.name}/{stack} by the {chosen} engine ({why})", err=True)
    progress = Terminal() if sys.stderr.isatty() else Lines()
    runner = _runner(chosen, project, state.resolve() if state else None, progress, properties=properties)

    plans: list[Report] = []

    def confirm(planned: Report) -> bool:
        plans.append(planned)
        if not as_json:
            display.print_rows(planned)
        agreed = yes or not planned.changes or click.confirm("\nDo it?", err=True)
        if agreed and planned.changes:
            progress.__enter__()
        return agreed

    try:
        if command == "preview":
            report = runner.preview()
        elif command == "destroy":
            report = runner.destroy(confirm)
        else:
            if skip_preview:
                progress.__enter__()
            report = runner.up(confirm, skip_preview=skip_preview)
    finally:
        progress.__exit__(None, None, None)
    # A plan without changes has been printed, and is the last word unless something changed after all.
    said = any(not planned.changes for planned in plans) and not report.changes
    _print(command, report, as_json=as_json, said=said)
    return report


def preview(project: Project, *, state: Path | None, engine: str | None, without_credentials: bool = False) -> Report:
    """A preview for who makes something else of it than a list.

    Raises:
        ProjectError: when it fails, with why.
    """
    if without_credentials:
        os.environ[WITHOUT_CREDENTIALS] = "true"
    chosen, why = choose(engine, shutil.which("pulumi"))
    click.echo(f"preview of {project.name}/{project.stack} by the {chosen} engine ({why})", err=True)
    with Terminal() if sys.stderr.isatty() else Lines() as progress:
        report = _runner(chosen, project, state.resolve() if state else None, progress, properties=False).preview()
    if report.failures:
        raise ProjectError("\n".join(report.failures))
    return report


def choose(engine: str | None, pulumi: str | None) -> tuple[str, str]:
    """Choose the engine, and say why."""
    if engine:
        return engine, "as asked"
    return ("pulumi", "it is on PATH") if pulumi else ("local", "pulumi is not on PATH")


def _runner(engine: str, project: Project, state: Path | None, progress: Lines, *, properties: bool) -> Runner:
    if engine == "local":
        from meshctl.local.session import Session

        return Session(project, state, progress, properties=properties)
    if state is not None:
        message = "--state is of the local engine; Pulumi keeps its state in a backend (PULUMI_BACKEND_URL)"
        raise click.UsageError(message)
    from meshctl.automation import PulumiSession

    return PulumiSession(project, progress, properties=properties)


def _print(command: str, report: Report, *, as_json: bool, said: bool) -> None:
    if as_json:
        rows = [row.data() for row in report.rows]
        display.print_json({"resources": rows, "outputs": dict(report.outputs)} if command == "up" else rows)
    elif command == "preview":
        display.print_rows(report)
    else:
        display.print_table(report)
        if report.changes or not (said or report.failures):
            click.echo(summary(report.rows, done=True))
        display.print_outputs(report.outputs)
    display.print_failures(report.failures)
    if report.interrupted:
        click.echo("interrupted: the state is complete; run the same command again to go on", err=True)
