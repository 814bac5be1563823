"""What the stand-ins say and bring, without an API server."""

import copy
from pathlib import Path

import pytest

from meshctl.lab import prepare, pretend
from meshctl.lab.api import Object
from meshctl.lab.pretend import Change
from meshctl.lab.servers import Layout, apiserver, controllers, etcd
from meshctl.lab.state import Cluster, State

POD = {
    "metadata": {"name": "web-1", "namespace": "shop", "uid": "1"},
    "spec": {"containers": [{"name": "web", "image": "web:1"}]},
    "status": {"phase": "Pending"},
}
GATEWAY = {
    "metadata": {"name": "door", "namespace": "mesh", "uid": "2", "generation": 1},
    "spec": {"gatewayClassName": "istio-east-west"},
}
SERVICE = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"type": "LoadBalancer"}, "status": {}}


def changed(thing: Object, **sections: Object) -> Object:
    result = copy.deepcopy(thing)
    for section, values in sections.items():
        result[section].update(values)
    return result


def wanted(change: Change | None) -> Change:
    assert change is not None
    return change


class TestPods:
    def test_a_new_pod_is_bound(self) -> None:
        change = wanted(pretend.pod_change(POD, "192.0.2.7"))
        assert (change.method, change.path) == ("POST", "/api/v1/namespaces/shop/pods/web-1/binding")
        assert change.body["target"]["name"] == pretend.NODE

    def test_a_bound_pod_runs_with_every_container_ready(self) -> None:
        side = {"name": "proxy", "image": "proxy", "restartPolicy": "Always"}
        once = {"name": "init", "image": "init"}
        pod = changed(POD, spec={"nodeName": pretend.NODE, "initContainers": [side, once]})
        status = wanted(pretend.pod_change(pod, "192.0.2.7")).body["status"]
        assert (status["phase"], status["podIP"], status["hostIP"]) == ("Running", "192.0.2.7", "192.0.2.1")
        assert {"type": "Ready", "status": "True"}.items() <= status["conditions"][-1].items()
        assert [list(item["state"]) for item in status["initContainerStatuses"]] == [["running"], ["terminated"]]

    def test_a_pod_of_a_job_has_done_its_work(self) -> None:
        pod = changed(POD, spec={"nodeName": "n"}, metadata={"ownerReferences": [{"kind": "Job"}]})
        assert wanted(pretend.pod_change(pod, "192.0.2.7")).body["status"]["phase"] == "Succeeded"

    def test_a_pod_that_runs_is_left_alone(self) -> None:
        assert (
            pretend.pod_change(changed(POD, spec={"nodeName": "n"}, status={"phase": "Running"}), "192.0.2.7") is None
        )

    @pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded"])
    def test_a_pod_that_is_to_go_goes_at_once(self, phase: str) -> None:
        pod = changed(POD, metadata={"deletionTimestamp": "now"}, status={"phase": phase})
        change = wanted(pretend.pod_change(pod, "192.0.2.7"))
        assert (change.method, change.body) == ("DELETE", {"gracePeriodSeconds": 0})

    def test_a_gated_pod_waits(self) -> None:
        assert pretend.pod_change(changed(POD, spec={"schedulingGates": [{"name": "wait"}]}), "192.0.2.7") is None


class TestServices:
    def test_a_load_balancer_gets_the_address(self) -> None:
        change = wanted(pretend.service_change(SERVICE, "127.200.1.2"))
        assert change.path == "/api/v1/namespaces/shop/services/web/status"
        assert change.body["status"]["loadBalancer"]["ingress"] == [{"ip": "127.200.1.2"}]

    def test_it_keeps_the_one_it_has(self) -> None:
        has = changed(SERVICE, status={"loadBalancer": {"ingress": [{"ip": "127.200.1.9"}]}})
        assert pretend.service_change(has, "127.200.1.2") is None
        assert pretend.service_addresses(has) == {"127.200.1.9"}

    @pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "ExternalName"])
    def test_other_services_get_none(self, kind: str) -> None:
        assert pretend.service_change(changed(SERVICE, spec={"type": kind}), "127.200.1.2") is None

    @pytest.mark.parametrize(
        ("asked", "given"), [("192.0.2.9", "ip"), ("2001:db8::9", "ip"), ("a.example", "hostname")]
    )
    def test_it_gets_what_the_annotation_says(self, asked: str, given: str) -> None:
        service = changed(SERVICE, metadata={"annotations": {pretend.ADDRESS_ANNOTATION: asked}})
        change = wanted(pretend.service_change(service, "127.200.1.2"))
        assert change.body["status"]["loadBalancer"]["ingress"] == [{given: asked}]


