"""`mesh upgrade`, `mesh rotate` and `mesh traffic`: commands that print steps, each a changed document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from meshctl import options as shared
from meshctl.completion import written

_write = click.option(
    "--write",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the documents there, each as a file of the stack.",
)


@click.group()
def upgrade() -> None:
    """Bring the mesh to another version of Istio."""


@upgrade.command("plan")
@shared.stack
@shared.cwd
@click.option("--to", required=True, metavar="VERSION", help="Version of Istio.")
@click.option("--revision", metavar="NAME", help="Name of the new control plane; default: the version, with dashes.")
@click.option(
    "--canary",
    metavar="CLUSTER",
    help="Cluster that goes first; default: the first control plane.",
    shell_complete=written("clusters"),
)
@_write
@shared.as_json
def upgrade_plan(stack: str, cwd: Path, write: Path | None, as_json: bool, **options: Any) -> None:
    """Print the steps, each a change of the document. Nothing is changed, and no cluster is asked.

    Take them one by one: put the step's document in its place, run its commands, look at what it says, go on. Each
    has a way back. In the middle of an upgrade the plan is the rest of it.

    \b
    mesh upgrade plan --to 1.31.1 --stack prod
    mesh upgrade plan --to 1.31.1 --stack prod --write steps
    """

    def work() -> int:
        from meshctl.plans import Wish
        from meshctl.upgrade import plan

        plan(Wish(stack, cwd, write, as_json), **options)
        return 0

    shared.guarded(work)


@click.group()
def traffic() -> None:
    """Lead requests to another version of a service."""


@traffic.command("plan")
@shared.stack
@shared.cwd
@click.option(
    "--host",
    required=True,
    help="The service, as the document's `traffic` has it.",
    shell_complete=written("traffic", "host"),
)
@click.option("--to", required=True, metavar="SUBSET", help="Who gets the requests.")
@click.option("--steps", default="10,50,100", show_default=True, metavar="PERCENT,...", help="100 alone: blue/green.")
@click.option("--route", metavar="NAME", help="Whose requests; default: those of the route for all.")
@_write
@shared.as_json
def traffic_plan(stack: str, cwd: Path, write: Path | None, as_json: bool, **options: Any) -> None:
    """Print the steps, each a change of the document. Nothing is changed, and no cluster is asked.

    For a version that is to get more and more of the requests (a canary), or all at once (blue/green). Until the next
    step each can be taken back. In the middle the plan is the rest of it.

    \b
    mesh traffic plan --host reviews.bookinfo --to v2 --stack prod
    mesh traffic plan --host reviews.bookinfo --to v2 --steps 100 --stack prod
    """

    def work() -> int:
        from meshctl.plans import Wish
        from meshctl.traffic import plan

        plan(Wish(stack, cwd, write, as_json), **options)
        return 0

    shared.guarded(work)


@click.group()
def rotate() -> None:
    """Replace certificates and credentials while the mesh goes on."""


@rotate.group("plan")
def rotate_plan() -> None:
    """Print the steps, each a change of the document. Nothing is changed, and no cluster is asked.

    \b
    mesh rotate plan root --stack prod
    """


@rotate_plan.command("root")
@shared.stack
@shared.cwd
@_write
@shared.as_json
def rotate_root(stack: str, cwd: Path, write: Path | None, as_json: bool) -> None:
    """To another root. Every cluster trusts both, then signs with the new one, then drops the old one.

    Before it ends (a preview warns: MESH307), or when its key may be known to others. It takes five runs of `up`, one
    restart of all proxies, and a day for the workloads' certificates; nobody notices as long as no step is skipped.

    \b
    mesh rotate plan root --stack prod
    mesh rotate plan root --stack prod --write plan        each document as a file
    """
    _rotation(stack, cwd, write, as_json, "root")


@rotate_plan.command("intermediate")
@shared.stack
@shared.cwd
@shared.clusters("Only this one's; may be repeated.")
@_write
@shared.as_json
def rotate_intermediate(stack: str, cwd: Path, clusters: tuple[str, ...], write: Path | None, as_json: bool) -> None:
    """To new signing certificates under the same root. One cluster goes after the other.

    When a preview warns that one ends (MESH307), or a cluster's key may be known to others. One run of `up` a cluster,
    without a restart.

    \b
    mesh rotate plan intermediate --stack prod
    mesh rotate plan intermediate --stack prod --cluster east
    """
    _rotation(stack, cwd, write, as_json, "intermediate", clusters)


@rotate_plan.command("tokens")
@shared.stack
@shared.cwd
@shared.clusters("Only to read this one; may be repeated.")
@_write
@shared.as_json
def rotate_tokens(stack: str, cwd: Path, clusters: tuple[str, ...], write: Path | None, as_json: bool) -> None:
    """To other tokens with which clusters are read. New ones come beside the old, then the old ones go.

    When a remote secret may be known to others, or from time to time where tokens have no end. Both are valid until the
    last step, so no istiod loses its peers.

    \b
    mesh rotate plan tokens --stack prod
    mesh rotate plan tokens --stack prod --cluster east
    """
    _rotation(stack, cwd, write, as_json, "tokens", clusters)


@rotate_plan.command("kiali-tokens")
@shared.stack
@shared.cwd
@shared.clusters("Only to read this one; may be repeated.")
@_write
@shared.as_json
def rotate_kiali(stack: str, cwd: Path, clusters: tuple[str, ...], write: Path | None, as_json: bool) -> None:
    """To other tokens with which Kiali reads clusters. New ones come beside the old, then the old ones go.

    Where Kiali is an add-on of the document. Kiali reads its Secrets when it starts, so the first step replaces its Pod
    too.

    \b
    mesh rotate plan kiali-tokens --stack prod
    mesh rotate plan kiali-tokens --stack prod --cluster east
    """
    _rotation(stack, cwd, write, as_json, "kiali-tokens", clusters)


def _rotation(stack: str, cwd: Path, write: Path | None, as_json: bool, *what: Any) -> None:
    def work() -> int:
        from meshctl.plans import Wish
        from meshctl.rotate import plan

        plan(Wish(stack, cwd, write, as_json), *what)
        return 0

    shared.guarded(work)
