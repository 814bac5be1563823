"""Which objects of a foreseen mesh become files, in which order, and which cannot.

A Secret with values is never written: its name is listed, with what makes it. What is known only when something was
applied cannot be written either; the bundle by which an API server trusts istiod's webhooks is left out of them, as
istiod writes it there itself (istio/istio pilot/pkg/webhooks, `WebhookCertPatcher`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from meshctl.local.foresight import Foreseen, Resource
from meshctl.local.model import UNKNOWN, Goal
from meshctl.local.providers.kubernetes.objects import type_of
from meshctl.local.registry import package
from meshctl.local.values import leaves, split_path

WAVE = "argocd.argoproj.io/sync-wave"
"""Argo CD applies lower waves first (https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/)."""
_CA_BUNDLE = "caBundle"


@dataclass(frozen=True)
class Written:
    """One object that becomes a file."""

    cluster: str
    wave: int
    manifest: Mapping[str, Any]

    @property
    def file(self) -> str:
        """Its path below the folder; in the order of names, objects can be applied."""
        metadata = self.manifest["metadata"]
        parts = (str(self.manifest["kind"]).lower(), metadata.get("namespace", ""), metadata["name"])
        name = "-".join(str(part) for part in parts if part)
        return f"{self.cluster}/{self.wave:03}-{name.replace(':', '-').replace('/', '-')}.yaml"


@dataclass(frozen=True)
class Left:
    """One that does not, with the reason."""

    cluster: str
    kind: str
    namespace: str
    name: str
    why: str

    def data(self) -> dict[str, str]:
        """As it is in the index."""
        stated = {"cluster": self.cluster, "kind": self.kind, "namespace": self.namespace, "name": self.name}
        return {**{key: value for key, value in stated.items() if value}, "why": self.why}


def objects(foreseen: Foreseen) -> tuple[list[Written], list[Left]]:
    """What is written, in order, and what is left out."""
    waves = _waves(foreseen)
    written: list[Written] = []
    left: list[Left] = []
    for urn, item in foreseen.resources.items():
        if not _is_object(item.goal):
            continue
        if item.goal.type.startswith("kubernetes:helm.sh/"):
            left.append(_left(item, "a release of Helm is no object; `istio.crds: objects` gives its CRDs as files"))
            continue
        manifest = _manifest(item.goal, waves[urn])
        why = _why_not(item.goal, manifest)
        if why:
            left.append(_left(item, why))
        else:
            written.append(Written(item.cluster, waves[urn], manifest))
    return (
        sorted(written, key=lambda one: one.file),
        sorted(left, key=lambda one: (one.cluster, one.kind, one.namespace, one.name)),
    )


def _is_object(goal: Goal) -> bool:
    return goal.custom and goal.type.startswith("kubernetes:")


def _waves(foreseen: Foreseen) -> dict[str, int]:
    """How many objects have to be there before, one after the other, whichever clusters they are in."""
    waves: dict[str, int] = {}
    for urn, item in foreseen.resources.items():
        named = {*item.goal.dependencies, item.goal.parent, *(one for key in item.origins.values() for one in key)}
        before = max((waves[one] for one in named if one in waves), default=0)
        waves[urn] = before + _is_object(item.goal)
    return waves


def _manifest(goal: Goal, wave: int) -> dict[str, Any]:
    version, kind, _ = type_of(goal.type, goal.inputs)
    stated = {key: value for key, value in goal.inputs.items() if key != "status"}
    found: dict[str, Any] = _without_bundles({**stated, "apiVersion": version, "kind": kind})
    metadata = dict(found["metadata"])
    annotations = metadata.get("annotations")
    if not isinstance(annotations, Mapping):
        annotations = {}
    return {**found, "metadata": {**metadata, "annotations": {**annotations, WAVE: str(wave)}}}


def _without_bundles(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _without_bundles(item) for key, item in value.items() if not (key == _CA_BUNDLE and item is UNKNOWN)
        }
    return [_without_bundles(item) for item in value] if isinstance(value, list) else value


def _why_not(goal: Goal, manifest: Mapping[str, Any]) -> str:
    """Empty where it may be written."""
    if manifest["kind"] == "Secret" and ("data" in manifest or "stringData" in manifest):
        return "its values are secret; seal it, or let an operator for secrets make it under this name"
    if goal.secret_inputs & manifest.keys():
        return f"{', '.join(sorted(goal.secret_inputs & manifest.keys()))} of it is secret"
    unknown = sorted({_short(path) for path, value in leaves(manifest) if value is UNKNOWN})
    return f"known only after apply: {', '.join(unknown)}" if unknown else ""


def _short(path: str) -> str:
    return ".".join(str(part) for part in split_path(path)[:3])


def _left(item: Resource, why: str) -> Left:
    _, _, kind = item.goal.type.rpartition(":")
    metadata = item.goal.inputs.get("metadata") or {}
    name = metadata.get("name") or item.goal.inputs.get("name") or item.goal.name
    namespace = metadata.get("namespace") or item.goal.inputs.get("namespace") or ""
    return Left(item.cluster, kind, str(namespace), str(name), why)


def others(foreseen: Foreseen) -> Iterator[str]:
    """What the mesh needs besides objects: keys and certificates, resources of clouds."""
    for item in foreseen.resources.values():
        if item.goal.custom and package(item.goal.type) != "kubernetes":
            yield f"{item.goal.type.rpartition(':')[2]} {item.goal.name}"
