"""`mesh upgrade plan`: the plan of `mesh_components.topology.upgrade`, for people, for machines, or as stack files."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import yaml

from mesh_components.settings import FindingsError
from mesh_components.topology.upgrade import Step, UpgradeError, upgrade_plan
from meshctl import display
from meshctl.document import document, keys
from meshctl.local.project import Project, ProjectError, load

_WIDTH = 100
_COLOURS = {"+": "green", "-": "red"}


def run(
    stack: str, cwd: Path, to: str, *, revision: str | None, canary: str | None, write: Path | None, as_json: bool
) -> None:
    """Plan, and print or write the plan; nothing is changed. Raises what `commands.UserError` names."""
    project = load(cwd, stack)
    start = document(project)
    try:
        steps = upgrade_plan(start, to, revision, canary=canary)
    except (FindingsError, UpgradeError) as error:
        raise ProjectError(str(error)) from None
    if write is not None:
        _write(project, start, steps, write)
    if as_json:
        display.print_json({"to": to, "steps": [_data(n, step, stack) for n, step in enumerate(steps, 1)]})
    else:
        for line in lines(steps, to, stack):
            click.secho(line, fg=_COLOURS.get(line.strip()[:1]) if line.startswith("     ") else None)
    if write is not None and steps:
        click.echo(
            f"the documents are in {write}, each as a file of the stack: copy one over {project.stack_file}", err=True
        )


def lines(steps: tuple[Step, ...], to: str, stack: str) -> Iterator[str]:
    """The plan as text."""
    if not steps:
        yield f"nothing to do: the whole mesh is at {to}"
        return
    yield f"{len(steps)} step{'' if len(steps) == 1 else 's'} to {to}"
    for number, step in enumerate(steps, 1):
        yield ""
        yield f"{number}. {step.title}"
        yield from textwrap.wrap(step.why, _WIDTH, initial_indent="   ", subsequent_indent="   ")
        for finding in step.findings:
            yield from textwrap.indent(str(finding), "   ").splitlines()
        yield from _block("document", difference(step) or ["as it is"])
        yield from _block("run", _commands(step.commands, stack))
        yield from _block("go on when", step.watch)
        yield from _block("back", (*_way_back(step, stack), *textwrap.wrap(step.rollback.why, _WIDTH)))


def difference(step: Step) -> list[str]:
    """What the step changes in the document, line by line."""
    before, after = (as_yaml(item).splitlines() for item in (step.rollback.document, step.document))
    found = list(difflib.unified_diff(before, after, n=2, lineterm=""))[3:]
    return ["…" if line.startswith("@@") else line for line in found]


def as_yaml(data: Any) -> str:
    """As people write it: in the order of the document, one key a line."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _block(title: str, content: Iterable[str]) -> Iterator[str]:
    yield f"   {title}:"
    yield from (f"     {line}".rstrip() for line in content)


def _commands(commands: Iterable[str], stack: str) -> list[str]:
    return [f"{item} --stack {stack}" if item.startswith("mesh ") else item for item in commands]


def _way_back(step: Step, stack: str) -> list[str]:
    before = ["(the document before)"] if step.changes_document else []
    return [*before, *_commands(step.rollback.commands, stack)]


def _data(number: int, step: Step, stack: str) -> dict[str, Any]:
    return {
        "number": number,
        "kind": step.kind,
        "title": step.title,
        "why": step.why,
        "clusters": list(step.clusters),
        "document": step.document,
        "commands": _commands(step.commands, stack),
        "watch": list(step.watch),
        "rollback": {
            "document": step.rollback.document,
            "commands": _commands(step.rollback.commands, stack),
            "why": step.rollback.why,
        },
        "findings": [finding.as_json() for finding in step.findings],
    }


def _write(project: Project, start: Mapping[str, Any], steps: tuple[Step, ...], folder: Path) -> None:
    """A file of the stack for each document, the one of today among them. What is there is not written over."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        message = f"--write: {folder} is there already and not an empty folder; name a new one"
        raise ProjectError(message)
    config = project.stack_settings.get("config") or {}
    short, full = keys(project)
    key = short if short in config else full
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"00-before": ("as it is", start)}
    for number, step in enumerate(steps, 1):
        if step.changes_document:
            texts[f"{number:02}-{step.kind}"] = (step.title, step.document)
    for name, (title, data) in texts.items():
        settings = {**project.stack_settings, "config": {**config, key: data}}
        (folder / f"{name}.yaml").write_text(f"# {title}\n{as_yaml(settings)}")
