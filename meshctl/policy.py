"""`mesh policy`: the rules over what a document leads to."""

from __future__ import annotations

from pathlib import Path

import click

from mesh_components.policy import RULES
from mesh_components.settings import FindingsError
from mesh_components.stack import with_folder
from mesh_components.topology.findings import check
from meshctl import display, document
from meshctl.local import policy
from meshctl.local.foresight import foresee
from meshctl.local.project import ProjectError, load

_COLOURS = {"mandatory": "red", "advisory": "yellow"}


def run(stack: str, cwd: Path, *, allow: tuple[str, ...], charts: bool, as_json: bool) -> int:
    """Look and tell; 1 where a mandatory rule is broken. Raises what `commands.UserError` names."""
    known = {rule.name: rule for rule in RULES}
    if wrong := [name for name in allow if name not in known]:
        message = f"--allow: there is no rule {wrong[0]!r}; there are {', '.join(known)}"
        raise ProjectError(message)
    project = load(cwd, stack)
    mesh = document.mesh(project)
    try:
        check(mesh, brought=frozenset(cluster.name for cluster in mesh.clusters))
    except FindingsError as error:
        raise ProjectError(str(error)) from None
    foreseen = foresee(with_folder(mesh, project.root), charts=charts)
    looked_at = policy.resources(item.goal for item in foreseen.resources.values())
    found = policy.violations(looked_at, allow)
    if as_json:
        display.print_json([{"rule": item.rule, "level": known[item.rule].level, **_data(item)} for item in found])
    else:
        _print(found, allow, len(looked_at))
    return int(any(known[item.rule].level == "mandatory" for item in found))


def _data(item: policy.Violation) -> dict[str, str]:
    return {"resource": item.name, "urn": item.urn, "reason": item.reason, "fix": item.fix}


def _print(found: list[policy.Violation], allow: tuple[str, ...], count: int) -> None:
    for rule in RULES:
        mine = sorted((item for item in found if item.rule == rule.name), key=lambda item: item.name)
        if rule.name in allow:
            click.echo(f"- {rule.name}: allowed")
        elif not mine:
            click.echo(f"✓ {rule.name}: {rule.title}")
        else:
            click.secho(f"✗ {rule.name} ({rule.level}): {rule.title}", fg=_COLOURS[rule.level])
        for item in mine:
            click.echo(f"    {item.name}: {item.reason}")
        for fix in dict.fromkeys(item.fix for item in mine):
            click.echo(f"    fix: {fix}")
    click.echo(f"{count} resources looked at, {len(found)} violations")
