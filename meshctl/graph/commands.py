"""`mesh graph`: reads the document of a stack, checks it, and writes its picture."""

from __future__ import annotations

from pathlib import Path

import click

FORMATS = {"svg": "svg", "mermaid": "mermaid", "json": "jsontext", "html": "page"}
"""Format to the module that writes it."""
_BY_ENDING = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".json": "json", ".html": "html"}


@click.command()
@click.option("--stack", "-s", required=True, envvar="PULUMI_STACK", help="Stack whose mesh to draw.")
@click.option(
    "--cwd",
    "-C",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="Folder of the project; default: here.",
)
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(list(FORMATS)),
    help="Default: by the ending of --output (.svg, .mmd, .json, .html), else mermaid.",
)
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File to write; default: print.")
def graph(stack: str, cwd: Path, form: str | None, output: Path | None) -> None:
    """Draw the mesh: networks, clusters, control planes, trust, who reads whom, ways of requests.

    From the document alone: nothing is run, no cluster is asked, no passphrase is needed.
    """
    text = write(stack, cwd, form or _BY_ENDING.get(output.suffix if output else "", "mermaid"))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text)
    except OSError as error:
        message = f"{output}: cannot be written: {error.strerror}; name another file with --output"
        raise click.ClickException(message) from error


def write(stack: str, cwd: Path, form: str) -> str:
    """The picture of a stack's mesh as text."""
    from importlib import import_module

    from mesh_components.settings import FindingsError
    from mesh_components.topology import plan
    from mesh_components.topology.findings import check
    from meshctl import document
    from meshctl.graph import scene
    from meshctl.local.project import ProjectError, load

    try:
        mesh = document.mesh(load(cwd, stack))
        # Whether the kubeconfigs are there matters to whoever builds the mesh, and not to its picture.
        found = check(mesh, brought=frozenset(cluster.name for cluster in mesh.clusters))
    except (ProjectError, FindingsError) as error:
        raise click.ClickException(str(error)) from error
    seen = scene.from_document(plan(mesh), found)
    writer = import_module(f"meshctl.graph.{FORMATS[form]}")
    text: str = writer.write(seen if form == "html" else seen.graph)
    return text
