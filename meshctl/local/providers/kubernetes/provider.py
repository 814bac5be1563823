"""The provider that the engine calls: one configured cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from meshctl.local.model import UNKNOWN, Applied, Goal, Progress, Record, Step, StepError

from .applying import apply
from .cluster import Cluster
from .deleting import delete, hindrance
from .planning import Settings, plan, plan_from_record
from .transport import Transport


class KubernetesProvider:
    """Objects of one cluster, written by server-side apply under the manager `mesh/<stack>`."""

    def __init__(self, inputs: Mapping[str, Any], stack: str, progress: Progress) -> None:
        self.cluster = _text(inputs, "clusterIdentifier").rsplit("/", 1)[-1] or _text(inputs, "context")
        self._progress = progress
        self._settings = Settings(
            stack=stack,
            secret_mutable=flag(inputs.get("enableSecretMutable")),
            config_map_mutable=flag(inputs.get("enableConfigMapMutable")),
            upsert=flag(inputs.get("upsertExistingObjects")),
        )
        self._server: Cluster | None = None
        if inputs.get("kubeconfig") is not UNKNOWN and inputs.get("context") is not UNKNOWN:
            transport = Transport(
                self.cluster or "kubernetes", inputs.get("kubeconfig"), _text(inputs, "context") or None
            )
            self._server = Cluster(self.cluster, transport, _text(inputs, "namespace") or "default")

    def plan(self, goal: Goal, record: Record | None) -> Step:
        """Compare with the live object; while the cluster itself is not there yet, with what is recorded."""
        if self._server is None:
            return plan_from_record(goal, record, self._settings)
        return plan(self._server, goal, record, self._settings)

    def plan_recorded(self, goal: Goal, record: Record | None) -> Step:
        """The same without asking the cluster: for a caller that has met `Unreachable` and goes on all the same."""
        return plan_from_record(goal, record, self._settings)

    def apply(self, goal: Goal, record: Record | None, step: Step) -> Applied:
        """Server-side apply, then wait until the object is ready."""
        return apply(self._reachable(goal.urn), goal, record, step, self._settings, self._progress)

    def delete(self, record: Record) -> None:
        """Delete and wait until gone."""
        delete(self._reachable(record.urn), record, self._settings, self._progress)

    def hindrance(self, record: Record) -> str:
        """What would hold up its deletion; empty where nothing does. Raises StepError."""
        return hindrance(self._reachable(record.urn), record, self._settings)

    def invoke(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002  the Protocol's shape
        """This package makes objects only; charts are rendered elsewhere."""
        raise StepError(f"{token} is not a function of the local engine's Kubernetes provider; fix: use the Pulumi CLI")

    def _reachable(self, urn: str) -> Cluster:
        if self._server is None:
            raise StepError(f"{urn}: the provider's kubeconfig is not known; fix: apply what it comes from first")
        return self._server


def flag(value: Any) -> bool:
    """A boolean setting of a provider: they come over the wire as strings, or as JSON in strings."""
    while isinstance(value, str):
        try:
            value = json.loads(value.lower())
        except ValueError:
            return False
    return value is True


def _text(inputs: Mapping[str, Any], key: str) -> str:
    value = inputs.get(key)
    return value if isinstance(value, str) else ""
