"""What the engine does around its Kubernetes provider, for one object at a time."""

from typing import Any

from meshctl.local.model import Applied, Goal, Options, Record, Step
from meshctl.local.providers.kubernetes import KubernetesProvider

SWIFT = {"create": 60.0, "update": 60.0, "delete": 60.0}


class Program:
    """What the engine does around the provider, for one object at a time."""

    def __init__(self, kubeconfig: str, namespace: str, stack: str = "dev", **inputs: Any) -> None:
        self.namespace = namespace
        self.said: list[str] = []
        settings = {"enableSecretMutable": "true", "enableConfigMapMutable": "true", **inputs}
        self.provider = KubernetesProvider(
            {"kubeconfig": kubeconfig, "clusterIdentifier": "lab/cluster1", **settings},
            stack,
            lambda _urn, message: self.said.append(message),
        )

    def goal(self, type_: str, inputs: dict[str, Any], name: str = "res", **options: Any) -> Goal:
        given = Options(**{"timeouts": SWIFT, **options})
        return Goal(f"urn:{name}", f"kubernetes:{type_}", name, True, "", "p", inputs, frozenset(), (), given)

    def config_map(self, data: dict[str, Any], **metadata: Any) -> Goal:
        inputs = {"metadata": {"name": "cm", "namespace": self.namespace, **metadata}, "data": data}
        return self.goal("core/v1:ConfigMap", inputs)

    def apply(self, goal: Goal, record: Record | None = None, step: Step | None = None) -> Record:
        step = step or self.provider.plan(goal, record)
        return recorded(goal, self.provider.apply(goal, record, step))


def recorded(goal: Goal, applied: Applied) -> Record:
    return Record(
        goal.urn, goal.type, goal.name, True, "", "p", goal.inputs, frozenset(), (), applied.id, applied.outputs,
        frozenset(), goal.options,
    )  # fmt: skip


def shown(step: Step) -> dict[str, tuple[Any, Any, str]]:
    return {change.path: (change.old, change.new, change.note) for change in step.changes}
