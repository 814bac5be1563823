"""The local engine's Kubernetes provider on a real API server: a plan is one look at the live object, and exact."""

import copy
import time
from typing import Any

import pytest
from kubernetes import client

from meshctl.local.model import UNKNOWN, Goal, Op, StepError
from tests.lab.kubernetes_program import Program, shown

pytestmark = pytest.mark.lab


@pytest.fixture
def program(lab: Any, fresh_namespace: str) -> Program:
    return Program(lab.kubeconfig("cluster1").read_text(), fresh_namespace)


@pytest.fixture
def core(lab: Any) -> client.CoreV1Api:
    return client.CoreV1Api(lab.client("cluster1"))


DEPLOYMENT: dict[str, Any] = {
    "replicas": 2.0,
    "selector": {"matchLabels": {"app": "web"}},
    "template": {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
            "containers": [
                {
                    "name": "web",
                    "image": "web:1",
                    "ports": [{"containerPort": 8080.0}],
                    "resources": {"requests": {"cpu": "2000m", "memory": "1024Mi"}},
                }
            ]
        },
    },
}


class TestPlan:
    """A plan is one look at the live object."""

    def test_create_then_same(self, program: Program) -> None:
        goal = program.config_map({"a": "1"})
        assert program.provider.plan(goal, None).op is Op.CREATE
        record = program.apply(goal)
        assert record.id.endswith("/cm")
        step = program.provider.plan(goal, record)
        assert (step.op, step.changes) == (Op.SAME, ())
        assert step.outputs == record.outputs
        assert "managedFields" not in step.outputs["metadata"]

    def test_one_label_is_one_field(self, program: Program) -> None:
        record = program.apply(program.config_map({}, labels={"a/b": "1", "c": "1"}))
        changed = program.config_map({}, labels={"a/b": "2", "c": "1"})
        step = program.provider.plan(changed, record)
        assert step.op is Op.UPDATE
        assert shown(step) == {'metadata.labels["a/b"]': ("1", "2", "")}
        assert program.apply(changed, record, step).outputs["metadata"]["labels"] == {"a/b": "2", "c": "1"}

    def test_what_leaves_the_program_leaves_the_object(self, program: Program) -> None:
        record = program.apply(program.config_map({"a": "1", "b": "2"}))
        fewer = program.config_map({"a": "1"})
        step = program.provider.plan(fewer, record)
        assert shown(step) == {"data.b": ("2", None, "")}
        assert program.apply(fewer, record, step).outputs["data"] == {"a": "1"}

    def test_quantities_and_defaults_are_no_changes(self, program: Program, fresh_namespace: str) -> None:
        metadata = {"name": "web", "namespace": fresh_namespace}
        goal = program.goal("apps/v1:Deployment", {"metadata": metadata, "spec": DEPLOYMENT})
        record = program.apply(goal)
        assert record.outputs["status"]["availableReplicas"] == 2
        assert any("replicas" in text or "controller" in text for text in program.said)
        assert program.provider.plan(goal, record).op is Op.SAME
        image = copy.deepcopy(DEPLOYMENT)
        image["template"]["spec"]["containers"][0]["image"] = "web:2"
        step = program.provider.plan(program.goal("apps/v1:Deployment", {"metadata": metadata, "spec": image}), record)
        assert shown(step) == {"spec.template.spec.containers[0].image": ("web:1", "web:2", "")}

    def test_an_immutable_field_replaces(self, program: Program, fresh_namespace: str) -> None:
        metadata = {"name": "web", "namespace": fresh_namespace, "annotations": {"pulumi.com/skipAwait": "true"}}
        record = program.apply(program.goal("apps/v1:Deployment", {"metadata": metadata, "spec": DEPLOYMENT}))
        other = copy.deepcopy(DEPLOYMENT)
        other["selector"]["matchLabels"] = other["template"]["metadata"]["labels"] = {"app": "other"}
        goal = program.goal("apps/v1:Deployment", {"metadata": metadata, "spec": other})
        step = program.provider.plan(goal, record)
        assert step.op is Op.REPLACE
        assert shown(step)["spec.selector.matchLabels.app"] == ("web", "other", "")
        again = program.apply(goal, record, step)
        assert again.outputs["metadata"]["uid"] != record.outputs["metadata"]["uid"]
        program.provider.delete(record)  # what is recorded is gone: its successor of the same name stays
        assert program.provider.plan(goal, again).op is Op.SAME

    def test_a_port_of_a_service(self, program: Program, fresh_namespace: str) -> None:
        def service(*ports: dict[str, Any]) -> Goal:
            metadata = {"name": "svc", "namespace": fresh_namespace}
            return program.goal("core/v1:Service", {"metadata": metadata, "spec": {"ports": list(ports)}})

        a, b = {"name": "a", "port": 80.0}, {"name": "b", "port": 81.0}
        record = program.apply(service(a, b))
        step = program.provider.plan(service(a, {**b, "targetPort": 8081.0}), record)
        assert shown(step) == {"spec.ports[1].targetPort": (81, 8081, "")}
        step = program.provider.plan(service(a, b, {"name": "c", "port": UNKNOWN}), record)
        assert step.op is Op.UPDATE, "what is known of it alone is no valid port: not asked of the API server"
        assert "spec.ports" in shown(step)

    def test_unknown_values_are_updates(self, program: Program) -> None:
        record = program.apply(program.config_map({"a": "1", "b": "2"}))
        step = program.provider.plan(program.config_map({"a": UNKNOWN, "b": "2"}), record)
        assert step.op is Op.UPDATE
        assert shown(step) == {"data.a": ("1", UNKNOWN, "")}
        assert step.outputs["data"] == {"a": UNKNOWN, "b": "2"}

    def test_a_namespace_that_is_not_there_yet(self, program: Program) -> None:
        inputs = {"metadata": {"name": "a", "namespace": "not-yet"}, "data": {"a": "1"}}
        step = program.provider.plan(program.goal("core/v1:ConfigMap", inputs), None)
        assert (step.op, step.outputs["data"]) == (Op.CREATE, {"a": "1"})

    def test_secret_values_are_not_shown(self, program: Program, fresh_namespace: str) -> None:
        def secret(value: str) -> Goal:
            metadata = {"name": "s", "namespace": fresh_namespace}
            return program.goal("core/v1:Secret", {"metadata": metadata, "stringData": {"k": value}})

        record = program.apply(secret("hunter1"))
        assert program.provider.plan(secret("hunter1"), record).op is Op.SAME
        step = program.provider.plan(secret("hunter2"), record)
        assert step.op is Op.UPDATE
        assert shown(step) == {"data.k": ("[secret]", "[secret]", "")}


