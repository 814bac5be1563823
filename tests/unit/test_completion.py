"""`mesh completion` in a real bash, as a person presses Tab; and its script for the other shells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from meshctl.cli import main
from tests.support.graph import ROOT

ASK = """
eval "$(mesh completion bash)"
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_mesh_completion mesh
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def pressed_tab(words: str) -> list[str]:
    bash = shutil.which("bash")
    assert bash
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    script = ASK.format(words=words)
    run = subprocess.run(
        [bash, "--norc", "-c", script],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert run.stderr == ""
    return run.stdout.split()


def test_commands_subcommands_options_and_stacks_in_bash() -> None:
    assert pressed_tab("mesh pre") == ["preview"]
    assert pressed_tab("mesh lab u") == ["up"]
    assert "--stack" in pressed_tab("mesh graph --")
    assert pressed_tab("mesh graph --stack gke-i") == ["gke-ibm", "gke-ibm-created"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("restart --stack local --cluster ''", ["cluster1", "cluster2"]),
        ("rotate plan tokens --stack gke-ibm --cluster i", ["ibm"]),
        ("upgrade plan --stack local --canary cluster2", ["cluster2"]),
        ("explain --stack gke-ibm g", ["gke"]),
        ("vm bundle --stack virtual-machines ''", ["ledger", "archive"]),
        ("traffic plan --stack traffic --host re", ["reviews.bookinfo"]),
        ("policy --allow root", ["root-is-protected"]),
        ("restart --stack nowhere --cluster ''", []),
        ("restart --cluster ''", []),
    ],
)
def test_names_of_the_document_are_offered_and_nothing_where_there_is_none(words: str, offered: list[str]) -> None:
    assert pressed_tab(f"mesh {words}") == offered


ZSH = """
compdef() {{ : }}
_describe() {{ print -rl -- ${{(P)3}} }}
compadd() {{ print -rl -- ${{(P)@[-1]}} }}
eval "$(mesh completion zsh)"
words=({words}); CURRENT=${{#words}}
_mesh_completion
"""
"""Between the script and a terminal is zsh's own system, whose three words stand in here for what prints them."""
FISH = "mesh completion fish | source; complete -C '{words}'"


def asked(shell: str, script: str) -> list[str]:
    """What another shell offers."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not here")
    options = {"zsh": ["-f"], "fish": ["--no-config"]}[shell]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    run = subprocess.run(
        [program, *options, "-c", script],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert run.stderr == ""
    return [re.split(r"[:\t]", line)[0] for line in run.stdout.splitlines()]


@pytest.mark.parametrize(("shell", "script"), [("zsh", ZSH), ("fish", FISH)])
def test_the_same_in_other_shells(shell: str, script: str) -> None:
    assert asked(shell, script.format(words="mesh pre")) == ["preview"]
    assert asked(shell, script.format(words="mesh lab u")) == ["up"]
    assert "--stack" in asked(shell, script.format(words="mesh graph --"))
    assert asked(shell, script.format(words="mesh graph --stack gke-i")) == ["gke-ibm", "gke-ibm-created"]


def test_every_shell_has_a_script() -> None:
    for shell, sign in (("bash", "complete -o nosort"), ("zsh", "#compdef mesh"), ("fish", "complete --no-files")):
        found = CliRunner().invoke(main, ["completion", shell])
        assert found.exit_code == 0, found.output
        assert sign in found.stdout
        assert "_MESH_COMPLETE" in found.stdout
    assert f"$ mesh completion fish\n{found.stdout.rstrip()}\n```\n" in (ROOT / "docs/commands.md").read_text()


def test_another_shell_is_refused_with_those_that_are_there() -> None:
    found = CliRunner().invoke(main, ["completion", "csh"])
    assert found.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in found.stderr
