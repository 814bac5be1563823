"""The two-cluster mesh on two real API servers, by the `mesh` command: what is there, and what a change changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from kubernetes import client

from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.support.objects import NAMESPACE, client_of, inventory, secret
from tests.support.project import Project

pytestmark = pytest.mark.lab
CLUSTERS = ("cluster1", "cluster2")
PEER = {"cluster1": "cluster2", "cluster2": "cluster1"}


@pytest.fixture(scope="module")
def first_preview(project: Project) -> list[dict[str, Any]]:
    return project.preview()


@pytest.fixture(scope="module")
def project(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("project"), lab.dir)
    yield project
    project.done("destroy", "--yes")


@pytest.fixture(scope="module")
def applied(project: Project, first_preview: list[dict[str, Any]]) -> dict[str, Any]:
    """The mesh, applied once. The answer of `mesh up --json`."""
    assert {row["op"] for row in first_preview} == {"create"}
    answer: dict[str, Any] = json.loads(project.done("up", "--yes", "--json"))
    return answer


@pytest.fixture(scope="module")
def apis(lab: RealLab, applied: dict[str, Any]) -> dict[str, Api]:
    assert applied["resources"]
    return {name: Api(lab.kubeconfig(name)) for name in CLUSTERS}


class TestWhatIsThere:
    """What Istio's documentation has a person make by hand, in both clusters."""

    def test_the_root_namespace_carries_its_network(self, apis: dict[str, Api]) -> None:
        for number, name in enumerate(CLUSTERS, 1):
            labels = apis[name].get(f"/api/v1/namespaces/{NAMESPACE}")["metadata"]["labels"]
            assert labels["topology.istio.io/network"] == f"network{number}"

    def test_cacerts_hang_on_one_root_by_different_intermediates(self, apis: dict[str, Api]) -> None:
        carried = {name: secret(apis[name], "cacerts") for name in CLUSTERS}
        for found in carried.values():
            assert set(found) == {"ca-cert.pem", "ca-key.pem", "root-cert.pem", "cert-chain.pem"}
            ca, root = (x509.load_pem_x509_certificate(found[k].encode()) for k in ("ca-cert.pem", "root-cert.pem"))
            ca.verify_directly_issued_by(root)
            root.verify_directly_issued_by(root)
            chain = x509.load_pem_x509_certificates(found["cert-chain.pem"].encode())
            assert chain == [ca, root]
            assert "PRIVATE KEY" in found["ca-key.pem"]
        assert carried["cluster1"]["root-cert.pem"] == carried["cluster2"]["root-cert.pem"]
        assert carried["cluster1"]["ca-cert.pem"] != carried["cluster2"]["ca-cert.pem"]
        assert carried["cluster1"]["ca-key.pem"] != carried["cluster2"]["ca-key.pem"]

    def test_the_east_west_gateway_has_its_ports_and_an_address(
        self, apis: dict[str, Api], applied: dict[str, Any]
    ) -> None:
        for name in CLUSTERS:
            service = apis[name].get(f"/api/v1/namespaces/{NAMESPACE}/services/istio-eastwestgateway")
            assert [port["port"] for port in service["spec"]["ports"]] == [15021, 15443, 15012, 15017]
            address = service["status"]["loadBalancer"]["ingress"][0]["ip"]
            assert applied["outputs"]["gateways"][name] == address
            gateway = apis[name].get(
                f"/apis/networking.istio.io/v1/namespaces/{NAMESPACE}/gateways/cross-network-gateway"
            )
            assert gateway["spec"]["servers"][0]["tls"]["mode"] == "AUTO_PASSTHROUGH"

    def test_one_remote_secret_per_peer(self, apis: dict[str, Api]) -> None:
        for name in CLUSTERS:
            query = f"/api/v1/namespaces/{NAMESPACE}/secrets?labelSelector=istio%2FmultiCluster%3Dtrue"
            assert [s["metadata"]["name"] for s in apis[name].get(query)["items"]] == [
                f"istio-remote-secret-{PEER[name]}"
            ]

    def test_the_kubeconfig_in_it_reads_the_peer_and_writes_nothing(self, lab: RealLab, apis: dict[str, Api]) -> None:
        for name in CLUSTERS:
            contents = secret(apis[name], f"istio-remote-secret-{PEER[name]}")
            assert list(contents) == [PEER[name]]
            as_istiod = client_of(contents[PEER[name]])
            core, discovery = client.CoreV1Api(as_istiod), client.DiscoveryV1Api(as_istiod)
            services = core.list_namespaced_service(NAMESPACE).to_dict()["items"]
            assert "istio-eastwestgateway" in {item["metadata"]["name"] for item in services}
            assert core.list_pod_for_all_namespaces().items
            assert core.list_node().items
            assert discovery.list_endpoint_slice_for_all_namespaces().items
            server = Api(lab.kubeconfig(PEER[name]))
            assert {n["metadata"]["uid"] for n in server.get("/api/v1/nodes")["items"]} == {
                item["metadata"]["uid"] for item in core.list_node().to_dict()["items"]
            }
            for refused in (
                partial(core.delete_namespaced_service, "istio-eastwestgateway", NAMESPACE),
                partial(core.create_namespace, {"metadata": {"name": "written-by-a-peer"}}),
                partial(core.patch_namespaced_secret, "cacerts", NAMESPACE, {"data": {"x": "eA=="}}),
            ):
                with pytest.raises(client.ApiException, match="forbidden"):
                    refused()


