"""The lab does what its users rely on: what is real answers, what is a stand-in does it soon."""

import json
import signal
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kubernetes import client

from meshctl.lab import LabError, commands, process
from meshctl.lab.lab import Lab, running_lab
from meshctl.lab.prepare import GATEWAY_KINDS, KINDS, READER
from meshctl.lab.pretend import ADDRESS_ANNOTATION
from meshctl.lab.state import FILE, load
from tests.lab.conftest import Eventually, RealLab
from tests.support.objects import custom

pytestmark = pytest.mark.lab

LABELS = {"app": "web"}
DEPLOYMENT: dict[str, Any] = {
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": "web", "image": "web"}]}},
    },
}
SERVICE: dict[str, Any] = {
    "metadata": {"name": "web"},
    "spec": {"type": "LoadBalancer", "selector": LABELS, "ports": [{"port": 80}]},
}


def pids(lab: Lab) -> dict[tuple[str, str], int | None]:
    return {(row.cluster, row.program): row.pid for row in lab.status()}


class TestReal:
    def test_every_process_is_ready_and_tells_its_version(self, lab: RealLab) -> None:
        rows = lab.status()
        assert all(row.ready for row in rows), rows
        versions = [row.version for row in rows if row.program == "kube-apiserver"]
        assert len(versions) == len(lab.clusters()) >= 2
        assert all(version.startswith("v1.") for version in versions)

    def test_it_listens_on_loopback_only(self, lab: RealLab) -> None:
        state = load(lab.dir)
        assert state is not None
        ours = {f"{port:04X}" for port in state.ports()}
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        listening = [line[1].split(":") for line in sockets if line[3] == "0A"]
        # 127.0.0.1 as the kernel writes it on a little-endian machine.
        assert {address for address, port in listening if port in ours} == {"0100007F"}
        everywhere = [line.split()[1].split(":") for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
        assert not ours & {port for _, port in everywhere}

    def test_nobody_gets_in_without_a_token(self, lab: RealLab) -> None:
        stranger = client.ApiClient(lab.client("cluster1").configuration)
        stranger.configuration.api_key = {}
        with pytest.raises(client.ApiException) as caught:
            client.CoreV1Api(stranger).list_namespace()
        assert caught.value.status == 401

    def test_clusters_do_not_see_each_other(self, lab: RealLab, fresh_namespace: str) -> None:
        with pytest.raises(client.ApiException) as caught:
            client.CoreV1Api(lab.client("cluster2")).read_namespace(fresh_namespace)
        assert caught.value.status == 404

    def test_a_service_account_token_is_issued_and_authenticates(
        self, lab: RealLab, fresh_namespace: str, eventually: Eventually
    ) -> None:
        core = client.CoreV1Api(lab.client("cluster1"))
        note = {"kubernetes.io/service-account.name": READER}
        name = f"{fresh_namespace}-token"
        core.create_namespaced_secret(
            "istio-system",
            {"metadata": {"name": name, "annotations": note}, "type": "kubernetes.io/service-account-token"},
        )
        data = eventually(lambda: core.read_namespaced_secret(name, "istio-system").data)
        assert set(data) == {"token", "ca.crt", "namespace"}
        core.delete_namespaced_secret(name, "istio-system")

    def test_every_kind_of_istio_and_of_the_gateway_api_is_served(self, lab: RealLab) -> None:
        for name in ("cluster1", "cluster2"):
            custom = client.CustomObjectsApi(lab.client(name))
            for kind in (*KINDS, *GATEWAY_KINDS):
                for version in kind.versions:
                    assert custom.list_cluster_custom_object(kind.group, version, kind.plural)["items"] == []


class TestStandIn:
    @pytest.mark.parametrize(
        ("kind", "more", "ready"),
        [
            ("DaemonSet", {}, {"numberReady": 1}),
            ("StatefulSet", {"replicas": 3, "serviceName": "web"}, {"readyReplicas": 3}),
        ],
    )
    def test_pods_of_every_controller_become_ready(
        self,
        lab: RealLab,
        fresh_namespace: str,
        eventually: Eventually,
        kind: str,
        more: dict[str, Any],
        ready: dict[str, int],
    ) -> None:
        """Istio's CNI plugin and ztunnel are DaemonSets."""
        api = lab.api("cluster1")
        path = f"/apis/apps/v1/namespaces/{fresh_namespace}/{kind.lower()}s"
        spec = {key: DEPLOYMENT["spec"][key] for key in ("selector", "template")} | more
        api.request("POST", path, {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec})
        eventually(lambda: ready.items() <= api.get(f"{path}/web")["status"].items())

    def test_a_deployment_becomes_available_and_its_endpoints_are_filled(
        self, lab: RealLab, fresh_namespace: str, eventually: Eventually
    ) -> None:
        api = lab.client("cluster1")
        apps, slices = client.AppsV1Api(api), client.DiscoveryV1Api(api)
        apps.create_namespaced_deployment(fresh_namespace, DEPLOYMENT)
        client.CoreV1Api(api).create_namespaced_service(fresh_namespace, SERVICE)
        eventually(
            lambda: apps.read_namespaced_deployment_status("web", fresh_namespace).status.available_replicas == 3
        )

        def addresses() -> set[str] | None:
            found = [
                address
                for item in slices.list_namespaced_endpoint_slice(fresh_namespace).items
                for endpoint in item.endpoints or []
                for address in endpoint.addresses
            ]
            return set(found) if len(found) == 3 else None

        assert len(eventually(addresses)) == 3

    def test_a_load_balancer_gets_an_address_of_its_cluster_and_keeps_it(
        self, lab: RealLab, fresh_namespace: str, eventually: Eventually
    ) -> None:
        core = client.CoreV1Api(lab.client("cluster1"))

        def address(name: str) -> str | None:
            ingress = core.read_namespaced_service(name, fresh_namespace).status.load_balancer.ingress
            found: str | None = ingress[0].ip if ingress else None
            return found

        core.create_namespaced_service(fresh_namespace, SERVICE)
        core.create_namespaced_service(fresh_namespace, {**SERVICE, "metadata": {"name": "other"}})
        first, other = eventually(lambda: address("web")), eventually(lambda: address("other"))
        assert first.startswith("127.200.1.")
        assert other.startswith("127.200.1.")
        assert first != other
        core.patch_namespaced_service("web", fresh_namespace, {"metadata": {"labels": {"touched": "true"}}})
        assert address("web") == first

    def test_a_load_balancer_gets_the_address_that_it_asks_for(
        self, lab: RealLab, fresh_namespace: str, eventually: Eventually
    ) -> None:
        """A remote cluster's Endpoints refuse loopback addresses; so such a gateway needs another one."""
        core = client.CoreV1Api(lab.client("cluster1"))
        spec = {**SERVICE["spec"], "loadBalancerIP": "192.0.2.200"}
        core.create_namespaced_service(fresh_namespace, {**SERVICE, "spec": spec})
        ingress = eventually(lambda: core.read_namespaced_service("web", fresh_namespace).status.load_balancer.ingress)
        assert [entry.ip for entry in ingress] == ["192.0.2.200"]

    def test_a_load_balancer_gets_the_host_name_of_the_annotation(
        self, lab: RealLab, fresh_namespace: str, eventually: Eventually
    ) -> None:
        core = client.CoreV1Api(lab.client("cluster1"))
        metadata = {"name": "web", "annotations": {ADDRESS_ANNOTATION: "gateway.cluster1.example"}}
        core.create_namespaced_service(fresh_namespace, {**SERVICE, "metadata": metadata})
        ingress = eventually(lambda: core.read_namespaced_service("web", fresh_namespace).status.load_balancer.ingress)
        assert [(entry.ip, entry.hostname) for entry in ingress] == [(None, "gateway.cluster1.example")]

    def test_an_east_west_gateway_of_ambient_gets_an_address_and_nothing_is_made_of_it(
        self, lab: RealLab, fresh_namespace: str, eventually: Eventually
    ) -> None:
        api = lab.api("cluster1")
        path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{fresh_namespace}/gateways"
        for name, class_name in (("other", "istio-remote"), ("east-west", "istio-east-west")):
            body = {
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "Gateway",
                "metadata": {"name": name},
                "spec": {"gatewayClassName": class_name, "listeners": []},
            }
            api.request("POST", path, body)
        status = eventually(lambda: api.get(f"{path}/east-west").get("status"))
        (address,) = status["addresses"]
        assert address["type"] == "IPAddress"
        assert address["value"].startswith("127.201.1.")
        assert [(c["type"], c["status"]) for c in status["conditions"]] == [("Programmed", "True")]
        assert "status" not in api.get(f"{path}/other")
        assert api.get(f"/api/v1/namespaces/{fresh_namespace}/services")["items"] == []

    def test_a_namespace_with_pods_in_it_goes_away(self, lab: RealLab, eventually: Eventually) -> None:
        api = lab.client("cluster2")
        core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
        core.create_namespace({"metadata": {"name": "leaving"}})
        apps.create_namespaced_deployment("leaving", DEPLOYMENT)
        eventually(lambda: apps.read_namespaced_deployment_status("web", "leaving").status.available_replicas == 3)
        core.delete_namespace("leaving")
        eventually(lambda: "leaving" not in {item.metadata.name for item in core.list_namespace().items})

    def test_nothing_outlives_a_namespace_that_goes_while_its_api_server_is_away(
        self, lab: RealLab, eventually: Eventually
    ) -> None:
        api, name = lab.api("cluster1"), "goes-meanwhile"
        api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        sidecars = "/apis/networking.istio.io/v1/namespaces/{}/sidecars"
        body = {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": {"name": "default"}}
        api.request("POST", sidecars.format(name), body)
        api.request("DELETE", f"/api/v1/namespaces/{name}")
        lab.stop_apiserver("cluster1")
        lab.start_apiserver("cluster1")
        eventually(lambda: name not in {item["metadata"]["name"] for item in api.get("/api/v1/namespaces")["items"]})
        assert custom(api) == set()

    def test_it_goes_on_after_an_api_server_was_away(
        self, lab: RealLab, fresh_namespace: str, eventually: Eventually
    ) -> None:
        show = partial(CliRunner().invoke, commands.lab, ["status", "--json", "--dir", str(lab.dir)])
        assert show().exit_code == 0
        lab.stop_apiserver("cluster1")
        shown = show()
        assert shown.exit_code == 1
        assert [row["cluster"] for row in json.loads(shown.output) if not row["ready"]] == ["cluster1"]
        client.CoreV1Api(lab.client("cluster2")).list_namespace()
        lab.start_apiserver("cluster1")
        core = client.CoreV1Api(lab.client("cluster1"))
        core.create_namespaced_service(fresh_namespace, SERVICE)
        eventually(lambda: core.read_namespaced_service("web", fresh_namespace).status.load_balancer.ingress)


class TestUpAgain:
    def test_what_runs_is_kept(self, lab: RealLab) -> None:
        before = pids(lab)
        done = CliRunner().invoke(commands.lab, ["up", "--dir", str(lab.dir)])
        assert done.exit_code == 0, done.output
        assert "\n\nThe lab is up. " in done.stdout
        assert f"\n  cluster1: {lab.kubeconfig('cluster1')}\n  cluster2: {lab.kubeconfig('cluster2')}\n" in done.stdout
        assert done.stdout.endswith(f"\nRemove it:    mesh lab down --dir {lab.dir}\n")
        assert pids(lab) == before

    def test_what_died_is_started_again(self, lab: RealLab) -> None:
        before = pids(lab)
        name = "cluster2/kube-apiserver"
        state = load(lab.dir)
        assert state is not None
        victim = state.processes[name]
        victim.signal(signal.SIGKILL)
        process.stop([victim], 0)
        lab.up()
        after = pids(lab)
        assert {key for key in before if before[key] != after[key]} == {
            ("cluster2", "kube-apiserver"),
            ("cluster2", "kube-controller-manager"),
        }
        assert all(row.ready for row in lab.status())

    def test_another_root_namespace_gets_a_reader_of_its_own(self, lab: RealLab) -> None:
        """That of an external control plane is not `istio-system`."""
        name = "root-namespace-of-another"
        before = pids(lab)
        lab.up(namespaces=[name])
        assert pids(lab) == before
        api = lab.api("cluster2")
        account = {"user": f"system:serviceaccount:{name}:{READER}"}
        for verb, allowed in (("list", True), ("delete", False)):
            asked = {"resourceAttributes": {"verb": verb, "resource": "services"}, **account}
            body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": asked}
            answer = json.loads(api.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body))
            assert answer["status"]["allowed"] is allowed
        api.request("DELETE", f"/api/v1/namespaces/{name}")

    def test_what_the_lab_writes_is_for_its_owner_only(self, lab: RealLab) -> None:
        assert lab.dir.stat().st_mode & 0o777 == 0o700
        files = [path for path in lab.dir.rglob("*") if path.is_file() and "etcd" not in path.parts]
        assert {path.stat().st_mode & 0o077 for path in files} == {0}


class TestThirdCluster:
    """Modules that need three clusters share the two of all others."""

    def test_it_answers_like_the_first_two(self, lab3: RealLab, eventually: Eventually) -> None:
        assert [cluster.name for cluster in lab3.clusters()][:3] == ["cluster1", "cluster2", "cluster3"]
        assert all(row.ready for row in lab3.status())
        (node,) = eventually(lambda: lab3.api("cluster3").get("/api/v1/nodes")["items"])
        assert node["metadata"]["labels"]["topology.kubernetes.io/region"] == "lab-3"

    def test_asking_again_restarts_nothing(self, lab3: RealLab) -> None:
        before = pids(lab3)
        lab3.up(["cluster3"])
        assert pids(lab3) == before


class TestDown:
    def test_a_cluster_is_added_and_nothing_is_left(self, empty_folder: Path) -> None:
        with running_lab(empty_folder, ["east"]) as lab:
            before = pids(lab)
            lab.up(["west"])
            after = pids(lab)
            kept = [("", "etcd"), ("east", "kube-apiserver"), ("east", "kube-controller-manager")]
            assert all(after[key] == before[key] for key in kept)
            assert [cluster.name for cluster in lab.clusters()] == ["east", "west"]
        assert not empty_folder.exists()
        assert [pid for pid in after.values() if Path(f"/proc/{pid}").exists()] == []
        commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert str(empty_folder) not in commands

    def test_a_folder_that_is_no_lab_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("precious")
        for action in (Lab(tmp_path).down, Lab(tmp_path).up):
            with pytest.raises(LabError, match=FILE):
                action()
        assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
