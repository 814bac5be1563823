"""The same commands by Pulumi, through its Automation API: its events become our rows, its errors our failures."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meshctl.local.planner import Watcher, cluster_name
from meshctl.local.project import Project
from meshctl.local.registry import PROVIDER_PREFIX
from meshctl.local.values import SECRET, leaves, split_path
from meshctl.rows import DECLINED, Field, Report, Row, refused

if TYPE_CHECKING:
    from pulumi import automation
    from pulumi.automation.events import DiagnosticEvent, EngineEvent, StepEventMetadata

Confirm = Callable[[Report], bool]

_DEFAULT_PROVIDER = re.compile(r"::pulumi:providers:[^:]+::default_")
"""Pulumi makes one by itself where a program names none; nobody asked for it, and nobody reviews it."""
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_MARK = "4dabf18193072939515e22adb298388d"
_OPS: Mapping[str, str] = {
    "create": "create",
    "import": "create",
    "update": "update",
    "delete": "delete",
    "discard": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "import-replacement": "replace",
    "discard-replaced": "replace",
}
"""What Pulumi's finer words come to; whatever is not here changes nothing."""


class Events:
    """Gathers the events of one run."""

    def __init__(self, watcher: Watcher | None = None, *, properties: bool = False) -> None:
        """Tell `watcher` what goes on, where somebody looks; with `properties`, what a new resource consists of."""
        self.rows: dict[str, Row] = {}
        self.failures: list[str] = []
        self._watcher = watcher
        self._properties = properties
        self._clusters: dict[str, str] = {}

    def __call__(self, event: EngineEvent) -> None:
        """Take in one event."""
        if event.resource_pre_event is not None:
            self._begin(event.resource_pre_event.metadata)
        elif event.res_outputs_event is not None:
            self._end(event.res_outputs_event.metadata, "")
        elif event.res_op_failed_event is not None:
            self._failed(event.res_op_failed_event.metadata)
        elif event.diagnostic_event is not None:
            self._told(event.diagnostic_event)

    def _begin(self, step: StepEventMetadata) -> None:
        if _DEFAULT_PROVIDER.search(step.urn):
            return
        row = self._row(step)
        before = self.rows.get(step.urn)
        if before is None or before.op == "same" or row.op == "replace":
            # A replacement comes as three steps; the one that knows the fields is kept.
            fields = row.fields or (before.fields if before else ())
            self.rows[step.urn] = Row(row.urn, row.type, row.name, row.parent, row.cluster, row.op, fields)
        if self._watcher is not None and row.op != "same":
            self._watcher.begin(step.urn, row.op)

    def _end(self, step: StepEventMetadata, error: str) -> None:
        op = _OPS.get(str(step.op.value), "same")
        if self._watcher is not None and op != "same":
            self._watcher.end(step.urn, op, error)

    def _failed(self, step: StepEventMetadata) -> None:
        self.rows.pop(step.urn, None)
        self._end(step, "failed")

    def _told(self, event: DiagnosticEvent) -> None:
        message = re.sub(r"<\{%.*?%\}>", "", event.message).strip()
        if not message or event.ephemeral:
            return
        if event.severity == "error":
            name = event.urn.rpartition("::")[2] if event.urn else ""
            failure = f"{name}: {message}" if name else message
            if failure not in self.failures:
                self.failures.append(failure)
        elif self._watcher is not None and event.severity == "warning":
            self._watcher.warn(message)

    def _row(self, step: StepEventMetadata) -> Row:
        state = step.new or step.old
        inputs = (state.inputs if state else None) or {}
        if step.type.startswith(PROVIDER_PREFIX):
            self._clusters[step.urn] = cluster_name(inputs)
        provider = (step.provider or (state.provider if state else "")).rpartition("::")[0]
        cluster = self._clusters.get(step.urn) or self._clusters.get(provider, "")
        op = _OPS.get(str(step.op.value), "same")
        name = step.urn.split("::", 3)[-1]
        told = properties(inputs) if self._properties and op == "create" else fields(step)
        return Row(step.urn, step.type, name, state.parent if state else "", cluster, op, told)


def fields(step: StepEventMetadata) -> tuple[Field, ...]:
    """Return what differs, field by field; the events name the paths, the values are in the states."""
    old = step.old.inputs if step.old else None
    new = step.new.inputs if step.new else None
    if step.detailed_diff:
        live = step.old.outputs if step.old else None
        return tuple(
            Field(path, _at(old if diff.input_diff else live or old, path), _at(new, path))
            for path, diff in step.detailed_diff.items()
        )
    return tuple(Field(key, _at(old, key), _at(new, key)) for key in step.diffs or ())