class TestPreview:
    """What a reviewer reads is what happens."""

    def test_the_first_preview_shows_every_resource_with_cluster_and_parent(
        self, first_preview: list[dict[str, Any]], applied: dict[str, Any]
    ) -> None:
        def shape(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
            return sorted((r["urn"], r["type"], r["parent"], r["cluster"]) for r in rows)

        assert shape(first_preview) == shape(applied["resources"])
        urns = {row["urn"] for row in first_preview}
        for row in first_preview:
            assert row["parent"] in urns or row["type"] == "pulumi:pulumi:Stack"
            assert bool(row["cluster"]) == ("kubernetes" in row["type"])
        assert len([row for row in first_preview if row["cluster"] == "cluster1"]) == len(
            [row for row in first_preview if row["cluster"] == "cluster2"]
        )

    def test_nothing_to_do_after_up(self, project: Project, apis: dict[str, Api]) -> None:
        assert apis
        assert project.changes() == []
        assert re.search(r"^0 changes", project.done("preview"), re.MULTILINE)
        assert json.loads(project.done("up", "--yes", "--json"))["resources"]

    def test_one_changed_annotation_is_one_field(self, project: Project, apis: dict[str, Api]) -> None:
        before = project.document
        document = project.document
        document["clusters"][0]["eastWest"] = {"annotations": {"example.com/owner": "platform"}}
        project.write(document)
        (row,) = project.changes()
        assert (row["op"], row["cluster"]) == ("update", "cluster1")
        assert [(f["path"], f["old"], f["new"]) for f in row["fields"]] == [
            ("metadata.annotations", None, {"example.com/owner": "platform"})
        ]
        project.done("up", "--yes")
        service = apis["cluster1"].get(f"/api/v1/namespaces/{NAMESPACE}/services/istio-eastwestgateway")
        assert service["metadata"]["annotations"]["example.com/owner"] == "platform"
        project.write(before)
        project.done("up", "--yes")
        service = apis["cluster1"].get(f"/api/v1/namespaces/{NAMESPACE}/services/istio-eastwestgateway")
        assert "example.com/owner" not in service["metadata"].get("annotations", {})
        assert project.changes() == []


class TestDrift:
    """What someone changed by hand is seen field by field, and put right by `up`."""

    def test_a_changed_label_comes_back(self, project: Project, lab: RealLab, apis: dict[str, Api]) -> None:
        core = client.CoreV1Api(lab.client("cluster2"))
        wrong = {"metadata": {"labels": {"topology.istio.io/network": "elsewhere"}}}
        core.patch_namespace(NAMESPACE, wrong)
        (row,) = project.changes()
        (field,) = row["fields"]
        assert field["path"] == 'metadata.labels["topology.istio.io/network"]'
        assert (field["old"], field["new"]) == ("elsewhere", "network2")
        # Another manager's field is taken over, and never without saying so.
        assert "taken over from" in field["note"]
        project.done("up", "--yes")
        labels = apis["cluster2"].get(f"/api/v1/namespaces/{NAMESPACE}")["metadata"]["labels"]
        assert labels["topology.istio.io/network"] == "network2"
        assert project.changes() == []

    def test_a_deleted_remote_secret_comes_back(self, project: Project, lab: RealLab, apis: dict[str, Api]) -> None:
        before = secret(apis["cluster1"], "istio-remote-secret-cluster2")
        client.CoreV1Api(lab.client("cluster1")).delete_namespaced_secret("istio-remote-secret-cluster2", NAMESPACE)
        assert [(row["op"], row["cluster"]) for row in project.changes()] == [("create", "cluster1")]
        project.done("up", "--yes")
        assert secret(apis["cluster1"], "istio-remote-secret-cluster2") == before


class TestSecrets:
    """No key and no token in clear in anything that leaves the program."""

    def test_none_in_state_outputs_logs_or_json(self, project: Project, lab: RealLab, apis: dict[str, Api]) -> None:
        secrets = {
            "key": secret(apis["cluster1"], "cacerts")["ca-key.pem"].splitlines()[1],
            "token": _token(secret(apis["cluster1"], "istio-remote-secret-cluster2")["cluster2"]),
            "admin": _token(lab.kubeconfig("cluster1").read_text()),
        }
        carried = apis["cluster1"].get(f"/api/v1/namespaces/{NAMESPACE}/secrets/cacerts")["data"]
        # As the API server has it: half a kilobyte of base64, of which a part is enough to know it by.
        secrets["encoded key"] = carried["ca-key.pem"][60:120]
        assert all(len(value) > 20 for value in secrets.values())
        core = client.CoreV1Api(lab.client("cluster1"))
        core.patch_namespaced_secret("istio-remote-secret-cluster2", NAMESPACE, {"data": {"cluster2": "YQ=="}})
        seen = {
            "state": "".join(path.read_text() for path in project.state.parent.iterdir()),
            "preview": _all(project.run("preview")),
            "json": _all(project.run("preview", "--json")),
            "up": _all(project.run("up", "--yes")),
            "up json": _all(project.run("up", "--yes", "--json")),
        }
        assert "[secret]" in seen["preview"]
        for place, text in seen.items():
            assert "PRIVATE KEY" not in text, place
            for what, value in secrets.items():
                assert value not in text, f"{what} in {place}"
        assert project.state.stat().st_mode & 0o777 == 0o600


class TestPicture:
    """`mesh graph` of what is there, and of what would change."""

    def test_all_is_there_until_somebody_deletes_a_remote_secret(self, project: Project, apis: dict[str, Api]) -> None:
        def states() -> dict[str, str]:
            found = json.loads(project.done("graph", "--live", "--format", "json"))["states"]
            return {item.get("cluster") or f"{item['reader']} {item['source']}": item["state"] for item in found}

        there = ["cluster1", "cluster2", "cluster1 cluster2", "cluster2 cluster1"]
        assert states() == dict.fromkeys(there, "there")
        apis["cluster1"].request("DELETE", f"/api/v1/namespaces/{NAMESPACE}/secrets/istio-remote-secret-cluster2")
        assert states() == {**dict.fromkeys(there, "there"), "cluster1 cluster2": "missing"}
        changed = json.loads(project.done("graph", "--preview", "--format", "json"))["states"]
        assert [(item["reader"], item["state"]) for item in changed if item["state"]] == [("cluster1", "create")]
        project.done("up", "--yes")
        assert states() == dict.fromkeys(there, "there")

    def test_no_secret_is_on_the_page(self, project: Project, apis: dict[str, Api]) -> None:
        secrets = [secret(api, name) for api in apis.values() for name in ("cacerts",)]
        tokens = [_token(secret(apis[name], f"istio-remote-secret-{PEER[name]}")[PEER[name]]) for name in CLUSTERS]
        for which in ("--live", "--preview"):
            page = project.done("graph", which, "--format", "html")
            assert "mesh1" in page
            assert "PRIVATE KEY" not in page
            for value in [*tokens, *(text for found in secrets for text in found.values())]:
                assert value not in page
                assert json.dumps(value)[1:-1] not in page


class TestRemoval:
    """A cluster that leaves the document takes its own objects and its peers' secrets with it, and nothing else."""

    def test_a_cluster_leaves_and_comes_back(self, project: Project, apis: dict[str, Api]) -> None:
        document = project.document
        before = {name: inventory(api) for name, api in apis.items()}
        # The gateway of the remaining cluster would go too, where one network is left.
        document["clusters"][0]["eastWest"] = {"enabled": True}
        project.write({**document, "clusters": document["clusters"][:1]})
        rows = project.changes()
        assert {row["op"] for row in rows} == {"delete"}
        here = [row["name"] for row in rows if row["cluster"] == "cluster1"]
        assert sorted(here) == ["mesh-cluster1-reader-secret", "mesh-cluster2-to-cluster1-secret"]
        project.done("up", "--yes")
        after = {name: inventory(api) for name, api in apis.items()}
        gone = {
            "secrets/istio-remote-secret-cluster2",
            "secrets/istio-reader-service-account-istio-remote-secret-token",
        }
        assert after["cluster1"] == {key: value for key, value in before["cluster1"].items() if key not in gone}
        assert not [key for key in after["cluster2"] if "eastwest" in key or "secret" in key or "cacerts" in key]
        assert "topology.istio.io/network" not in after["cluster2"]["Namespace"]
        project.write(document)
        project.done("up", "--yes")
        for name, api in apis.items():
            assert inventory(api) == before[name]


def _token(kubeconfig: str) -> str:
    return str(yaml.safe_load(kubeconfig)["users"][0]["user"]["token"])


def _all(result: Any) -> str:
    return f"{result.stdout}{result.stderr}"


def test_destroy_leaves_nothing(project: Project, apis: dict[str, Api], tmp_path: Path) -> None:
    assert tmp_path.is_dir()
    project.done("destroy", "--yes")
    for api in apis.values():
        left = inventory(api)
        assert "topology.istio.io/network" not in left.pop("Namespace")
        # What every namespace has, and what prepared the cluster.
        assert set(left) == {"serviceaccounts/default", "serviceaccounts/istio-reader-service-account"}
    assert {row["op"] for row in project.preview()} == {"create"}
