"""`mesh verify`: options, and the order of things."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from meshctl import options


@click.command(
    epilog="Exit code: 0 every version answered in every cluster, 3 nobody could be asked and nothing else is wrong, 4 "
    "something did not answer; 1 and 2 when the command itself could not work."
)
@options.of_a_stack
@click.option(
    "--requests", type=click.IntRange(min=1, max=1000), default=20, show_default=True, help="From each cluster."
)
def verify(stack: str, cwd: Path, state: Path | None, engine: str | None, requests: int, as_json: bool) -> None:
    """Call HelloWorld from every cluster, and count who answers.

    Which versions, from where, in what share. Where one did not, or nobody could be asked, also: what to look at, by
    five causes in their order. The document has to have `applications.helloworld`. Nothing is changed.

    \b
    mesh verify --stack prod
    mesh verify --stack prod --requests 100 --json
    """
    from meshctl.commands import UserError
    from meshctl.display import print_json
    from meshctl.verify.run import Wish, run
    from meshctl.verify.show import show

    try:
        found = run(Wish(stack, cwd, state, engine, requests))
    except UserError as failure:
        raise click.ClickException(str(failure)) from failure
    if as_json:
        print_json(found.data())
    else:
        show(found)
    sys.exit(found.exit_code)
