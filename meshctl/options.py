"""What commands share: options, where their text goes, and how they end. What a command is about stands with it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from meshctl.completion import stacks, written

Command = Callable[..., Any]

stack = click.option(
    "--stack",
    "-s",
    required=True,
    envvar="PULUMI_STACK",
    show_envvar=True,
    help="Stack to work on.",
    shell_complete=stacks,
)
cwd = click.option(
    "--cwd",
    "-C",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Folder of the project; default: here.",
)
state = click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="State file of the local engine; default: .pulumi-local/<project>/<stack>.json in the project.",
)
engine = click.option(
    "--engine", type=click.Choice(["local", "pulumi"]), help="Default: pulumi if it is on PATH, else local."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
output = click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: print."
)
yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def clusters(help_: str) -> Callable[[Command], Command]:
    """`--cluster`, for whoever may be asked for some of them."""
    named = written("clusters")
    return click.option("--cluster", "clusters", multiple=True, metavar="NAME", help=help_, shell_complete=named)


def of_a_stack(command: Command) -> Command:
    """The options of whoever looks at a stack that one of the engines has applied, or will."""
    for option in (as_json, engine, state, cwd, stack):
        command = option(command)
    return command


def put(text: str, file: Path | None, *, new: bool = False) -> None:
    """Print the text, or write it into a file; with `new`, into one that is not there yet."""
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x" if new else "w", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        message = f"{file}: cannot be written: {error.strerror}; name another file with --output"
        if new and file.exists():
            message = f"{file}: it is there already; name a new file with --output"
        raise click.ClickException(message) from error


def guarded(work: Callable[[], int]) -> None:
    """End with what the work returns; what a user can put right is told in a line."""
    from meshctl.commands import UserError

    try:
        code = work()
    except UserError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(130)
    sys.exit(code)