class TestErrors:
    """Where, what, why, fix."""

    def test_what_the_schema_refuses(self, program: Program, fresh_namespace: str) -> None:
        inputs = {"metadata": {"name": "d", "namespace": fresh_namespace}, "spec": {"replica": 1.0}}
        started = time.monotonic()
        with pytest.raises(StepError, match=r"cluster1: Deployment .*/d: .*\.spec\.replica: field not declared.*fix: "):
            program.apply(program.goal("apps/v1:Deployment", inputs))
        assert time.monotonic() - started < 2, "it will not get better by waiting"

    def test_a_namespace_that_never_comes(self, program: Program) -> None:
        inputs = {"metadata": {"name": "a", "namespace": "never-made"}}
        goal = program.goal("core/v1:ConfigMap", inputs, timeouts={"create": 0.5})
        with pytest.raises(StepError, match='namespaces "never-made" not found; fix: create the namespace'):
            program.apply(goal)

    def test_values_of_a_secret_are_not_echoed(self, program: Program, fresh_namespace: str) -> None:
        metadata = {"name": "s", "namespace": fresh_namespace}
        goal = program.goal("core/v1:Secret", {"metadata": metadata, "stringData": {"x y": "hunter2"}})
        with pytest.raises(StepError, match=r"refuses data\[x y\]"):
            program.apply(goal)
