"""What a mesh document leads to, told without a cluster, a credential or a network: the same text, the same answer.

Runs `MeshFederation` in this process against stand-ins: kubeconfigs that lead nowhere, providers that ask nobody, and
charts as one object each that holds what the chart would be told. Nothing of a project but the document is read, and no
program of it is run. Texts that a source of the root names are not read either: the root is looked at as one that is
generated here.
"""

from __future__ import annotations

import json
import logging
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from mesh_components.federation import MeshFederation
from mesh_components.federation.args import MeshFederationArgs
from mesh_components.settings import MeshSettings
from mesh_components.settings.kubeconfig import stand_in
from mesh_components.topology.ibm import api_keys
from meshctl.local import sdk
from meshctl.local.engine import Engine
from meshctl.local.model import Applied, Goal, Op, Progress, Provider, Record, RecordedPlanner, Step, StepError
from meshctl.local.monitor import Monitor
from meshctl.local.passphrase import Crypter
from meshctl.local.planner import plan_plain
from meshctl.local.project import Config, Project, ProjectError
from meshctl.local.providers.foreseen import Foreseen as Foresees
from meshctl.local.providers.helm import TEMPLATE
from meshctl.local.references import References
from meshctl.local.registry import DYNAMIC, FACTORIES, Factory, Registry
from meshctl.local.state import Store

CHART = "kubernetes:mesh-components/v1:Chart"
"""Type of what stands for the objects of a chart."""
_PROJECT, _STACK = "mesh", "foreseen"
CODE = "__provider"
"""Input of a dynamic resource that holds its class, pickled."""


@dataclass(frozen=True)
class Resource:
    """One resource that the document leads to."""

    goal: Goal
    cluster: str
    """Empty outside of clusters."""
    origins: Mapping[str, frozenset[str]]
    """By property: URNs of the resources that its value comes from."""
    aliases: tuple[str, ...] = ()
    """URNs under which it may have been known before."""


@dataclass(frozen=True)
class Foreseen:
    """All of them, by URN, in the order in which they are asked for, and who would make them."""

    resources: Mapping[str, Resource]
    registry: Registry


NOTHING = Foreseen({}, Registry("", lambda *_: None, {}))
"""What no document leads to."""


