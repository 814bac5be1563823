"""Completion of `mesh` in shells: the script that a shell loads, and the names of stacks. Click does the rest."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_MESH_COMPLETE"
"""By which the shell's script asks the command what comes next."""


def script(shell: str, command: click.Command) -> str:
    """What the shell loads. Raises ClickException where the shell is too old for it."""
    found = get_completion_class(shell)
    if found is None:
        message = f"there is no completion for {shell}; it is there for {', '.join(SHELLS)}"
        raise click.ClickException(message)
    try:
        return found(command, {}, "mesh", VARIABLE).source()
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error


def stacks(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Stacks of the project that have a file, for `--stack`."""
    from meshctl.local.project import ProjectError, located

    try:
        project = located(Path(ctx.params.get("cwd") or "."), "any")
    except ProjectError:
        return []
    files = project.stack_file.parent.glob("Pulumi.*.yaml")
    names = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in files)
    return [CompletionItem(name) for name in names if name.startswith(begun)]
