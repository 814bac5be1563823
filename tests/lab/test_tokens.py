"""Tokens over time, on real API servers: renewed, replaced, withdrawn, lost; and the remote secret is never absent."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes import client

from meshctl.lab.api import Api
from tests.lab.conftest import Eventually, RealLab
from tests.support.authorities import key_pem
from tests.support.objects import NAMESPACE, client_of, secret
from tests.support.project import Project

pytestmark = pytest.mark.lab
ACCOUNT = "istio-reader-service-account"
REMOTE = f"/api/v1/namespaces/{NAMESPACE}/secrets/istio-remote-secret-cluster2"


class Mesh:
    """The mesh of the stack `local`, with what a test asks of its tokens. cluster1 reads cluster2."""

    def __init__(self, project: Project, lab: RealLab, eventually: Eventually) -> None:
        self.project = project
        self.eventually = eventually
        self.reader, self.source = Api(lab.kubeconfig("cluster1")), Api(lab.kubeconfig("cluster2"))
        self.core = client.CoreV1Api(lab.client("cluster2"))
        self.said: list[str] = []
        self.handed: list[str] = []
        """Every kubeconfig that was handed out."""

    def up(self, account: str = "chart", **tokens: Any) -> None:
        document = self.project.document
        self.project.write({**document, "discovery": {"account": account, "tokens": tokens}})
        result = self.project.run("up", "--yes")
        assert result.returncode == 0, result.stdout + result.stderr
        self.said += [result.stdout, result.stderr]
        self.handed.append(self.kubeconfig())

    def authenticate(self, user: str, certificate: str, key: str) -> None:
        """Let cluster1 read cluster2 with that certificate, as `user`."""
        places = {"certificate": {"file": "reader.pem"}, "key": {"file": "reader.key"}}
        (self.project.folder / "reader.pem").write_text(certificate)
        (self.project.folder / "reader.key").write_text(key)
        first, second = self.project.document["clusters"]
        second = {**second, "peerAuthentication": {"user": user, "clientCertificate": places}}
        self.project.write({**self.project.document, "clusters": [first, second]})

    def with_tokens(self) -> None:
        """Back to tokens."""
        clusters = [
            {k: v for k, v in item.items() if k != "peerAuthentication"} for item in self.project.document["clusters"]
        ]
        self.project.write({**self.project.document, "clusters": clusters})

    def signed(self, user: str) -> tuple[str, str]:
        """A client's certificate and its key, signed by the cluster on request, as docs/discovery.md has it."""
        private = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user)])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(private, hashes.SHA256())
        certificates = client.CertificatesV1Api(self.core.api_client)
        spec = {
            "request": base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        }
        made = certificates.create_certificate_signing_request({"metadata": {"generateName": "reader-"}, "spec": spec})
        made.status.conditions = [{"type": "Approved", "status": "True", "reason": "Test", "message": "by a test"}]
        certificates.replace_certificate_signing_request_approval(made.metadata.name, made)

        def certificate() -> str | None:
            found = certificates.read_certificate_signing_request(made.metadata.name).status.certificate
            return base64.b64decode(found).decode() if found else None

        return self.eventually(certificate), key_pem(private)

    def kubeconfig(self) -> str:
        return secret(self.reader, "istio-remote-secret-cluster2")["cluster2"]

    def seen(self, version: str) -> list[tuple[str, str]]:
        """What a watcher of the reader's remote secret has seen since, as an istiod is one."""
        path = f"/api/v1/namespaces/{NAMESPACE}/secrets?watch=true&resourceVersion={version}&timeoutSeconds=1"
        lines = self.reader.request("GET", path).decode().splitlines()
        events = [json.loads(line) for line in lines]
        return [
            (event["type"], event["object"]["data"]["cluster2"])
            for event in events
            if event["object"]["metadata"].get("name") == "istio-remote-secret-cluster2"
        ]

    def version(self) -> str:
        return str(self.reader.get(REMOTE)["metadata"]["resourceVersion"])

    def changes(self) -> dict[str, str]:
        return {row["name"]: row["op"] for row in self.project.changes()}


