"""Help that teaches: every command of `mesh` has examples, which name what there is, and a page that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from meshctl.cli import main
from tests.support.graph import ROOT


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found
        yield from commands(found, f"{path} {name}")


ALL = dict(commands(main, "mesh"))


def examples(path: str, command: click.Command) -> list[str]:
    """Calls of the command in its help: each to the end of its line, or to where something else begins."""
    return re.findall(rf"(?<![\w`]){re.escape(path)}(?![\w-])(?: [^ \n`|)>]+)*", command.help or "")


@pytest.mark.parametrize("path", ALL)
def test_a_command_shows_how_it_is_called(path: str) -> None:
    assert examples(path, ALL[path])


@pytest.mark.parametrize("path", ALL)
def test_options_of_examples_are_there(path: str) -> None:
    known = {option for item in ALL[path].params for option in (*item.opts, *item.secondary_opts)}
    for line in examples(path, ALL[path]):
        assert {word for word in line.split() if word.startswith("-") and word != "-"} <= known, line


@pytest.mark.parametrize("path", ALL)
def test_every_option_says_what_it_does(path: str) -> None:
    options = [item for item in ALL[path].params if isinstance(item, click.Option)]
    assert [item.name for item in options if not item.help] == []


def test_every_command_is_on_the_page_of_commands_and_on_the_page_that_is_named_there() -> None:
    text = (ROOT / "docs/commands.md").read_text()
    rows = dict(re.findall(r"^\| `(mesh [^`]+)` \|.*\]\(([^)]*)\) \|$", text, re.MULTILINE))
    assert set(rows) == set(ALL)
    for command, page in rows.items():
        file = page.partition("#")[0] or "commands.md"
        assert command in (ROOT / "docs" / file).read_text(), (command, file)