def foresee(mesh: MeshSettings, *, charts: bool = False) -> Foreseen:
    """Say what a document leads to; with `charts`, they are rendered, which may need a network.

    Raises:
        ProjectError: when a resource cannot be told, or a chart is not to be had.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        registry = Registry(f"{_PROJECT}/{_STACK}", _nothing, {**FACTORIES, **_factories(charts=charts)})
        store = Store(root / "none.json", f"{_PROJECT}/{_STACK}", lambda salt: Crypter(None, salt, ""))
        engine = Engine(store, registry, _Deaf(), threading.Event(), set(), preview=True)
        monitor = _Watched(engine, root)
        project = Project(root, _PROJECT, _STACK, {}, {}, root / "none.yaml")
        quiet = logging.Logger("program", logging.CRITICAL)
        try:
            sdk.run(project, Config(), monitor, quiet, preview=True, program=lambda: _program(mesh))
        except sdk.RunError as error:
            told = list(dict.fromkeys(monitor.errors)) or [str(error)]
            raise ProjectError("\n".join([*_failures(engine), *told])) from None
    if failures := _failures(engine):
        raise ProjectError("\n".join(failures))
    resources = {
        urn: Resource(goal, engine.planner.cluster_of(goal), monitor.origins.get(urn, {}), engine.planner.aliases(urn))
        for urn, goal in engine.planner.goals.items()
    }
    return Foreseen(resources, registry)


def _failures(engine: Engine) -> list[str]:
    return [f"{urn.rpartition('::')[2]}: {message}" for urn, message in sorted(engine.failures.items())]


def _program(mesh: MeshSettings) -> None:
    everywhere = range(len(mesh.clusters))
    args = MeshFederationArgs(
        mesh=_generated(mesh),
        kubeconfigs={i: stand_in(i) for i in everywhere if mesh.clusters[i].kubeconfig is not None},
        peer_kubeconfigs={i: stand_in(i) for i in everywhere if mesh.clusters[i].peer_kubeconfig is not None},
        texts={where: "none" for where, _ in api_keys(mesh)},
        stack_facts={index: _later() for index in range(len(mesh.meshes))},
        checked=True,
    )
    MeshFederation("mesh", args)


def _generated(mesh: MeshSettings) -> MeshSettings:
    """The document with its root generated: whatever else its source names is not at hand."""
    rotation = mesh.trust.rotation
    rotation = rotation.model_copy(update={"source": None}) if rotation else None
    trust = mesh.trust.model_copy(update={"source": None, "rotation": rotation})
    return mesh.model_copy(update={"trust": trust})


def _later() -> pulumi.Output[Any]:
    """A value that nobody knows yet."""
    return sdk.later()


class _Watched(Monitor):
    """Also remembers which property comes from which resources."""

    def __init__(self, engine: Engine, root: Path) -> None:
        super().__init__(engine, _PROJECT, _STACK, References(root / "none.json", _PROJECT))
        self.origins: dict[str, Mapping[str, frozenset[str]]] = {}

    def RegisterResource(self, request: sdk.Request) -> Any:  # noqa: N802 (the SDK's name)
        """Take it through its step."""
        answer = super().RegisterResource(request)
        named = request.propertyDependencies
        self.origins[answer.urn] = {key: frozenset(named[key].urns) for key in named}
        return answer

    def ReadResource(self, request: sdk.ReadRequest) -> Any:  # noqa: N802 (the SDK's name)
        """Other stacks are not read: what they export is known later."""
        return sdk.unread(f"read::{request.name}", request.id)


class _Unasked:
    """Kubernetes without any cluster, and charts as what they would be told."""

    def __init__(self, made: RecordedPlanner, *, charts: bool) -> None:
        self.cluster = made.cluster
        self._made = made
        self._charts = charts

    def plan(self, goal: Goal, record: Record | None) -> Step:
        return self._made.plan_recorded(goal, record)

    def apply(self, goal: Goal, record: Record | None, step: Step) -> Applied:  # noqa: ARG002 (nothing is made)
        raise _nothing_is_made(goal)

    def delete(self, record: Record) -> None:
        raise _nothing_is_made(record)

    def invoke(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        if token != TEMPLATE or self._charts:
            return self._made.invoke(token, args)
        return {"result": _chart(json.loads(args["jsonOpts"]))}


def _nothing_is_made(of: Goal | Record) -> StepError:
    return StepError(f"{of.name}: what is foreseen is not made")


def _chart(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What stands for the objects of a chart: the labels by which components look for tags, and a webhook's kind."""
    values = options["values"]
    chart = str(options.get("path") or options["chart"]).rsplit("/", 1)[-1]
    tags = values.get("revisionTags")
    labels = {"istio.io/tag": tags[0]} if tags else {}
    validates = chart == "base" and bool(values.get("defaultRevision"))
    made = [("mesh-components/v1", "Chart", options["release_name"])]
    if validates:
        made.append(("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "istiod-default-validator"))
    return [
        {
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": name, "namespace": options["namespace"], "labels": labels},
            "spec": {"chart": chart, "version": options.get("version"), "values": values},
        }
        for version, kind, name in made
    ]


class _Unmade(Foresees):
    """Dynamic resources: their classes are not asked, so what they would say is known later."""

    def plan(self, goal: Goal, record: Record | None) -> Step:
        return plan_plain(goal, record) if record is not None else Step(Op.CREATE)


def _factories(*, charts: bool) -> Mapping[str, Factory]:
    def kubernetes(inputs: Mapping[str, Any], stack: str, progress: Progress) -> Provider:
        made = FACTORIES["kubernetes"](inputs, stack, progress)
        return _Unasked(made, charts=charts) if isinstance(made, RecordedPlanner) else made

    def dynamic(inputs: Mapping[str, Any], stack: str, progress: Progress) -> Provider:  # noqa: ARG001 (nobody is asked)
        return _Unmade()

    return {"kubernetes": kubernetes, DYNAMIC: dynamic}


class _Deaf:
    """Told what happens, and shows nothing."""

    def begin(self, urn: str, op: str) -> None: ...
    def waiting(self, urn: str, message: str) -> None: ...
    def end(self, urn: str, op: str, error: str) -> None: ...
    def warn(self, message: str) -> None: ...


def _nothing(urn: str, message: str) -> None: ...
