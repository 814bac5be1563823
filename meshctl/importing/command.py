"""`mesh import`: which clusters, what is in them, and where the document goes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from meshctl import options


@click.command(name="import")
@click.argument("clusters", nargs=-1, required=True, metavar="NAME=KUBECONFIG...")
@click.option("--namespace", "-n", metavar="NAME", help="The root namespace; default: the one with a network's label.")
@options.output
@options.as_json
def import_(clusters: tuple[str, ...], namespace: str | None, output: Path | None, as_json: bool) -> None:
    """Write the document of a mesh that runs already.

    NAME is what istiod calls the cluster (its cluster ID); KUBECONFIG is a file, and may end in #CONTEXT.

    \b
    mesh import east=east.config west=west.config -o stacks/Pulumi.prod.yaml
    mesh preview --stack prod

    Reads namespaces, labels, Deployments, Services, ConfigMaps, gateways, and of Secrets their names alone. Changes
    nothing. What a cluster does not say is told, as notes. A mesh that this library has made, with its state, shows 0
    changes in the preview.
    """
    from mesh_components.settings import FindingsError
    from meshctl.importing.write import ImportError_
    from meshctl.local.model import Unreachable
    from meshctl.local.providers.kubernetes.errors import ApiError

    try:
        made, notes = _read(clusters, namespace)
    except (ApiError, Unreachable, ImportError_, FindingsError) as error:
        raise click.ClickException(str(error)) from error
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        from meshctl.display import print_json

        print_json({"document": made, "notes": notes})
        return
    options.put(_stack_file(made, notes), output, new=True)
    if output is not None:
        click.echo(f"written: {output}; look at what a preview says", err=True)


def _read(clusters: tuple[str, ...], namespace: str | None) -> tuple[dict[str, Any], list[str]]:
    from mesh_components.settings.kubeconfig import KubeconfigError, read
    from meshctl.importing.read import Reader
    from meshctl.importing.write import ImportError_, imported

    readers, places = [], {}
    for word in clusters:
        name, equals, place = word.partition("=")
        file, _, context = place.partition("#")
        if not (equals and name and file) or name in places:
            raise click.UsageError(f"{word!r}: write NAME=KUBECONFIG, each name once")
        try:
            readers.append(Reader(name, read(Path(file).expanduser().read_text(), context or None)))
        except (OSError, UnicodeDecodeError, KubeconfigError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise click.UsageError(f"{name}: {file} cannot be read: {reason}") from None
        places[name] = {"file": file, **({"context": context} if context else {})}
    with ThreadPoolExecutor(len(readers)) as pool:
        roots = {namespace} if namespace else set().union(*pool.map(Reader.namespaces, readers))
        if len(roots) != 1:
            told = f"{', '.join(sorted(roots))} have" if roots else "no namespace has"
            raise ImportError_(f"{told} the label of a network; name the root namespace with --namespace")
        (root,) = roots
        found = list(pool.map(lambda reader: reader.read(root), readers))
    made = imported(found, root, places)
    return made.document, list(made.notes)


def _stack_file(document: dict[str, Any], notes: list[str]) -> str:
    from meshctl.plans import as_yaml

    head = ["# Read from running clusters by `mesh import`. Not read:", *(f"# - {note}" for note in notes)]
    config = {"pulumi:disable-default-providers": ["kubernetes"], "mesh:mesh": document}
    return "\n".join([*head, as_yaml({"config": config})])
