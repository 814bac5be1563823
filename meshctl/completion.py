"""Completion of `mesh` in shells: the script that a shell loads, and names that it offers: stacks, what the document of
a stack has, rules. Click does the rest. Where nothing can be read, nothing is offered, and nothing is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

Offer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

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
    return _begun(names, begun)


def written(where: str, key: str = "name") -> Offer:
    """What the stack's document has in one of its lists, such as the `name` of each of its `clusters`. The stack has to
    stand before on the line, or in PULUMI_STACK."""

    def offer(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
        from meshctl.document import document
        from meshctl.local.project import ProjectError, load

        try:
            found = document(load(Path(ctx.params.get("cwd") or "."), ctx.params.get("stack") or "")).get(where)
        except ProjectError:
            return []
        entries = found if isinstance(found, list) else []
        return _begun((str(entry.get(key, "")) for entry in entries if isinstance(entry, Mapping)), begun)

    return offer


def rules(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """The rules of `mesh policy`."""
    from mesh_components.policy import RULES

    return _begun((rule.name for rule in RULES), begun)


def _begun(names: Iterable[str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name and name.startswith(begun)]
