"""A small world for the local engine: a provider whose things are files in a folder, and programs of a few lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from meshctl.local.model import UNKNOWN, Applied, Goal, Op, Progress, Record, Step, StepError, Unreachable
from meshctl.local.project import load
from meshctl.local.registry import FACTORIES
from meshctl.local.session import Session
from meshctl.local.values import differences
from meshctl.rows import Report

PRELUDE = """
import pulumi
from pulumi import Output, ResourceOptions as Opts
class Thing(pulumi.CustomResource):
    made: Output[str]
    def __init__(self, name, opts=None, **props):
        super().__init__("toy:index:Thing", name, {"made": None, **props}, opts)
class Group(pulumi.ComponentResource):
    def __init__(self, name, opts=None, **props):
        super().__init__("mesh:index:Group", name, props, opts)
class Provider(pulumi.ProviderResource):
    def __init__(self, name, opts=None, **props):
        super().__init__("toy", name, props, opts)
"""


class World:
    """What exists outside of the state, and what happened to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.log: list[tuple[str, str]] = []
        self.fails: dict[str, str] = {}
        """By name: the operation that fails."""
        self.unready: set[str] = set()
        """Names of things that are made and do not become ready."""
        self.before: Callable[[str, str], None] = lambda _op, _name: None
        self.reachable = True
        self.lock = threading.Lock()

    def names(self) -> set[str]:
        return {json.loads(path.read_text())["name"] for path in self.folder.iterdir()}

    def files(self, name: str) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if json.loads(path.read_text())["name"] == name)

    def happened(self, op: str) -> list[str]:
        return [name for done, name in self.log if done == op]

    def note(self, op: str, name: str) -> None:
        self.before(op, name)
        with self.lock:
            self.log.append((op, name))
        if self.fails.get(name) == op:
            message = f"the world refuses to {op} it"
            raise StepError(message)


class Toy:
    """The provider: a change of `fixed` replaces, every other one updates, and `made` is known after apply only."""

    def __init__(self, world: World, inputs: Mapping[str, Any], progress: Progress) -> None:
        self.world = world
        self.inputs = inputs
        self.progress = progress
        self.cluster = str(inputs.get("clusterIdentifier", "")).rpartition("/")[2]

    def plan(self, goal: Goal, record: Record | None) -> Step:
        if not self.world.reachable:
            message = "the world cannot be reached"
            raise Unreachable(message)
        fresh = {**goal.inputs, "made": UNKNOWN}
        live = self.world.folder / record.id if record else None
        if record is None or live is None or not live.exists():
            return Step(Op.CREATE, (), fresh)
        changes = tuple(differences(json.loads(live.read_text())["inputs"], goal.inputs))
        if not changes:
            return Step(Op.SAME)
        if any(change.path == "fixed" for change in changes):
            return Step(Op.REPLACE, changes, fresh)
        return Step(Op.UPDATE, changes, {**record.outputs, **goal.inputs})

    def apply(self, goal: Goal, record: Record | None, step: Step) -> Applied:
        self.world.note(str(step.op), goal.name)
        self.progress(goal.urn, "waits for the world")
        id_ = record.id if record else f"{goal.name}-{len(self.world.files(goal.name))}-{len(self.world.log)}"
        path = self.world.folder / id_
        draft = self.world.folder.with_name(f"{id_}.draft")
        draft.write_text(json.dumps({"name": goal.name, "inputs": goal.inputs, "by": dict(self.inputs)}))
        draft.replace(path)
        done = Applied(id_, {**goal.inputs, "made": f"made-{id_}"})
        if goal.name in self.world.unready:
            message = "it does not become ready"
            raise StepError(message, done)
        return done

    def delete(self, record: Record) -> None:
        self.world.note("delete", record.name)
        if record.id:
            (self.world.folder / record.id).unlink(missing_ok=True)

    def invoke(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        if token != "toy:index:echo":
            message = f"{token} is not known in this world"
            raise StepError(message)
        return dict(args)


class Watch:
    """Keeps what a person would be shown while it runs."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.waits: list[str] = []
        self.begun: list[str] = []
        self.ended: list[tuple[str, str]] = []

    def begin(self, urn: str, op: str) -> None:  # noqa: ARG002
        self.begun.append(urn.rpartition("::")[2])

    def waiting(self, urn: str, message: str) -> None:  # noqa: ARG002
        self.waits.append(message)

    def end(self, urn: str, op: str, error: str) -> None:  # noqa: ARG002
        self.ended.append((urn.rpartition("::")[2], error))

    def warn(self, message: str) -> None:
        self.warnings.append(message)


class Desk:
    """A project in a folder, and the commands on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = World(folder / "world")
        self.root = folder / "project"
        self.root.mkdir(exist_ok=True)
        self.watch = Watch()
        self.state_file = self.root / ".pulumi-local" / "tiny" / "dev.json"
        self.asked: list[Report] = []
        self.configure()

    def configure(self, project: str = "name: tiny\nruntime: python\n", stack: str | None = None) -> None:
        (self.root / "Pulumi.yaml").write_text(project)
        if stack is not None:
            (self.root / "Pulumi.dev.yaml").write_text(stack)

    def program(self, text: str) -> None:
        (self.root / "__main__.py").write_text(PRELUDE + text)

    def session(self) -> Session:
        def toy(inputs: Mapping[str, Any], stack: str, progress: Progress) -> Toy:  # noqa: ARG001
            return Toy(self.world, inputs, progress)

        self.watch = Watch()
        return Session(load(self.root, "dev"), None, self.watch, {**FACTORIES, "toy": toy})

    def preview(self, text: str | None = None) -> Report:
        if text is not None:
            self.program(text)
        return self.session().preview()

    def up(self, text: str | None = None, *, agree: bool = True) -> Report:
        if text is not None:
            self.program(text)
        return self.session().up(self._confirm(agree))

    def destroy(self, *, agree: bool = True) -> Report:
        return self.session().destroy(self._confirm(agree))

    def state(self) -> dict[str, Any]:
        raw = json.loads(self.state_file.read_text())
        assert isinstance(raw, dict)
        return raw

    def recorded(self) -> dict[str, dict[str, Any]]:
        return {raw["name"]: raw for raw in self.state()["resources"] if not raw.get("doomed")}

    def _confirm(self, agree: bool) -> Callable[[Report], bool]:
        def confirm(planned: Report) -> bool:
            self.asked.append(planned)
            return agree

        return confirm


def ops(report: Report) -> dict[str, str]:
    """What happens to each resource, by name; the stack itself is left out."""
    return {row.name: row.op for row in report.rows if row.type != "pulumi:pulumi:Stack"}
