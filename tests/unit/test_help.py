"""Help that teaches: every command of `mesh` has examples, which name what there is, and a page that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

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
GROUPS = sorted({" ".join(path.split()[:count]) for path in ALL for count in range(1, path.count(" ") + 1)})
PAGES = sorted(
    [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*/README.md")],
)
BLOCKS = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CALLS = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?(mesh [^\n#|;<>]+)", re.MULTILINE)
ANSWERED = re.compile(r"^\$ (mesh .+)\n(?!\$ |```)", re.MULTILINE)
"""Calls on a page with a line below that they have printed."""


WORDS = re.compile(r"(?<![\w-])--?[a-z][a-z-]*", re.IGNORECASE)


def within(call: str, path: str) -> bool:
    return call.split()[: path.count(" ") + 1] == path.split()


def examples(path: str, command: click.Command) -> list[str]:
    """Calls of the command in its help: each to the end of its line, or to where something else begins."""
    return re.findall(rf"(?<![\w`]){re.escape(path)}(?![\w-])(?: [^ \n`|)>]+)*", command.help or "")


@pytest.mark.parametrize("path", ALL)
def test_a_command_shows_how_it_is_called(path: str) -> None:
    assert examples(path, ALL[path])


@pytest.mark.parametrize("path", ALL)
def test_a_command_says_what_it_does_and_when_it_is_used(path: str) -> None:
    what, *more = (ALL[path].help or "").split("\n\n")
    assert what.endswith(".")
    assert [part for part in more if not part.startswith("\b")], "a paragraph of prose beside the examples"


@pytest.mark.parametrize("path", GROUPS)
def test_a_list_of_commands_is_not_cut_on_a_terminal_of_80_columns(path: str) -> None:
    said = CliRunner().invoke(main, [*path.split()[1:], "--help"], terminal_width=80).stdout
    assert "..." not in said.partition("Commands:")[2]


@pytest.mark.parametrize("path", [*ALL, *GROUPS])
def test_no_line_is_broken_by_a_terminal_of_80_columns(path: str) -> None:
    said = CliRunner().invoke(main, [*path.split()[1:], "--help"], terminal_width=80).stdout
    assert [line for line in said.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("path", ALL)
def test_options_of_examples_are_there(path: str) -> None:
    known = {option for item in ALL[path].params for option in (*item.opts, *item.secondary_opts)}
    for line in examples(path, ALL[path]):
        assert {word for word in line.split() if word.startswith("-") and word != "-"} <= known, line


@pytest.mark.parametrize("path", ALL)
def test_every_option_says_what_it_does(path: str) -> None:
    options = [item for item in ALL[path].params if isinstance(item, click.Option)]
    assert [item.name for item in options if not item.help] == []


@pytest.mark.parametrize("path", ALL)
def test_a_wrong_call_ends_with_2_and_says_where_help_is(path: str) -> None:
    found = CliRunner().invoke(main, [*path.split()[1:], "--no-such-option"], prog_name="mesh")
    assert (found.exit_code, found.stdout) == (2, "")
    assert f"Try '{path} --help' for help." in found.stderr
    assert "--no-such-option" in found.stderr


def test_every_command_has_a_page_that_shows_what_it_prints_and_has_its_options() -> None:
    text = (ROOT / "docs/commands.md").read_text()
    rows = dict(re.findall(r"^\| `(mesh [^`]+)` \|.*\]\(([^)]*)\) \|$", text, re.MULTILINE))
    assert set(rows) == set(ALL)
    for command, page in rows.items():
        file = page.partition("#")[0] or "commands.md"
        shown = (ROOT / "docs" / file).read_text()
        assert any(within(call, command) for call in ANSWERED.findall(shown)), (command, file)
        for option in (item for item in ALL[command].params if isinstance(item, click.Option)):
            assert {*option.opts} & {*WORDS.findall(shown + text)}, (command, file, option.opts)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_calls_on_pages_are_of_commands_and_options_that_are_there(page: Path) -> None:
    for call in CALLS.findall("".join(BLOCKS.findall(page.read_text()))):
        (path,) = [path for path in ALL if within(call, path)] or [""]
        assert path, call
        options = {option for item in ALL[path].params for option in (*item.opts, *item.secondary_opts)}
        said = {word.partition("=")[0] for word in re.findall(r"(?<= )--?[a-z][^ ]*", call)}
        assert said <= {*options, "--help"}, call
