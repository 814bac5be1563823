"""`mesh render`: the objects of a stack's mesh, as a folder of files a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from meshctl import options


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@options.stack
@options.cwd
@options.as_json
def render(folder: Path, stack: str, cwd: Path, as_json: bool) -> None:
    """Write the objects of the mesh into DIR, for Argo CD or Flux.

    \b
    mesh render rendered --stack prod
    rendered/index.yaml      what is written, and what is not and why
    rendered/east/001-namespace-istio-system.yaml

    One folder a cluster; its files applied in the order of their names are in order, and each carries its wave for Argo
    CD. Values of Secrets are never written: the index lists their names. Charts are rendered with helm. No cluster is
    asked. DIR is replaced as a whole, and refused where it holds files of others.
    """
    from meshctl.commands import UserError

    try:
        index = _write(folder, stack, cwd)
    except UserError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        from meshctl.display import print_json

        print_json(index)
        return
    for cluster, count in index["clusters"].items():
        click.echo(f"{cluster}: {count} files")
    click.echo(f"{len(index['left'])} objects are left out; {folder / 'index.yaml'} says which and why")


def _write(folder: Path, stack: str, cwd: Path) -> dict[str, Any]:
    import yaml

    from mesh_components.settings import FindingsError
    from mesh_components.stack import with_folder
    from mesh_components.topology.findings import check
    from meshctl import document
    from meshctl.local.foresight import foresee
    from meshctl.local.project import ProjectError, load
    from meshctl.rendering.folder import replace
    from meshctl.rendering.objects import objects, others

    project = load(cwd, stack)
    mesh = document.mesh(project)
    try:
        check(mesh, brought=frozenset(cluster.name for cluster in mesh.clusters))
    except FindingsError as error:
        raise ProjectError(str(error)) from None
    foreseen = foresee(with_folder(mesh, project.program.parent), charts=True)
    written, left = objects(foreseen)
    clusters = {cluster.name: 0 for cluster in mesh.clusters}
    for item in written:
        clusters[item.cluster] += 1
    index = {
        "mesh": mesh.id,
        "stack": stack,
        "clusters": clusters,
        "left": [item.data() for item in left],
        "alsoNeeded": sorted(others(foreseen)),
    }
    return replace(folder, index, {item.file: yaml.safe_dump(dict(item.manifest), width=100) for item in written})
