"""`mesh destroy --rehearse`: prints what a destroy would do. Nothing is deleted."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from meshctl import display
from meshctl.commands import choose
from meshctl.display import short_type
from meshctl.local.project import ProjectError, load
from meshctl.local.rehearsal import Rehearsal, Remark
from meshctl.local.session import Session
from meshctl.progress import Lines


def run(*, stack: str, cwd: Path, state: Path | None, engine: str | None, as_json: bool) -> int:
    """Returns the exit code: 1 where something would hold it up. Raises what `commands.UserError` names."""
    project = load(cwd, stack)
    if choose(engine, shutil.which("pulumi"))[0] != "local":
        raise ProjectError(
            "--rehearse is of the local engine; Pulumi shows its plan by `pulumi destroy --preview-only`"
        )
    found = Session(project, state.resolve() if state else None, Lines()).rehearse()
    if as_json:
        display.print_json(data(found))
    else:
        for line in lines(found):
            click.echo(line)
    return int(bool(found.blocks))


def data(found: Rehearsal) -> dict[str, object]:
    """For `--json`."""
    return {
        "steps": [[_bare(item) for item in step] for step in found.steps],
        "stays": [item.data() for item in found.stays],
        "blocks": [item.data() for item in found.blocks],
    }


def lines(found: Rehearsal) -> Iterator[str]:
    """As text."""
    if not (found.steps or found.stays):
        yield "there is nothing to delete"
        return
    for number, step in enumerate(found.steps, 1):
        yield f"{number}."
        for cluster in sorted({item.cluster for item in step}):
            kinds = Counter(short_type(item.type) for item in step if item.cluster == cluster)
            told = ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in sorted(kinds.items()))
            yield f"   {cluster or 'outside the clusters'}: {told}"
    yield from _remarks("stays", found.stays)
    yield from _remarks("would hold it up", found.blocks)
    yield ""
    count = sum(map(len, found.steps))
    blocks = f"{len(found.blocks)} would hold it up" if found.blocks else "nothing would hold it up"
    yield f"{count} to delete in {len(found.steps)} steps, {len(found.stays)} stay, {blocks}; nothing was changed"


def _remarks(title: str, found: Iterable[Remark]) -> Iterator[str]:
    told = [f"  {item.cluster or 'outside'}: {short_type(item.type)} {item.name}: {item.why}" for item in found]
    if told:
        yield from ("", title, *told)


def _bare(item: Remark) -> dict[str, str]:
    return {key: value for key, value in item.data().items() if key != "why"}
