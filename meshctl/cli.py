"""The `mesh` command. What a command needs is imported when it runs, so that help and mistakes answer at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from meshctl.rows import Report

Command = Callable[..., Any]


def _options(command: Command) -> Command:
    for option in reversed(
        (
            click.option("--stack", "-s", required=True, envvar="PULUMI_STACK", help="Stack to work on."),
            click.option(
                "--cwd",
                "-C",
                type=click.Path(exists=True, file_okay=False, path_type=Path),
                default=".",
                help="Folder of the project; default: here.",
            ),
            click.option(
                "--state",
                type=click.Path(dir_okay=False, path_type=Path),
                help="State file of the local engine; default: .pulumi-local/<project>/<stack>.json in the project.",
            ),
            click.option(
                "--engine",
                type=click.Choice(["local", "pulumi"]),
                help="Default: pulumi if it is on PATH, else local.",
            ),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."),
        )
    ):
        command = option(command)
    return command


_yes = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


class _Lazy(click.Group):
    """Mounts the commands of the lab without importing them before they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), "lab"})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "lab":
            from meshctl.lab.commands import lab

            return lab
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mesh-components", prog_name="mesh")
def main() -> None:
    """Preview, apply and look at multicluster Istio meshes."""


@main.command()
@_options
def preview(**options: Any) -> None:
    """Show what `up` would do; changes nothing."""
    _run("preview", yes=True, **options)


@main.command()
@_options
@_yes
@click.option(
    "--skip-preview", is_flag=True, help="Act at once, without showing first what would be done; needs --yes."
)
def up(**options: Any) -> None:
    """Make what the program describes, after showing it."""
    if options["skip_preview"] and not options["yes"]:
        message = "--skip-preview leaves nothing to agree to, so it needs --yes"
        raise click.UsageError(message)
    _run("up", **options)


@main.command()
@_options
@_yes
def destroy(**options: Any) -> None:
    """Delete all that the stack has made."""
    _run("destroy", **options)


@main.command()
def schema() -> None:
    """Print the JSON schema of the mesh document."""
    from meshctl.display import print_json

    try:
        from mesh_components.settings import json_schema
    except ImportError as error:
        message = f"the settings cannot be imported: {error}"
        raise click.ClickException(message) from error
    print_json(json_schema())


def _run(command: str, *, yes: bool, as_json: bool, **options: Any) -> None:
    from meshctl.commands import UserError, run

    if not yes and not sys.stdin.isatty():
        message = f"`mesh {command}` asks before it acts, and this is not a terminal; look at `mesh preview`, add --yes"
        raise click.UsageError(message)
    if as_json and not yes:
        message = "--json prints no question, so it needs --yes"
        raise click.UsageError(message)
    try:
        report: Report = run(command, yes=yes, as_json=as_json, **options)
    except UserError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(130)
    sys.exit(report.exit_code)


if __name__ == "__main__":
    main()
