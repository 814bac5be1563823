"""`mesh trust` and `mesh vm`: what is handed to those outside: other meshes, and machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from meshctl import options as shared
from meshctl.completion import written


@click.group()
def trust() -> None:
    """What a mesh says of itself to other meshes."""


@trust.command("export")
@shared.stack
@shared.cwd
@shared.state
@shared.engine
@shared.output
def trust_export(**options: Any) -> None:
    """Write down what a mesh says of itself to another one.

    Its roots, gateways and exports: nothing of it is secret. For the administrator of another mesh, after an `up` of
    a document with `exports` or `meshes`, and after every change of roots or gateways. The digest that it prints is
    compared by telephone, or another way that is not the file's.

    \b
    mesh trust export --stack prod --output shop.facts.json
    """

    def work() -> int:
        from meshctl.trust import export

        export(**options)
        return 0

    shared.guarded(work)


@trust.command("digest")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@shared.as_json
def trust_digest(file: Path, as_json: bool) -> None:
    """Show what another mesh says of itself, with its digest.

    The digest is how somebody here signs it off. Before it goes into `meshes[].digest`: read out what you see, and
    let the other side compare it.

    \b
    mesh trust digest shop.facts.json
    """

    def work() -> int:
        from meshctl.trust import digest

        digest(file, as_json=as_json)
        return 0

    shared.guarded(work)


@click.group()
def vm() -> None:
    """Virtual machines in the mesh."""


@vm.command("bundle")
@click.argument("name", shell_complete=written("virtualMachines"))
@click.option("--out", "-o", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder to write.")
@click.option("--internal-ip", metavar="IP", help="The machine's address; default: the first one that it has.")
@click.option("--external-ip", metavar="IP", help="Where the mesh calls it, if the machine itself has another address.")
@shared.of_a_stack
def vm_bundle(stack: str, cwd: Path, state: Path | None, engine: str | None, **options: Any) -> None:
    """Write what the machine NAME needs to come in.

    Five files, mode 0600, one of them a token of the machine's account. After `up` of a document with
    `virtualMachines`. The token ends: carry the files over and start the proxy before; later its certificate renews
    itself. Run again, the bundle is made anew.

    \b
    mesh vm bundle ledger --stack prod --out bundles/ledger
    mesh vm bundle ledger --stack prod --out bundles/ledger --internal-ip 10.0.0.7
    """
    if options["internal_ip"] and options["external_ip"]:
        message = "--internal-ip and --external-ip say the same thing; give one"
        raise click.UsageError(message)

    def work() -> int:
        from meshctl.vm import Wish, bundle

        bundle(stack, cwd, state, engine, Wish(**options))
        return 0

    shared.guarded(work)
