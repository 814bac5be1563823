"""Plans, for people, for machines, or as stack files: `mesh upgrade plan` and `mesh rotate plan`."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from mesh_components.settings import FindingsError
from mesh_components.topology.steps import PlanError, Step
from meshctl import display
from meshctl.document import document, keys
from meshctl.local.project import Project, ProjectError, load

_WIDTH = 100
_COLOURS = {"+": "green", "-": "red"}


@dataclass(frozen=True)
class Wish:
    """How a plan is asked for."""

    stack: str
    cwd: Path
    write: Path | None
    as_json: bool


@dataclass(frozen=True)
class Plan:
    """What was planned."""

    steps: tuple[Step, ...]
    goal: str
    """What the steps lead to, in words: `to 1.31.0`."""
    nothing: str
    """What is said where there are none."""
    head: Mapping[str, Any]
    """What stands beside the steps in JSON."""


def run(wish: Wish, plan: Callable[[Mapping[str, Any]], Plan]) -> None:
    """Plan, and print or write the plan; nothing is changed. Raises what `commands.UserError` names."""
    project = load(wish.cwd, wish.stack)
    start = document(project)
    try:
        made = plan(start)
    except (FindingsError, PlanError) as error:
        raise ProjectError(str(error)) from None
    if wish.write is not None:
        _write(project, start, made.steps, wish.write)
    if wish.as_json:
        display.print_json({**made.head, "steps": [_data(n, step, wish.stack) for n, step in enumerate(made.steps, 1)]})
    else:
        for line in lines(made, wish.stack):
            click.secho(line, fg=_COLOURS.get(line.strip()[:1]) if line.startswith("     ") else None)
    if wish.write is not None and made.steps:
        click.echo(
            f"the documents are in {wish.write}, each as a file of the stack: copy one over {project.stack_file}",
            err=True,
        )


def lines(plan: Plan, stack: str) -> Iterator[str]:
    """The plan as text."""
    if not plan.steps:
        yield f"nothing to do: {plan.nothing}"
        return
    yield f"{len(plan.steps)} step{'' if len(plan.steps) == 1 else 's'} {plan.goal}"
    for number, step in enumerate(plan.steps, 1):
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
    if step.rollback.closed:
        return []
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
            "closed": step.rollback.closed,
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