@pytest.fixture(scope="module")
def mesh(lab: RealLab, eventually: Eventually, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    project = Project(tmp_path_factory.mktemp("tokens"), lab.dir)
    yield Mesh(project, lab, eventually)
    project.done("destroy", "--yes")


def works(kubeconfig: str) -> bool:
    """Whether an istiod with this kubeconfig, used as it is, could read the cluster."""
    try:
        return bool(client.CoreV1Api(client_of(kubeconfig)).list_node().items)
    except client.ApiException as error:
        if error.status == 401:
            return False
        raise


def fails(kubeconfig: str) -> bool:
    return not works(kubeconfig)


@pytest.mark.parametrize("kind", ["long-lived", "requested"])
def test_replaced_with_an_overlap_and_then_withdrawn(mesh: Mesh, eventually: Eventually, kind: str) -> None:
    mesh.up(kind=kind)
    assert mesh.changes() == {}
    old, version = mesh.kubeconfig(), mesh.version()

    mesh.up(kind=kind, serials={"cluster2": 2}, keepPrevious=True)
    new = mesh.kubeconfig()
    assert new != old
    assert (works(old), works(new)) == (True, True)

    mesh.up(kind=kind, serials={"cluster2": 2})
    # An API server goes on to accept for ten seconds what it has just accepted.
    eventually(partial(fails, old), seconds=30)
    assert works(new)
    assert mesh.seen(version) == [("MODIFIED", mesh.reader.get(REMOTE)["data"]["cluster2"])]
    assert mesh.changes() == {}


def test_renewed_in_place_while_the_old_one_stays_valid(mesh: Mesh) -> None:
    mesh.up(kind="requested", lifetimeHours=48, renewBeforeHours=12)
    old, version = mesh.kubeconfig(), mesh.version()
    mesh.up(kind="requested", lifetimeHours=72, renewBeforeHours=12)
    assert mesh.kubeconfig() != old
    assert (works(old), works(mesh.kubeconfig())) == (True, True)
    assert [kind for kind, _ in mesh.seen(version)] == ["MODIFIED"]


def test_of_one_switch_to_the_other_nobody_sees_a_gap(mesh: Mesh, eventually: Eventually) -> None:
    mesh.up(kind="long-lived")
    old, version = mesh.kubeconfig(), mesh.version()
    mesh.up(kind="requested")
    assert works(mesh.kubeconfig())
    eventually(partial(fails, old), seconds=30)
    assert [kind for kind, _ in mesh.seen(version)] == ["MODIFIED"]


def test_an_account_of_our_own_reads_and_of_the_secrets_it_writes_none(mesh: Mesh, eventually: Eventually) -> None:
    mesh.up(kind="long-lived")
    old, version = mesh.kubeconfig(), mesh.version()
    mesh.up(kind="requested", account="own")
    reader = client_of(mesh.kubeconfig())
    assert works(mesh.kubeconfig())
    assert client.CoreV1Api(reader).list_secret_for_all_namespaces(limit=1).items
    assert client.DiscoveryV1Api(reader).list_endpoint_slice_for_all_namespaces(limit=1).items
    with pytest.raises(client.ApiException, match="403"):
        client.CoreV1Api(reader).list_replication_controller_for_all_namespaces()
    with pytest.raises(client.ApiException, match="403"):
        client.CustomObjectsApi(reader).list_cluster_custom_object("networking.istio.io", "v1", "virtualservices")
    eventually(partial(fails, old), seconds=30)
    assert [kind for kind, _ in mesh.seen(version)] == ["MODIFIED"]


def test_with_a_client_certificate_that_the_cluster_signed(mesh: Mesh, eventually: Eventually) -> None:
    mesh.up(kind="long-lived")
    old, version = mesh.kubeconfig(), mesh.version()
    mesh.authenticate("mesh-reader", *mesh.signed("mesh-reader"))
    mesh.up()
    first = mesh.kubeconfig()
    assert works(first)
    reader = client_of(first)
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    review = client.AuthenticationV1Api(reader).create_self_subject_review(body)
    assert review.status.user_info.username == "mesh-reader"
    assert client.CoreV1Api(reader).list_secret_for_all_namespaces(limit=1).items
    with pytest.raises(client.ApiException, match="403"):
        client.CoreV1Api(reader).delete_namespaced_secret("none", NAMESPACE)
    assert mesh.changes() == {}
    eventually(partial(fails, old), seconds=30)

    mesh.authenticate("mesh-reader", *mesh.signed("mesh-reader"))
    assert mesh.changes() == {"mesh-cluster2-to-cluster1-secret": "update"}
    mesh.up()
    assert mesh.kubeconfig() != first
    assert works(mesh.kubeconfig())

    mesh.with_tokens()
    mesh.up(kind="long-lived")
    assert {kind for kind, _ in mesh.seen(version)} == {"MODIFIED"}
    with pytest.raises(client.ApiException, match="403"):
        works(first)


class TestLost:
    """What somebody took away shows at the next preview, and `up` puts it right."""

    def test_the_secret_a_requested_token_is_bound_to(self, mesh: Mesh, eventually: Eventually) -> None:
        mesh.up(kind="requested")
        old = mesh.kubeconfig()
        mesh.core.delete_namespaced_secret(f"{ACCOUNT}-requested-token", NAMESPACE)
        eventually(partial(fails, old), seconds=30)
        found = mesh.changes()
        assert found["mesh-cluster2-reader-binding"] == "create"
        assert found["mesh-cluster2-reader-request"] == "update"
        assert found["mesh-cluster2-to-cluster1-secret"] == "update"
        mesh.up(kind="requested")
        assert works(mesh.kubeconfig())
        assert mesh.changes() == {}

    @pytest.mark.parametrize("kind", ["long-lived", "requested"])
    def test_the_account(self, mesh: Mesh, eventually: Eventually, kind: str) -> None:
        mesh.up(kind=kind)
        old = mesh.kubeconfig()
        account = mesh.core.read_namespaced_service_account(ACCOUNT, NAMESPACE)
        mesh.core.delete_namespaced_service_account(ACCOUNT, NAMESPACE)
        mesh.core.create_namespaced_service_account(
            NAMESPACE, {"metadata": {"name": ACCOUNT, "labels": account.metadata.labels}}
        )
        eventually(partial(fails, old), seconds=60)
        eventually(lambda: mesh.changes() != {})
        assert "mesh-cluster2-to-cluster1-secret" in mesh.changes()
        mesh.up(kind=kind)
        assert works(mesh.kubeconfig())
        assert mesh.changes() == {}


def test_no_token_was_said_or_kept_in_clear(mesh: Mesh) -> None:
    """Runs last: over all that was handed out above."""
    users = [yaml.safe_load(text)["users"][0]["user"] for text in mesh.handed]
    tokens = [user.get("token") or user["client-key-data"] for user in users]
    assert len(set(tokens)) > 5
    shown = "\n".join([*mesh.said, mesh.project.done("preview", "--json"), mesh.project.state.read_text()])
    assert not [token for token in tokens if token in shown]
