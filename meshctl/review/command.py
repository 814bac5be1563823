"""`mesh diff`: reads both sides, compares them, and writes it down."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click

from meshctl import options
from meshctl.completion import stacks

FORMATS = {"text": "text", "markdown": "markdown", "json": "jsontext"}
"""Format to the module that writes it."""


@click.command(name="diff")
@click.argument("base")
@click.argument("head", required=False)
@click.option(
    "--stack", "-s", envvar="PULUMI_STACK", help="Stack whose file is read of a revision.", shell_complete=stacks
)
@options.cwd
@click.option("--format", "-f", "form", type=click.Choice(list(FORMATS)), help="Default: text.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@options.output
@click.option("--charts", is_flag=True, help="Render the charts too, with helm; may need a network.")
def diff(
    base: str,
    head: str | None,
    stack: str | None,
    cwd: Path,
    form: str | None,
    as_json: bool,
    output: Path | None,
    charts: bool,
) -> None:
    """Show what a change of the document does to the mesh.

    For reviews: the way from BASE to HEAD. Each is a revision of git, of which the stack's file is read, or a file: a
    document, or a stack's file. Without HEAD, it is the stack's file as it lies there.

    \b
    mesh diff main --stack prod                        this folder against main
    mesh diff v1.4 v1.5 --stack prod --format markdown
    mesh diff before.yaml after.yaml --json

    Nothing is asked but git: no cluster, no cloud, no passphrase, no network. Resources are those that this version of
    the library makes of both documents. Values that are made at apply are taken to stay unless what they come from
    changes. Of a chart, its version and values are compared, or its objects with --charts.

    Ends with 1 where HEAD has errors, or a side cannot be read.
    """
    from meshctl.commands import UserError
    from meshctl.review.review import review
    from meshctl.review.side import Source

    source = Source(cwd, stack, charts)
    try:
        found = review(source.side(base), source.side(head) if head else source.working_tree())
    except UserError as error:
        raise click.ClickException(str(error)) from error
    writer = import_module(f"meshctl.review.{FORMATS[form or ('json' if as_json else 'text')]}")
    options.put(writer.write(found), output)
    sys.exit(int(bool(found.after.errors)))
