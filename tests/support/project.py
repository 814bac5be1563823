"""The repository's program in a folder of its own, run by the `mesh` command as a person would run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import yaml

from tests.support import warm
from tests.support.graph import ROOT

PASSPHRASE = warm.PASSPHRASE


class Project:
    """A copy of the program with a stack file to change, and its own state."""

    def __init__(self, folder: Path, lab: Path, *, source: Path = ROOT, stack: str = "local", called: str = "") -> None:
        """The stack `stack` of a program, under another name if one is given."""
        self.folder = folder
        self.stack = called or stack
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(source / name, folder / name)
        settings = source / "stacks" / f"Pulumi.{stack}.yaml"
        self.settings = folder / settings.relative_to(source).with_name(f"Pulumi.{self.stack}.yaml")
        self.settings.parent.mkdir(exist_ok=True)
        shutil.copy(settings, self.settings)
        (folder / ".lab").symlink_to(lab)
        self.state = folder / ".pulumi-local" / "mesh" / f"{self.stack}.json"

    @property
    def config(self) -> dict[str, Any]:
        """The stack's settings."""
        config: dict[str, Any] = yaml.safe_load(self.settings.read_text())["config"]
        return config

    @property
    def document(self) -> dict[str, Any]:
        """The mesh document in the stack file."""
        document: dict[str, Any] = self.config["mesh:mesh"]
        return document

    def write(self, document: Any) -> None:
        """Put another document into the stack file."""
        self.settings.write_text(yaml.safe_dump({"config": {**self.config, "mesh:mesh": document}}))

    def words(self, *words: str) -> list[str]:
        """Of a command about the stack of this project."""
        return [*words, "--stack", self.stack, "--engine", "local"]

    def command(self, *words: str) -> list[str]:
        """`mesh` with the stack of this project, as a process that starts from nothing."""
        return [sys.executable, "-m", "meshctl.cli", *self.words(*words)]

    def environment(self, **over: str | None) -> dict[str, str]:
        """Of a person who has set the passphrase. None takes a variable away."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
        wanted = {**kept, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE, "PYTHONPATH": str(ROOT), **over}
        return {key: value for key, value in wanted.items() if value is not None}

    def run(self, *words: str, over: Mapping[str, str | None] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever its end is."""
        return warm.mesh(self.words(*words), self.folder, self.environment(**(over or {})))

    def done(self, *words: str) -> str:
        """Run a command that must succeed. Returns what it printed on stdout."""
        result = self.run(*words)
        assert result.returncode == 0, f"mesh {' '.join(words)}:\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def alone(self, *words: str) -> str:
        """Run a command that is about no stack, and must succeed. Returns what it printed on stdout."""
        done = warm.mesh(words, self.folder, self.environment())
        assert done.returncode == 0, f"mesh {' '.join(words)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def preview(self) -> list[dict[str, Any]]:
        """The rows of `mesh preview --json`."""
        rows: list[dict[str, Any]] = json.loads(self.done("preview", "--json"))
        return rows

    def changes(self) -> list[dict[str, Any]]:
        """Those rows of a preview in which something happens."""
        return [row for row in self.preview() if row["op"] != "same"]

    def running(self, *words: str) -> AbstractContextManager[warm.Running]:
        """Start a command whose progress (stderr) is read while it runs; what it prints of the plan is not kept."""
        return warm.running(self.words(*words), self.folder, self.environment())
