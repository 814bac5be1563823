"""What annotations say about waiting, and what kinds are waited for."""

from typing import Any, cast

import pytest

from meshctl.local.model import StepError
from meshctl.local.providers.kubernetes.cluster import Cluster
from meshctl.local.providers.kubernetes.readiness import Failed, missing
from meshctl.local.providers.kubernetes.waitfor import SKIP, TIMEOUT, WAIT, parse, rules

NO_CLUSTER = cast("Cluster", None)
"""No request is needed for what is checked here."""
LIVE = {
    "data": {"token": "t", "ca.crt": "c"},
    "metadata": {"labels": {"a.b/c": "d"}},
    "spec": {"replicas": 3, "paused": False},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Stuck", "status": "False"}],
        "loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]},
    },
}


class TestWaitFor:
    """Pulumi's grammar: https://www.pulumi.com/registry/packages/kubernetes/#pulumi-kubernetes-annotations."""

    @pytest.mark.parametrize(
        ("text", "met"),
        [
            ("jsonpath={.data.token}", True),
            ("jsonpath={.data.nothing}", False),
            (r"jsonpath={.data.ca\.crt}", True),
            ("jsonpath={.data['ca.crt']}=c", True),
            ("jsonpath={$.spec.replicas}=3", True),
            ("jsonpath={.spec.paused}=false", True),
            ("jsonpath={.status.loadBalancer.ingress[0].ip}=192.0.2.1", True),
            ("jsonpath={.status.loadBalancer.ingress[1]}", False),
            ("jsonpath={.status.loadBalancer.ingress[*].hostname}", False),
            ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', True),
            ("jsonpath={.status.conditions[?(@.type=='Stuck')].status}=True", False),
            ("condition=Ready", True),
            ("condition=Stuck", False),
            ("condition=Stuck=False", True),
        ],
    )
    def test_one(self, text: str, met: bool) -> None:
        (condition,) = parse(text)
        assert condition.met(LIVE) is met

    def test_a_list(self) -> None:
        assert [c.met(LIVE) for c in parse('["condition=Ready", "jsonpath={.data.nothing}"]')] == [True, False]

    @pytest.mark.parametrize("text", ["jsonpath=.a", "jsonpath={.a", "jsonpath={.a}b", "condition=", "x", "[1]", "[,"])
    def test_what_says_nothing_is_refused_before_anything_is_created(self, text: str) -> None:
        with pytest.raises(StepError, match=r"metadata\.annotations"):
            rules({"kind": "K", "metadata": {"name": "n", "annotations": {WAIT: text}}}, {})

    def test_the_option_beats_the_annotation_beats_the_default(self) -> None:
        body = {"kind": "K", "metadata": {"annotations": {TIMEOUT: "7", SKIP: "true"}}}
        assert rules(body, {"create": 3}).seconds("create") == 3
        assert rules(body, {"create": 3}).seconds("update") == 7
        assert rules({"kind": "K", "metadata": {}}, {}).seconds("update") == 600
        assert rules(body, {}).skip


def deployment(**status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"generation": 2},
        "spec": {"replicas": 2},
        "status": status,
    }


PROGRESSED = [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]
AVAILABLE = [*PROGRESSED, {"type": "Available", "status": "True"}]
DONE = {"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "conditions": AVAILABLE}


class TestKinds:
    """An object is not ready while its status speaks of an older one."""

    @pytest.mark.parametrize(
        ("live", "waits_for"),
        [
            (deployment(**DONE), ""),
            (deployment(**{**DONE, "observedGeneration": 1}), "controller"),
            (deployment(**{**DONE, "updatedReplicas": 1}), "1 of 2 updated"),
            (deployment(**{**DONE, "replicas": 3}), "new replicas"),
            (deployment(**{**DONE, "conditions": PROGRESSED}), "available"),
            ({"apiVersion": "v1", "kind": "Namespace", "metadata": {}, "status": {"phase": "Active"}}, ""),
            ({"apiVersion": "v1", "kind": "Namespace", "metadata": {}, "status": {"phase": "Terminating"}}, "Active"),
            ({"apiVersion": "v1", "kind": "Secret", "metadata": {}, "type": "Opaque"}, ""),
            (
                {"apiVersion": "v1", "kind": "Secret", "metadata": {}, "type": "kubernetes.io/service-account-token"},
                "token",
            ),
            ({"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"type": "LoadBalancer"}}, "address"),
            ({"apiVersion": "v1", "kind": "Service", "metadata": {}, "spec": {"type": "ExternalName"}}, ""),
            ({"apiVersion": "batch/v1", "kind": "Job", "metadata": {}, "status": {}}, "complete"),
            ({"apiVersion": "networking.istio.io/v1", "kind": "Service", "metadata": {}}, ""),
        ],
    )
    def test_what_is_missing(self, live: dict[str, Any], waits_for: str) -> None:
        found = missing(live, NO_CLUSTER)
        assert waits_for in found if waits_for else found == ""

    def test_a_failed_job_is_not_waited_for(self) -> None:
        status = {"conditions": [{"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}]}
        with pytest.raises(Failed, match="BackoffLimitExceeded"):
            missing({"apiVersion": "batch/v1", "kind": "Job", "metadata": {}, "status": status}, NO_CLUSTER)
