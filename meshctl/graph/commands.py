"""`mesh graph`: reads the document of a stack, checks it, and draws it; with what would change, or as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meshctl import options as shared

if TYPE_CHECKING:
    from mesh_components.settings import MeshSettings
    from meshctl.graph.scene import Scene
    from meshctl.local.project import Project

FORMATS = {"svg": "svg", "mermaid": "mermaid", "json": "jsontext", "html": "page"}
"""Format to the module that writes it."""
_BY_ENDING = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".json": "json", ".html": "html"}


@dataclass(frozen=True)
class Wish:
    """Of what a picture is asked for, beside the document."""

    preview: bool = False
    rows: Path | None = None
    live: bool = False
    engine: str | None = None
    state: Path | None = None
    without_credentials: bool = False


@click.command()
@shared.stack
@shared.cwd
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(list(FORMATS)),
    help="Default: by the ending of --output (.svg, .mmd, .json, .html), else mermaid.",
)
@shared.output
@click.option("--preview", is_flag=True, help="Run a preview, and show what would change.")
@click.option(
    "--rows",
    type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Show what would change by what `mesh preview --json` printed; - is the standard input.",
)
@click.option("--live", is_flag=True, help="Ask the clusters, and show what is there and what is not.")
@click.option("--engine", type=click.Choice(["local", "pulumi"]), help="Of the preview: pulumi if on PATH, else local.")
@click.option(
    "--state", type=click.Path(dir_okay=False, path_type=Path), help="Of the preview: the local engine's state."
)
@click.option("--without-credentials", is_flag=True, help="Of the preview: where no kubeconfig is, take the state.")
def graph(stack: str, cwd: Path, form: str | None, output: Path | None, **options: object) -> None:
    """Draw the mesh as a picture, or as a page to click through.

    Networks, clusters, control planes, trust, who reads whom, ways of requests. From the document alone: nothing is
    run, no cluster is asked, no passphrase is needed. --preview and --rows colour what would change; --live compares
    the document with what the clusters hold.

    \b
    mesh graph -s prod                      Mermaid, for a pull request
    mesh graph -s prod -o mesh.html         a page to click through
    mesh graph -s prod -o mesh.html --live
    mesh preview -s prod --json | mesh graph -s prod --rows - -o change.html
    """
    form = form or _BY_ENDING.get(output.suffix if output else "", "mermaid")
    shared.put(write(stack, cwd, form, Wish(**options)), output)  # type: ignore[arg-type] # click has checked them


def write(stack: str, cwd: Path, form: str, wish: Wish) -> str:
    """The picture of a stack's mesh as text."""
    from importlib import import_module

    from mesh_components.settings import FindingsError
    from meshctl.commands import UserError
    from meshctl.local.project import load

    if sum((wish.preview, wish.rows is not None, wish.live)) > 1:
        message = "--preview, --rows and --live are three pictures; ask for one of them"
        raise click.UsageError(message)
    try:
        seen = _scene(load(cwd, stack), wish)
    except (*UserError, FindingsError) as error:
        raise click.ClickException(str(error)) from error
    writer = import_module(f"meshctl.graph.{FORMATS[form]}")
    parts = {} if seen.source == "document" else seen.owned()
    text: str = writer.write(seen) if form == "html" else writer.write(seen.graph, parts)
    return text


def _scene(project: Project, wish: Wish) -> Scene:
    from mesh_components.topology.findings import check
    from mesh_components.topology.plan import plan
    from meshctl import document
    from meshctl.graph.scene import from_document

    mesh = document.mesh(project)
    # Whether the kubeconfigs are there matters to whoever builds the mesh, and not to its picture.
    scene = from_document(plan(mesh), check(mesh, brought=frozenset(cluster.name for cluster in mesh.clusters)))
    if wish.live:
        return _live(project, mesh, scene)
    if wish.preview or wish.rows:
        return _changed(project, scene, wish)
    return scene


def _changed(project: Project, scene: Scene, wish: Wish) -> Scene:
    from meshctl.commands import preview
    from meshctl.graph import changes

    if wish.rows:
        rows = changes.read(click.open_file(str(wish.rows)).read())
    else:
        options: Mapping[str, bool] = {"without_credentials": wish.without_credentials}
        rows = preview(project, state=wish.state, engine=wish.engine, **options).rows
    return changes.with_changes(scene, rows, f"from a preview of {project.name}/{project.stack}")


def _live(project: Project, mesh: MeshSettings, scene: Scene) -> Scene:
    from meshctl import document
    from meshctl.graph import live

    chosen = {index: cluster.name for index, cluster in enumerate(mesh.clusters)}
    ways, closed = document.kubeconfigs_at_hand(project, chosen, mesh)
    seen = live.look(scene, mesh, ways, closed)
    answered = sum(not one.trouble for one in seen.values())
    return live.with_seen(scene, seen, f"from the clusters: {answered} of {len(seen)} answered")
