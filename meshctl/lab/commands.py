"""`mesh lab up`, `down` and `status`: the lab for people. What it does is in `lab.py`."""

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meshctl.lab import LabError, News, Report

if TYPE_CHECKING:
    from meshctl.lab.lab import Health, Lab

DEFAULT_DIRECTORY = Path(".lab")
QUIET_SECONDS = 10.0
"""Where output is no terminal, something that is under way is mentioned this often."""

_directory = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    help="The folder that holds the lab.",
)


@click.group()
def lab() -> None:
    """Real Kubernetes API servers on this machine."""


@lab.command()
@_directory
@click.option("--clusters", metavar="NAME,...", help="Clusters to have, besides those already there.  [default: two]")
@click.option(
    "--namespaces",
    metavar="NAME,...",
    default="istio-system",
    show_default=True,
    help="Root namespaces to have, each with a reader account.",
)
def up(directory: Path, clusters: str | None, namespaces: str) -> None:
    """Start the lab, or what is missing of it.

    For trying a document out, and for tests: the API servers are real, nodes and load balancers are pretended, and no
    istiod runs. Everything listens on this machine alone. The first time its programs may have to be built, once, for
    minutes.

    \b
    mesh lab up
    mesh lab up --clusters east,west,north --dir /tmp/lab
    """
    with _errors_for_people(), _progress() as report:
        running = _lab(directory, report)
        running.up(_names(clusters), _names(namespaces))
        found = [(cluster.name, running.kubeconfig(cluster.name)) for cluster in running.clusters()]
    click.echo("\nThe lab is up. Nothing runs in its pods, and Istio is not installed: use `istio.install: none`.")
    for name, path in found:
        click.echo(f"  {name}: {path}")
    where = "" if directory == DEFAULT_DIRECTORY else f" --dir {directory}"
    click.echo(f"\nLook around:  kubectl --kubeconfig {found[0][1]} get namespaces\nRemove it:    mesh lab down{where}")


@lab.command()
def build() -> None:
    """Build the lab's programs, and helm, where they are missing.

    Whoever needs one would build it, too; this is for having it done before, as in a CI with a cache. Programs on PATH
    or in KUBEBUILDER_ASSETS are taken as they are. To build takes Go.

    \b
    mesh lab build
    """
    from meshctl.lab import programs, servers

    with _errors_for_people(), _progress() as report:
        found = programs.ensure([*servers.PROGRAMS, "helm"], report)
    click.echo(f"{', '.join(found)} are there; what was built is in {programs.cache_root()}")


@lab.command()
@_directory
def down(directory: Path) -> None:
    """Stop every process of the lab and remove its folder.

    All that the clusters hold goes. A stack that was applied to them keeps its state: `mesh destroy` before, or `make
    down` for both.

    \b
    mesh lab down
    mesh lab down --dir /tmp/lab
    """
    with _errors_for_people(), _progress() as report:
        _lab(directory, report).down()


@lab.command()
@_directory
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(directory: Path, as_json: bool) -> None:
    """Show every process of the lab. Ends with 1 when one of them is down.

    For when a cluster does not answer. `mesh lab up` starts what is down; its logs are in the lab's folder.

    \b
    mesh lab status
    mesh lab status --json | jq '.[] | select(.ready | not)'
    """
    with _errors_for_people():
        rows = _lab(directory).status()
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=2))
    else:
        _show(rows)
    if not all(row.ready for row in rows):
        sys.exit(1)


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _lab(directory: Path, report: Report | None = None) -> "Lab":
    from meshctl.lab.lab import Lab

    return Lab(directory, report) if report else Lab(directory)


def _show(rows: list["Health"]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "cluster", "program", "server", "pid", "ready", "version", box=None, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for row in rows:
        ready = "yes" if row.ready else "[red]no[/red]"
        table.add_row(row.cluster or "(all)", row.program, row.server, str(row.pid or ""), ready, row.version)
    # In a pipe rich believes in 80 columns, and would cut the addresses.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


@contextmanager
def _errors_for_people() -> Iterator[None]:
    try:
        yield
    except LabError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _progress() -> Iterator[Report]:
    """One line per thing done; below them, on a terminal, what is under way."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        yield plain_report(click.echo)
        return
    with console.status("") as spinner:

        def report(news: News) -> None:
            if news.done:
                console.print(f"{news.what}: {news.text}", markup=False)
                spinner.update("")
            else:
                spinner.update(f"{news.what}: {news.text}")

        yield report


def plain_report(write: Callable[[str], None]) -> Report:
    """Lines for a log: what is done at once, what is under way now and then."""
    mentioned: dict[str, float] = {}

    def report(news: News) -> None:
        now = time.monotonic()
        if news.done or now - mentioned.setdefault(news.what, now) > QUIET_SECONDS:
            mentioned[news.what] = now
            write(f"{news.what}: {news.text}")
        if news.done:
            del mentioned[news.what]

    return report