def properties(inputs: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return all that a new resource consists of."""
    return tuple(Field(path, None, value) for path, value in leaves(_shown(inputs)))


def _at(values: Any, path: str) -> Any:
    for part in split_path(path):
        if isinstance(values, Mapping) and _MARK in values:
            return SECRET
        if isinstance(values, Mapping):
            values = values.get(str(part))
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
        else:
            return None
    return _shown(values)


def _shown(value: Any) -> Any:
    if value == _UNKNOWN:
        return "<known after apply>"
    if isinstance(value, Mapping):
        return SECRET if _MARK in value else {key: _shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value


def environment(project: Project, environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return what Pulumi is to see: our own interpreter first, and a backend in the project unless there is another."""
    path = os.pathsep.join(part for part in (str(Path(sys.executable).parent), environ.get("PATH", "")) if part)
    found = {"PATH": path, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    backend = project.settings.get("backend")
    chosen = environ.get("PULUMI_BACKEND_URL") or (isinstance(backend, dict) and backend.get("url"))
    if not chosen and not _is_logged_in(Path(environ.get("PULUMI_HOME") or home / ".pulumi")):
        found["PULUMI_BACKEND_URL"] = f"file://{project.root / '.pulumi-local' / 'pulumi'}"
    return found


def _is_logged_in(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / "credentials.json").read_text()).get("current"))
    except (OSError, ValueError, AttributeError):
        return False


class PulumiSession:
    """What `local.session.Session` does, done by Pulumi."""

    def __init__(self, project: Project, watcher: Watcher, *, properties: bool = False) -> None:
        """Take nothing in hand yet."""
        self._properties = properties
        self._project = project
        self._watcher = watcher

    def preview(self) -> Report:
        """Say what an update would do."""
        told = Events(properties=self._properties)
        return self._run(told, lambda stack, events: stack.preview(on_event=events, color="never"))

    def up(self, confirm: Confirm, *, skip_preview: bool = False) -> Report:
        """Preview, ask, and do it."""
        if not skip_preview:
            planned = self.preview()
            if planned.failures:
                return refused(planned)
            if not confirm(planned):
                return DECLINED
        return self._run(
            Events(self._watcher), lambda stack, events: stack.up(on_event=events, color="never", show_secrets=False)
        )

    def destroy(self, confirm: Confirm) -> Report:
        """Show what would be deleted, ask, and delete it."""
        planned = self._run(Events(), lambda stack, events: stack.preview_destroy(on_event=events, color="never"))
        if planned.failures or not planned.rows:
            return refused(planned)
        if not confirm(planned):
            return DECLINED
        return self._run(
            Events(self._watcher),
            lambda stack, events: stack.destroy(on_event=events, color="never", show_secrets=False),
        )

    def _run(self, events: Events, act: Callable[[automation.Stack, Events], Any]) -> Report:
        from pulumi import automation

        outputs: dict[str, Any] = {}
        try:
            result = act(self.stack(), events)
        except automation.CommandError as error:
            return Report(tuple(events.rows.values()), {}, tuple(events.failures) or (str(error).strip(),))
        if isinstance(result, automation.UpResult):
            outputs = {name: SECRET if item.secret else item.value for name, item in result.outputs.items()}
        return Report(tuple(events.rows.values()), outputs, ())

    def stack(self) -> automation.Stack:
        """Pulumi's own word for it."""
        from pulumi import automation

        env = environment(self._project, os.environ, Path.home())
        backend = env.get("PULUMI_BACKEND_URL", "")
        if backend.startswith("file://"):
            Path(backend.removeprefix("file://")).mkdir(parents=True, exist_ok=True, mode=0o700)
        return automation.create_or_select_stack(
            stack_name=self._project.stack,
            work_dir=str(self._project.root),
            opts=automation.LocalWorkspaceOptions(env_vars=env),
        )


def outputs(project: Project, watcher: Watcher) -> dict[str, Any]:
    """What a stack exports, as its backend has it; secret values are left out."""
    stack = PulumiSession(project, watcher).stack()
    return {name: item.value for name, item in stack.outputs().items() if not item.secret}
