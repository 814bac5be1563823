"""Helm beside the Kubernetes objects: charts rendered by the `helm` program, and releases of it.

Rendering needs no cluster. A release is installed with the kubeconfig of its provider.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from meshctl.local.model import Applied, Foretelling, Goal, Record, RecordedPlanner, Step, StepError

TEMPLATE = "kubernetes:helm:template"
RELEASE = "kubernetes:helm.sh/v3:Release"

_rendering = threading.Lock()
_rendered: dict[str, threading.Lock] = {}
_results: dict[str, list[Any]] = {}


class WithHelm:
    """The Kubernetes provider, with what belongs to Helm taken out of its hands."""

    def __init__(self, objects: RecordedPlanner, releases: RecordedPlanner) -> None:
        """Hand what is no release to `objects`."""
        self.cluster = objects.cluster
        self._objects = objects
        self._releases = releases

    def plan(self, goal: Goal, record: Record | None) -> Step:
        """Plan a release here, an object there."""
        return self._of(goal.type).plan(goal, record)

    def plan_recorded(self, goal: Goal, record: Record | None) -> Step:
        """Plan without asking the cluster."""
        return self._of(goal.type).plan_recorded(goal, record)

    def apply(self, goal: Goal, record: Record | None, step: Step) -> Applied:
        """Apply a release here, an object there."""
        return self._of(goal.type).apply(goal, record, step)

    def delete(self, record: Record) -> None:
        """Delete a release here, an object there."""
        self._of(record.type).delete(record)

    def hindrance(self, record: Record) -> str:
        """What would hold up the deletion of an object; of a release nobody knows beforehand."""
        provider = self._of(record.type)
        return provider.hindrance(record) if isinstance(provider, Foretelling) else ""

    def invoke(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Render a chart here, answer any other function there."""
        if token != TEMPLATE:
            return self._objects.invoke(token, args)
        return {"result": template(json.loads(args["jsonOpts"]))}

    def _of(self, type_: str) -> RecordedPlanner:
        return self._releases if type_ == RELEASE else self._objects


def template(options: Mapping[str, Any]) -> list[Any]:
    """Render a chart into its objects; equal options are rendered once in a process, however many ask at a time."""
    key = json.dumps(options, sort_keys=True)
    with _rendering:
        own = _rendered.setdefault(key, threading.Lock())
    with own:
        if key not in _results:
            _results[key] = _render(options)
        return _results[key]


def _render(options: Mapping[str, Any]) -> list[Any]:
    chart, flags = chart_flags(options)
    args = ["template", str(options.get("release_name") or Path(chart).stem), chart, *flags]
    args += _flag("--namespace", options.get("namespace")) + _flag("--kube-version", options.get("kube_version"))
    for version in options.get("api_versions") or []:
        args += ["--api-versions", str(version)]
    if not options.get("include_test_hook_resources"):
        args.append("--no-hooks")
    # CRDs that lie beside the templates are rendered too, unless the program says otherwise.
    args.append("--skip-crds" if options.get("skip_crd_rendering") else "--include-crds")
    output = run_helm([*args, "--values", "-"], json.dumps(options.get("values") or {}))
    try:
        return flatten(yaml.load_all(output, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        message = f"chart {chart}: what it renders is not YAML: {' '.join(str(error).split())}"
        raise StepError(message) from error


def flatten(documents: Any) -> list[Any]:
    """Take lists apart, and leave out empty documents."""
    found: list[Any] = []
    for document in documents:
        if not isinstance(document, dict):
            continue
        items = document.get("items")
        if str(document.get("kind", "")).endswith("List") and isinstance(items, list):
            found += flatten(items)
        else:
            found.append(document)
    return found


def chart_flags(options: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Say which chart is meant, and where it comes from."""
    fetch = options.get("fetch_opts") or {}
    chart = options.get("path") or options.get("chart")
    if not chart:
        message = "helm: neither `path` nor `chart` is given"
        raise StepError(message)
    repo = fetch.get("repo") or ("" if options.get("path") else options.get("repo"))
    if repo and "://" not in str(repo):  # A repository known to helm by name.
        chart, repo = f"{repo}/{chart}", ""
    return str(chart), _flag("--repo", repo) + _flag("--version", options.get("version") or fetch.get("version"))


def _flag(name: str, value: Any) -> list[str]:
    return [name, str(value)] if value else []


@functools.cache
def helm_program() -> Path:
    """Find the `helm` program, or have it built from the modules pinned for the lab."""
    from meshctl.lab import LabError
    from meshctl.lab.programs import ensure

    try:
        return ensure(["helm"], _quiet)["helm"]
    except LabError as error:
        message = f"the `helm` program is needed for charts, and cannot be had: {error}"
        raise StepError(message) from error


def run_helm(args: Sequence[str], stdin: str = "", timeout: float | None = None) -> str:
    """Run helm with values on stdin; what it complains about becomes the error."""
    command = [str(helm_program()), *args]
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env=_environment(),
            start_new_session=True,  # The terminal's Ctrl-C is for us: what runs is finished.
        )
    except subprocess.TimeoutExpired as error:
        message = f"helm {args[0]} did not end within {error.timeout:.0f} s"
        raise StepError(message) from error
    if done.returncode:
        message = f"helm {args[0]} {args[1]}: {_complaint(done.stderr)}"
        raise StepError(message)
    return done.stdout


_SHORT_LIVED = {"GOGC": "off", "GOMEMLIMIT": "512MiB"}
"""Helm ends before collecting garbage is worth its time (10 to 38 % of a rendering), unless a chart needs that much."""


def _environment() -> dict[str, str]:
    """The user's, without what would lead helm to another cluster, user, namespace or store than its flags say."""
    other = ("HELM_NAMESPACE", "HELM_DRIVER", "KUBECONFIG")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HELM_KUBE") and key not in other}
    return _SHORT_LIVED | kept


_UNREACHED = "cannot be reached"
_ELSEWHERE = "where it cannot be, give the charts as a folder, or in an OCI registry: `charts` in the document"


def _complaint(stderr: str) -> str:
    """Return what helm says is wrong, without its warnings and hints."""
    lines = [line.removeprefix("Error: ") for line in stderr.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("WARNING:", "Use --debug"))]
    if any(_UNREACHED in line for line in told):
        told.append(_ELSEWHERE)
    return "\n  ".join(told or lines) or "it failed and said nothing"


def _quiet(news: object) -> None:
    """Say nothing of where the program was found."""
