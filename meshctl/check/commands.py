"""`mesh check`: options, and the loop that waits for green."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import click

from meshctl import options


@click.command(
    epilog="Exit code: 0 nothing is wrong (what is unknown is not wrong), 3 warnings, 4 errors; 1 and 2 when the "
    "command itself could not work."
)
@options.of_a_stack
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Look again until there is no error, or for so long.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=15,
    show_default=True,
    help="Seconds for one look. Who is late when most are done is left out sooner.",
)
@click.option(
    "--parallel", type=click.IntRange(min=1), default=4, show_default=True, help="Questions to one cluster at a time."
)
@click.option(
    "--policies", is_flag=True, help="Look also whether what the document leads to keeps the rules of `mesh policy`."
)
@click.option(
    "--requests",
    type=click.IntRange(min=1, max=1000),
    metavar="N",
    help="Have HelloWorld's client in each cluster send so many, as `mesh verify` does: the data path.",
)
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML, too.")
def check(
    stack: str,
    cwd: Path,
    state: Path | None,
    engine: str | None,
    wait: float | None,
    timeout: float,
    parallel: int,
    policies: bool,
    requests: int | None,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Look at every cluster: what is wrong, why, what to do.

    Before the first `mesh up`: the document, whether API servers answer, versions. After it, also: certificates, remote
    secrets (whether each credential works, leads to the right cluster and carries the needed rights), gateways,
    webhooks, what each istiod says of its peers, and whether objects are as they were applied. Nothing is changed.

    \b
    mesh check --stack prod
    mesh check --stack prod --wait 600        after `mesh up`, until all is well
    mesh check --stack prod --requests 20     do HelloWorld's requests get there
    mesh check --stack prod --junit mesh.xml  for a CI
    mesh check --stack prod --json | jq '.problems[].code'

    Every check has a number and a page, docs/checks/CHECK###.md.
    """
    from meshctl.check.gather import Limits
    from meshctl.check.junit import junit as write_junit
    from meshctl.check.look import look
    from meshctl.check.report import FAILED
    from meshctl.check.show import last_line, show
    from meshctl.commands import UserError, choose
    from meshctl.display import print_json
    from meshctl.local.project import load

    limits = Limits(seconds=timeout, parallel=parallel)
    try:
        project = load(cwd, stack)
        chosen, _ = choose(engine, shutil.which("pulumi"))
        found = look(project, chosen, state, limits, policies=policies, requests=requests or 0)
        end = time.monotonic() + (wait or 0)
        while found.exit_code == FAILED and time.monotonic() < end:
            click.echo(f"not yet: {last_line(found)}", err=True)
            time.sleep(min(2.0, max(0.0, end - time.monotonic())))
            found = look(project, chosen, state, limits, policies=policies, requests=requests or 0)
    except UserError as failure:
        raise click.ClickException(str(failure)) from failure
    if as_json:
        print_json(found.data())
    else:
        show(found)
    if junit is not None:
        try:
            junit.write_text(write_junit(found))
        except OSError as failure:
            message = f"{junit}: cannot be written: {failure.strerror}; name another file with --junit"
            raise click.ClickException(message) from failure
    sys.exit(found.exit_code)
