"""What the Kubernetes provider waits for: objects that get ready or go, kinds and webhooks that come."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from kubernetes import client

from meshctl.local.model import UNKNOWN, Op, Options, StepError
from tests.lab.kubernetes_program import Program, shown

pytestmark = pytest.mark.lab


@pytest.fixture
def program(lab: Any, fresh_namespace: str) -> Program:
    return Program(lab.kubeconfig("cluster1").read_text(), fresh_namespace)


@pytest.fixture
def core(lab: Any) -> client.CoreV1Api:
    return client.CoreV1Api(lab.client("cluster1"))


class TestWaiting:
    """An object is handed on when what uses it can use it."""

    def test_a_token(self, program: Program, fresh_namespace: str) -> None:
        annotations = {"kubernetes.io/service-account.name": "default", "pulumi.com/waitFor": "jsonpath={.data.token}"}
        metadata = {"name": "token", "namespace": fresh_namespace, "annotations": annotations}
        inputs = {"type": "kubernetes.io/service-account-token", "metadata": metadata}
        goal = program.goal("core/v1:Secret", inputs)
        step = program.provider.plan(goal, None)
        assert step.outputs["data"] is UNKNOWN
        record = program.apply(goal, None, step)
        assert record.outputs["data"]["token"]
        assert program.provider.plan(goal, record).op is Op.SAME

    def test_a_load_balancer_address(self, program: Program, fresh_namespace: str) -> None:
        inputs = {
            "metadata": {"name": "lb", "namespace": fresh_namespace},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80.0}]},
        }
        record = program.apply(program.goal("core/v1:Service", inputs))
        assert record.outputs["status"]["loadBalancer"]["ingress"]

    def test_what_never_comes_is_told_and_recorded(self, program: Program) -> None:
        goal = program.config_map({}, annotations={"pulumi.com/waitFor": "jsonpath={.data.never}"})
        goal = replace(goal, options=Options(timeouts={"create": 0.5}))
        with pytest.raises(StepError, match=r"waited 0.5 s for jsonpath=\{\.data\.never\}") as caught:
            program.apply(goal)
        assert caught.value.partial is not None
        assert caught.value.partial.outputs["metadata"]["uid"]
        assert program.said == ["waiting for jsonpath={.data.never}"]

    def test_a_kind_that_is_seconds_old(self, program: Program, fresh_namespace: str) -> None:
        group = f"{fresh_namespace}.example.org"
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
        names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
        spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
        crd = program.goal(
            "apiextensions.k8s.io/v1:CustomResourceDefinition", {"metadata": {"name": f"things.{group}"}, "spec": spec}
        )
        inputs = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "t", "namespace": fresh_namespace}}
        thing = program.goal(f"{group}/v1:Thing", {**inputs, "spec": {"a": 1.0}}, name="thing")
        assert program.provider.plan(thing, None).op is Op.CREATE
        defined = program.apply(crd)
        made = program.apply(thing)
        assert made.outputs["spec"] == {"a": 1}
        program.provider.delete(made)
        program.provider.delete(defined)
        program.provider.delete(made)  # neither object nor kind is there


class TestDelete:
    """After a deletion the name is free."""

    def test_twice(self, program: Program) -> None:
        goal = program.config_map({})
        record = program.apply(goal)
        program.provider.delete(record)
        program.provider.delete(record)
        assert program.provider.plan(goal, None).op is Op.CREATE

    def test_finalizers_are_named(self, program: Program, core: client.CoreV1Api, fresh_namespace: str) -> None:
        goal = program.config_map({}, finalizers=["example.org/held"])
        record = program.apply(replace(goal, options=Options(timeouts={"delete": 0.5})))
        with pytest.raises(StepError, match=r"example\.org/held"):
            program.provider.delete(record)
        step = program.provider.plan(program.config_map({}), record)
        assert step.op is Op.CREATE
        assert "is being deleted" in step.warnings[0]
        let_go = threading.Timer(
            0.5, core.patch_namespaced_config_map, ("cm", fresh_namespace, {"metadata": {"finalizers": None}})
        )
        let_go.start()
        successor = program.apply(program.config_map({}), record, step)
        assert successor.outputs["metadata"]["uid"] != record.outputs["metadata"]["uid"]
        assert "waiting for its finalizers (example.org/held)" in program.said

    def test_a_namespace_with_what_is_in_it(self, program: Program, fresh_namespace: str) -> None:
        namespace = f"{fresh_namespace}-own"
        record = program.apply(program.goal("core/v1:Namespace", {"metadata": {"name": namespace}}))
        inputs = {"metadata": {"name": "inside", "namespace": namespace}}
        program.apply(program.goal("core/v1:ConfigMap", inputs))
        program.provider.delete(record)
        assert program.provider.plan(program.goal("core/v1:Namespace", dict(record.inputs)), None).op is Op.CREATE

    def test_a_successor_of_the_same_name_stays(
        self, program: Program, core: client.CoreV1Api, fresh_namespace: str
    ) -> None:
        record = program.apply(program.config_map({}))
        core.delete_namespaced_config_map("cm", fresh_namespace)
        core.create_namespaced_config_map(fresh_namespace, {"metadata": {"name": "cm"}})
        program.provider.delete(record)
        assert core.read_namespaced_config_map("cm", fresh_namespace)


@pytest.fixture
def silent_webhook(lab: Any, fresh_namespace: str) -> Iterator[client.AdmissionregistrationV1Api]:
    """A webhook for ConfigMaps of the test's namespace, with nobody behind it."""
    api = client.AdmissionregistrationV1Api(lab.client("cluster1"))
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
    api.create_validating_webhook_configuration(
        {
            "metadata": {"name": fresh_namespace},
            "webhooks": [
                {
                    "name": "validate.example.org",
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "rules": [rule],
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": fresh_namespace}},
                    "clientConfig": {"url": "https://127.0.0.1:1/validate"},
                    "timeoutSeconds": 1,
                }
            ],
        }
    )
    yield api
    api.delete_validating_webhook_configuration(fresh_namespace)


class TestWebhooks:
    """istiod's validation refuses everything until istiod serves."""

    def test_a_plan_goes_on_without_it(self, program: Program, request: Any, eventually: Any) -> None:
        record = program.apply(program.config_map({"a": "1"}))
        request.getfixturevalue("silent_webhook")
        changed = program.config_map({"a": "2"})
        step = eventually(lambda: next((s for s in [program.provider.plan(changed, record)] if s.warnings), None), 20)
        assert "compared roughly" in step.warnings[0]
        assert shown(step) == {"data.a": ("1", "2", "")}
        assert step.outputs["data"] == {"a": "2"}

    @pytest.mark.usefixtures("silent_webhook")
    def test_is_waited_for(self, program: Program, eventually: Any) -> None:
        goal = replace(program.config_map({"a": "1"}), options=Options(timeouts={"create": 1.0}))

        def blocked() -> bool:
            try:
                program.provider.delete(program.apply(goal))
            except StepError as error:
                return 'failed calling webhook "validate.example.org"' in str(error)
            return False

        assert eventually(blocked, 20)
        assert "waiting for the admission webhook validate.example.org to answer" in program.said