class TestGateways:
    """What istiod does with a Gateway for which it runs a proxy, as far as somebody waits for it."""

    @pytest.mark.parametrize("name", pretend.CLASSES)
    def test_one_gets_an_address_and_is_programmed(self, name: str) -> None:
        change = wanted(pretend.gateway_change(changed(GATEWAY, spec={"gatewayClassName": name}), "127.201.1.2"))
        assert change.path == "/apis/gateway.networking.k8s.io/v1/namespaces/mesh/gateways/door/status"
        assert change.body["status"]["addresses"] == [{"type": "IPAddress", "value": "127.201.1.2"}]
        (condition,) = change.body["status"]["conditions"]
        assert {"type": "Programmed", "status": "True", "observedGeneration": 1}.items() <= condition.items()

    def test_then_all_is_well(self) -> None:
        done = {**GATEWAY, **wanted(pretend.gateway_change(GATEWAY, "127.201.1.2")).body}
        assert pretend.gateway_change(done, "127.201.1.3") is None
        assert pretend.gateway_addresses(done) == {"127.201.1.2"}

    def test_after_a_change_it_is_programmed_again_at_the_address_that_it_has(self) -> None:
        done = {**GATEWAY, **wanted(pretend.gateway_change(GATEWAY, "127.201.1.2")).body}
        status = wanted(pretend.gateway_change(changed(done, metadata={"generation": 2}), "127.201.1.3")).body["status"]
        assert [entry["value"] for entry in status["addresses"]] == ["127.201.1.2"]
        assert status["conditions"][0]["observedGeneration"] == 2

    def test_the_annotation_may_stand_where_istiod_copies_it_from(self) -> None:
        for annotated in (
            changed(GATEWAY, metadata={"annotations": {pretend.ADDRESS_ANNOTATION: "a.example"}}),
            changed(GATEWAY, spec={"infrastructure": {"annotations": {pretend.ADDRESS_ANNOTATION: "a.example"}}}),
        ):
            body = wanted(pretend.gateway_change(annotated, "127.201.1.2")).body
            assert body["status"]["addresses"] == [{"type": "Hostname", "value": "a.example"}]

    def test_without_a_load_balancer_it_is_reached_inside_of_the_cluster_only(self) -> None:
        inside = changed(GATEWAY, metadata={"annotations": {pretend.SERVICE_TYPE_ANNOTATION: "ClusterIP"}})
        body = wanted(pretend.gateway_change(inside, "127.201.1.2")).body
        assert body["status"]["addresses"] == [{"type": "Hostname", "value": "door.mesh.svc.cluster.local"}]

    def test_a_waypoint_is_reached_inside_of_the_cluster_only(self) -> None:
        waypoint = changed(GATEWAY, spec={"gatewayClassName": pretend.WAYPOINT_CLASS})
        status = wanted(pretend.gateway_change(waypoint, "127.201.1.2")).body["status"]
        assert status["addresses"] == [{"type": "Hostname", "value": "door.mesh.svc.cluster.local"}]
        assert [(item["type"], item["status"]) for item in status["conditions"]] == [("Programmed", "True")]

    def test_other_classes_are_left_alone(self) -> None:
        other = changed(GATEWAY, spec={"gatewayClassName": "istio-remote"})
        assert pretend.gateway_change(other, "127.201.1.2") is None

    def test_one_that_is_to_go_is_left_alone(self) -> None:
        going = changed(GATEWAY, metadata={"deletionTimestamp": "now"})
        assert pretend.gateway_change(going, "127.201.1.2") is None


def test_addresses_are_given_from_the_lowest_on() -> None:
    assert pretend.first_free("192.0.2.", set()) == "192.0.2.2"
    assert pretend.first_free("192.0.2.", {"192.0.2.2", "192.0.2.4"}) == "192.0.2.3"
    assert pretend.first_free("192.0.2.", {f"192.0.2.{n}" for n in range(256)}) == "192.0.2.254"


class TestPreparation:
    def test_all_fifteen_kinds_of_istio(self) -> None:
        assert len({(kind.group, kind.kind) for kind in prepare.KINDS}) == len(prepare.KINDS) == 15

    @pytest.mark.parametrize("kind", [*prepare.KINDS, *prepare.GATEWAY_KINDS], ids=lambda kind: kind.kind)
    def test_a_definition_is_well_formed(self, kind: prepare.Kind) -> None:
        body = prepare.definition(kind)
        spec = body["spec"]
        assert body["metadata"]["name"] == f"{spec['names']['plural']}.{spec['group']}"
        assert spec["scope"] == ("Cluster" if kind.kind == "GatewayClass" else "Namespaced")
        assert [version["storage"] for version in spec["versions"]].count(True) == 1
        assert all(version["served"] for version in spec["versions"])

    def test_everything_is_labelled_as_a_stand_in(self) -> None:
        everything = [*prepare.kinds(), *prepare.root_namespace("mesh")]
        assert all(body["metadata"]["labels"] == pretend.LABELS for _, body in everything)

    def test_root_namespaces_share_nothing(self) -> None:
        """An external control plane's is not `istio-system`, and one cluster may have both."""
        one, other = (
            {path for path, _ in prepare.root_namespace(name)} for name in ("istio-system", "external-istiod")
        )
        assert len(one) == len(other) == 4
        assert not one & other
        (binding,) = (body for path, body in prepare.root_namespace("external-istiod") if "bindings" in path)
        assert binding["subjects"][0]["namespace"] == "external-istiod"

    def test_the_reader_may_change_nothing_but_service_exports(self) -> None:
        """With more than Istio grants, the lab would let things pass which a real cluster refuses."""
        writes = {
            (resource, verb)
            for rule in prepare.READER_RULES
            for resource in rule.resources.split()
            for verb in rule.verbs.split()
            if verb not in ("get", "list", "watch")
        }
        assert writes == {
            ("serviceexports", "create"),
            ("serviceexports", "delete"),
            ("tokenreviews", "create"),
            ("subjectaccessreviews", "create"),
        }


def test_every_server_is_told_to_listen_on_loopback(tmp_path: Path) -> None:
    cluster, layout = Cluster("east", 1, 20002), Layout(tmp_path)
    state = State((20000, 20001), {"east": cluster})
    found = {name: tmp_path / name for name in ("etcd", "kube-apiserver", "kube-controller-manager")}
    assert "--bind-address=127.0.0.1" in apiserver(found, layout, state, cluster)
    assert "--secure-port=0" in controllers(found, layout, cluster)
    listening = [flag for flag in etcd(found, layout, state) if flag.startswith("--listen")]
    assert len(listening) == 2
    assert all("=http://127.0.0.1:" in flag for flag in listening)
