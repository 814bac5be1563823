"""`mesh trust`: what a mesh says of itself to others, written down on one side and looked at on the other.

Reads the outputs of a stack, or a file; runs no program, asks no cluster, needs no passphrase: nothing of it is secret.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from mesh_components.settings.facts import FactsError, MeshFacts, parse, read
from meshctl.local.project import ProjectError, load
from meshctl.options import put
from meshctl.outputs import public_outputs

OUTPUT = "publicFacts"


def export(stack: str, cwd: Path, state: Path | None, engine: str | None, output: Path | None) -> None:
    """Write the facts of a stack's mesh, for another mesh to look at. Raises ProjectError."""
    project = load(cwd, stack)
    said = public_outputs(project, engine, state).get(OUTPUT)
    if said is None:
        raise ProjectError(
            f"{project.name}/{stack} has no output {OUTPUT}: its mesh speaks of no other one, or `up` has not been run "
            "since it does; add `exports` or `meshes` to the document, and run `mesh up`"
        )
    try:
        facts = parse(said)
    except FactsError as error:
        raise ProjectError(f"the output {OUTPUT} of {project.name}/{stack} cannot be used: {error}") from None
    put(f"{json.dumps(facts.document(), indent=2, sort_keys=True)}\n", output)
    if output is not None:
        click.echo(f"{output}: {facts.digest}", err=True)


def digest(file: Path, *, as_json: bool) -> None:
    """Print what somebody signs off with the digest. Raises ProjectError."""
    try:
        facts = read(file.read_text())
    except FactsError as error:
        raise ProjectError(f"{file}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ProjectError(f"{file}: cannot be read: {reason}") from None
    click.echo(json.dumps(facts.document(), indent=2, sort_keys=True) if as_json else "\n".join(words(facts)))


def words(facts: MeshFacts) -> list[str]:
    """The facts as a person compares them on the telephone."""
    lines = [f"{facts.mesh}  spiffe://{facts.trust_domain}"]
    lines += [f"  root      {root.sha256}, ends {root.ends:%Y-%m-%d}" for root in facts.roots]
    lines += [
        f"  gateway   {gateway.cluster}, network {gateway.network}: {gateway.address}:{gateway.port}"
        for gateway in facts.gateways
    ]
    for item in facts.exports:
        ports = ", ".join(f"{port.number}/{port.protocol}" for port in item.ports)
        lines.append(f"  exports   {item.host} {ports} by {', '.join(item.accounts)} to {', '.join(item.meshes)}")
    return [*lines, f"  {facts.digest}"]
