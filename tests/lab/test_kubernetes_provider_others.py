"""What somebody else writes is taken over only after it was said, and what somebody else made is left alone."""

import time
from dataclasses import replace
from typing import Any

import pytest
from kubernetes import client

from meshctl.local.model import Op, Step, StepError
from tests.lab.kubernetes_program import Program, shown

pytestmark = pytest.mark.lab


@pytest.fixture
def program(lab: Any, fresh_namespace: str) -> Program:
    return Program(lab.kubeconfig("cluster1").read_text(), fresh_namespace)


@pytest.fixture
def core(lab: Any) -> client.CoreV1Api:
    return client.CoreV1Api(lab.client("cluster1"))


def edit(core: client.CoreV1Api, namespace: str, data: dict[str, Any], manager: str = "kubectl-edit") -> None:
    core.patch_namespaced_config_map("cm", namespace, {"data": data}, field_manager=manager)


class TestOthers:
    """What somebody else writes is taken over only after it was said, and what somebody else made is left alone."""

    def test_drift_is_repaired_and_announced(
        self, program: Program, core: client.CoreV1Api, fresh_namespace: str
    ) -> None:
        goal = program.config_map({"a": "1"})
        record = program.apply(goal)
        edit(core, fresh_namespace, {"a": "drifted", "other": "theirs"})
        step = program.provider.plan(goal, record)
        assert shown(step) == {"data.a": ("drifted", "1", "taken over from kubectl-edit")}
        record = program.apply(goal, record, step)
        assert record.outputs["data"] == {"a": "1", "other": "theirs"}
        assert program.provider.plan(goal, record).op is Op.SAME

    def test_a_conflict_that_the_plan_did_not_show_is_refused(
        self, program: Program, core: client.CoreV1Api, fresh_namespace: str
    ) -> None:
        record = program.apply(program.config_map({"a": "1"}))
        goal = program.config_map({"a": "2"})
        step = program.provider.plan(goal, record)
        edit(core, fresh_namespace, {"a": "3"}, manager="racer")
        with pytest.raises(StepError, match=r"data\.a has been set by racer since the plan"):
            program.apply(goal, record, step)

    def test_a_foreign_object_is_refused_and_left_as_it_was(
        self, program: Program, core: client.CoreV1Api, fresh_namespace: str
    ) -> None:
        core.create_namespaced_config_map(fresh_namespace, {"metadata": {"name": "cm"}, "data": {"a": "theirs"}})
        goal = program.config_map({"b": "ours"})
        with pytest.raises(StepError, match="exists already and is not in this stack's state"):
            program.provider.plan(goal, None)
        with pytest.raises(StepError, match="it appeared since the plan"):
            program.apply(goal, None, Step(Op.CREATE))
        assert core.read_namespaced_config_map("cm", fresh_namespace).data == {"a": "theirs"}
        with pytest.raises(StepError, match="exists already"):
            program.provider.plan(goal, None)

    def test_one_whose_maker_has_set_no_field_is_foreign_too(
        self, program: Program, core: client.CoreV1Api, fresh_namespace: str
    ) -> None:
        core.create_namespaced_service_account(fresh_namespace, {"metadata": {"name": "bare"}})
        goal = program.goal("core/v1:ServiceAccount", {"metadata": {"name": "bare", "namespace": fresh_namespace}})
        time.sleep(1.1)  # times are whole seconds there
        with pytest.raises(StepError, match="it appeared since the plan"):
            program.apply(goal, None, Step(Op.CREATE))

    def test_a_run_that_was_killed_is_taken_up_again(self, program: Program) -> None:
        program.apply(program.config_map({"a": "1", "b": "2"}))
        goal = program.config_map({"a": "1"})
        step = program.provider.plan(goal, None)
        assert step.op is Op.UPDATE
        assert shown(step) == {"data.b": ("2", None, "")}
        assert "taken up again" in step.warnings[0]
        assert program.apply(goal, None, step).outputs["data"] == {"a": "1"}

    def test_even_with_nothing_but_a_name(self, program: Program, fresh_namespace: str) -> None:
        inputs = {"metadata": {"name": "bare", "namespace": fresh_namespace}}
        goal = program.goal("core/v1:ServiceAccount", inputs)
        program.apply(goal)
        assert program.provider.plan(goal, None).op is Op.UPDATE

    def test_deleted_outside_is_said(self, program: Program, core: client.CoreV1Api, fresh_namespace: str) -> None:
        record = program.apply(program.config_map({}))
        core.delete_namespaced_config_map("cm", fresh_namespace)
        step = program.provider.plan(program.config_map({}), record)
        assert step.op is Op.CREATE
        assert "deleted outside of this program" in step.warnings[0]

    def test_what_was_begun_anew_and_killed_is_deleted_all_the_same(
        self, program: Program, core: client.CoreV1Api, fresh_namespace: str
    ) -> None:
        record = program.apply(program.config_map({}))
        core.delete_namespaced_config_map("cm", fresh_namespace)
        program.apply(program.config_map({}), replace(record, pending=Op.CREATE))
        # Killed here: what is recorded is the object that is gone, and that another was begun.
        program.provider.delete(replace(record, pending=Op.CREATE))
        with pytest.raises(client.ApiException, match="not found"):
            core.read_namespaced_config_map("cm", fresh_namespace)

    def test_ignored_changes_are_left_to_others(
        self, program: Program, core: client.CoreV1Api, fresh_namespace: str
    ) -> None:
        record = program.apply(program.config_map({"a": "1"}))
        edit(core, fresh_namespace, {"a": "theirs"})
        goal = program.config_map({"a": "1", "b": "2"})
        goal = replace(goal, options=replace(goal.options, ignore_changes=("data.a",)))
        step = program.provider.plan(goal, record)
        assert shown(step) == {"data.b": (None, "2", "")}
        assert program.apply(goal, record, step).outputs["data"] == {"a": "theirs", "b": "2"}

    def test_a_patch_leaves_the_rest_to_others(
        self, program: Program, core: client.CoreV1Api, fresh_namespace: str
    ) -> None:
        core.patch_namespace(fresh_namespace, {"metadata": {"labels": {"keep": "theirs"}}})
        labels = {"topology.istio.io/network": "net1"}
        inputs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": fresh_namespace, "labels": labels}}
        goal = program.goal("core/v1:NamespacePatch", inputs, name="network")
        step = program.provider.plan(goal, None)
        assert step.op is Op.CREATE
        assert shown(step) == {'metadata.labels["topology.istio.io/network"]': (None, "net1", "")}
        record = program.apply(goal, None, step)
        assert program.provider.plan(goal, record).op is Op.SAME
        program.provider.delete(record)
        left = core.read_namespace(fresh_namespace).metadata.labels
        assert left["keep"] == "theirs"
        assert "topology.istio.io/network" not in left

    def test_a_patch_does_not_create(self, program: Program) -> None:
        goal = program.goal("core/v1:NamespacePatch", {"metadata": {"name": "nobody-made-it", "labels": {"a": "b"}}})
        with pytest.raises(StepError, match="a Patch resource does not create it"):
            program.apply(goal)
