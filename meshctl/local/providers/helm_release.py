"""Releases of Helm (`kubernetes:helm.sh/v3:Release`) by the `helm` program, with the kubeconfig of their provider.

A release carries the stack's name as a label, so that one that somebody else made is left alone, and one of ours whose
making was never recorded is taken up again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from meshctl.local.model import (
    UNKNOWN,
    Applied,
    FieldChange,
    Goal,
    Op,
    Progress,
    Record,
    Step,
    StepError,
    Unreachable,
)
from meshctl.local.providers.helm import flatten, run_helm
from meshctl.local.providers.kubernetes.transport import check_given, looks_like_path
from meshctl.local.values import differences, has_unknown

_SWITCHES: Mapping[str, str] = {
    "atomic": "--atomic",
    "cleanupOnFail": "--cleanup-on-fail",
    "createNamespace": "--create-namespace",
    "dependencyUpdate": "--dependency-update",
    "devel": "--devel",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "disableWebhooks": "--no-hooks",
    "forceUpdate": "--force",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
    "skipCrds": "--skip-crds",
    "takeOwnership": "--take-ownership",
    "waitForJobs": "--wait-for-jobs",
}
_KNOWN = {*_SWITCHES, "chart", "compat", "description", "maxHistory", "name", "namespace", "repositoryOpts"}
_KNOWN |= {"skipAwait", "timeout", "values", "version", "allowNullValues", "lint"}
_COMPUTED = ("status", "resourceNames", "checksum")
_LABEL = "mesh-stack"
_SECONDS = 300.0
"""How long the provider waits for a release unless told otherwise."""
_LOOK_SECONDS = 15.0
"""How long looking at a release may take; an API server that drops packets would hold a preview up for minutes."""


class HelmReleases:
    """The releases of one cluster."""

    def __init__(self, inputs: Mapping[str, Any], stack: str, cluster: str, progress: Progress) -> None:
        """`inputs` are those of the provider resource."""
        self.cluster = cluster
        self._inputs = inputs
        self._owner = re.sub(r"[^A-Za-z0-9_.-]", "_", stack)[:63].strip("_.-")
        self._progress = progress

    def plan(self, goal: Goal, record: Record | None) -> Step:
        """Look whether the release is there as recorded; what is in it is Helm's business."""
        step = self.plan_recorded(goal, record)
        if record is None or step.op is Op.REPLACE or self._inputs.get("kubeconfig") is UNKNOWN:
            return step
        state = self._state(*_named(goal, record))
        if state is None:
            warning = f"release {record.id} was removed outside of this program"
            return Step(Op.CREATE, (), _expected(goal, record), (warning,))
        if state != "deployed" and step.op is Op.SAME:
            return Step(Op.UPDATE, (FieldChange("status.status", state, "deployed"),), _expected(goal, record))
        return step

    def plan_recorded(self, goal: Goal, record: Record | None) -> Step:
        """Compare with the record alone."""
        if unknown := sorted(goal.inputs.keys() - _KNOWN):
            message = f"release {goal.name!r}: {', '.join(unknown)} needs the Pulumi CLI; leave it out for this engine"
            raise StepError(message)
        if record is None:
            return Step(Op.CREATE, (), _expected(goal, None))
        changes = tuple(differences(record.inputs, goal.inputs))
        if checksum := _checksum(goal.inputs.get("chart")):
            changes += tuple(differences(record.outputs.get("checksum"), checksum, "checksum"))
        if not changes:
            return Step(Op.SAME, (), record.outputs)
        replaces = any(change.path in ("name", "namespace") for change in changes)
        return Step(Op.REPLACE if replaces else Op.UPDATE, changes, _expected(goal, record))

    def apply(self, goal: Goal, record: Record | None, step: Step) -> Applied:
        """Install or upgrade, and wait as long as the release says."""
        namespace, name = _named(goal, record)
        state = self._state(namespace, name)
        recorded = record is not None and record.pending is not Op.CREATE
        if not recorded and state is not None and not self._is_ours(namespace, name):
            message = (
                f"release {namespace}/{name}: exists already and is not this stack's; give yours another name, or "
                f"remove it with `helm uninstall {name} --namespace {namespace}`"
            )
            raise StepError(message)
        if state is not None and state.startswith("pending-"):
            self._clear(namespace, name, state)
        seconds = float(goal.inputs.get("timeout") or goal.options.timeouts.get(str(step.op), _SECONDS))
        self._progress(goal.urn, f"helm installs release {name} (up to {seconds:.0f} s)")
        args = ["upgrade", name, str(goal.inputs["chart"]), "--install", "--values", "-", *_flags(goal.inputs, seconds)]
        args += ["--labels", f"{_LABEL}={self._owner}", "--output", "json"]
        text = self._helm(args, namespace, json.dumps(goal.inputs.get("values") or {}), seconds + 60)
        return Applied(f"{namespace}/{name}", {**goal.inputs, **_outputs(json.loads(text), goal)})

    def delete(self, record: Record) -> None:
        """Uninstall; a release that is not there is gone."""
        namespace, name = _id(record)
        if record.pending is Op.CREATE and not self._is_ours(namespace, name):
            return  # whether our install ever began is not recorded: what is there may be somebody else's
        seconds = record.options.timeouts.get("delete", _SECONDS)
        wait = ["--wait", "--timeout", f"{seconds:.0f}s"]
        self._helm(["uninstall", name, "--ignore-not-found", *wait], namespace, timeout=seconds + 60)

    def invoke(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 (none is known)
        """Know no functions."""
        message = f"{token} needs the Pulumi CLI"
        raise StepError(message)

    def _state(self, namespace: str, name: str) -> str | None:
        """Return Helm's word for the state of a release, or None if it is not there."""
        try:
            text = self._helm(["status", name, "--output", "json"], namespace, timeout=_LOOK_SECONDS)
        except StepError as error:
            if "release: not found" in str(error):  # an exec plugin, too, can be «not found»
                return None
            if "unreachable" in str(error) or "did not end within" in str(error):
                message = f"{self.cluster or 'the cluster'} cannot be reached by helm"
                raise Unreachable(message) from error
            raise
        return str(json.loads(text)["info"]["status"])

    def _is_ours(self, namespace: str, name: str) -> bool:
        args = ["list", "--all", "--filter", f"^{name}$", "--selector", f"{_LABEL}={self._owner}", "--output", "json"]
        return bool(json.loads(self._helm(args, namespace, timeout=_LOOK_SECONDS)))

    def _clear(self, namespace: str, name: str, state: str) -> None:
        """Undo an operation that was killed, as Helm refuses to go on from it."""
        action = "uninstall" if state == "pending-install" else "rollback"
        self._helm([action, name], namespace, timeout=_SECONDS)

    def _helm(self, args: list[str], namespace: str, stdin: str = "", timeout: float | None = None) -> str:
        with self._kubeconfig() as flags:
            return run_helm([*args, "--namespace", namespace, *flags], stdin, timeout)

    @contextmanager
    def _kubeconfig(self) -> Iterator[list[str]]:
        """Lend helm the kubeconfig by a file that only this user can read, for as long as it runs."""
        given = self._inputs.get("kubeconfig")
        context = self._inputs.get("context")
        flags = ["--kube-context", str(context)] if context else []
        if given is UNKNOWN:
            message = "the kubeconfig of its provider is not known yet"
            raise StepError(message)
        check_given(self.cluster or "kubernetes", given)
        text = given if isinstance(given, str) else json.dumps(given)
        if looks_like_path(text):
            yield ["--kubeconfig", str(Path(text.strip()).expanduser()), *flags]
            return
        descriptor, path = tempfile.mkstemp(prefix="mesh-kubeconfig-")
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
            yield ["--kubeconfig", path, *flags]
        finally:
            Path(path).unlink(missing_ok=True)


def _named(goal: Goal, record: Record | None) -> tuple[str, str]:
    namespace = goal.inputs.get("namespace") or "default"
    name = goal.inputs.get("name") or (record.outputs.get("name") if record is not None else None)
    return str(namespace), str(name or _drawn(goal.name, goal.urn))


def _id(record: Record) -> tuple[str, str]:
    """Tell namespace and name; they are in the inputs where the making of it was never recorded."""
    namespace, _, name = record.id.partition("/")
    namespace = namespace or record.inputs.get("namespace") or "default"
    return str(namespace), str(name or record.inputs.get("name") or _drawn(record.name, record.urn))


def _expected(goal: Goal, record: Record | None) -> dict[str, Any]:
    outputs = {**goal.inputs, "namespace": goal.inputs.get("namespace") or "default"}
    return {**outputs, "name": _named(goal, record)[1], **dict.fromkeys(_COMPUTED, UNKNOWN)}


def _drawn(name: str, urn: str) -> str:
    """Make up a name that is nobody else's, and the same again should the run be killed before it is recorded."""
    return f"{name}-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"


def _flags(inputs: Mapping[str, Any], seconds: float) -> list[str]:
    repository = inputs.get("repositoryOpts") or {}
    if extra := sorted(key for key, value in repository.items() if key != "repo" and value):
        message = f"repositoryOpts: {', '.join(extra)} would be seen by others here; log in with `helm registry login`"
        raise StepError(message)
    flags = [switch for key, switch in _SWITCHES.items() if inputs.get(key)]
    flags += ["--timeout", f"{seconds:.0f}s"] + ([] if inputs.get("skipAwait") else ["--wait"])
    valued = {"--version": inputs.get("version"), "--repo": repository.get("repo")}
    valued |= {"--description": inputs.get("description"), "--history-max": inputs.get("maxHistory")}
    return flags + [part for flag, value in valued.items() if value for part in (flag, str(value))]


def _outputs(release: Mapping[str, Any], goal: Goal) -> dict[str, Any]:
    metadata = release.get("chart", {}).get("metadata", {})
    names: dict[str, list[str]] = {}
    for item in flatten(yaml.safe_load_all(release.get("manifest") or "")):
        place = [item.get("metadata", {}).get(key) for key in ("namespace", "name")]
        names.setdefault(f"{item.get('kind')}/{item.get('apiVersion')}", []).append("/".join(p for p in place if p))
    return {
        "name": release["name"],
        "namespace": release["namespace"],
        "resourceNames": names,
        "checksum": _checksum(goal.inputs.get("chart")),
        "status": {
            "name": release["name"],
            "namespace": release["namespace"],
            "revision": release.get("version"),
            "status": release.get("info", {}).get("status"),
            "chart": metadata.get("name"),
            "version": metadata.get("version"),
            "appVersion": metadata.get("appVersion"),
        },
    }


def _checksum(chart: Any) -> str:
    """Fingerprint a chart that lies on this machine, as its version may stay the same while it changes."""
    if not isinstance(chart, str) or has_unknown(chart) or not (path := Path(chart)).exists():
        return ""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    for file in files:
        digest.update(str(file.relative_to(path)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
