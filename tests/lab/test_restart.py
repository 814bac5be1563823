"""`mesh restart` on a real API server: a webhook injects the pods, as Istio's does, and real controllers roll them."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import os
import pty
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes import client

from mesh_components.gateways import objects
from meshctl.cli import main
from tests.support.graph import ROOT

pytestmark = pytest.mark.lab

OLD, NEW = "1-30-3", "1-31-0"
REFUSES = "nobody-is-home"
"""A revision whose webhook says no to every pod."""


class Handler(BaseHTTPRequestHandler):
    """`/inject/<revision>`: notes the revision on the pod and adds the proxy, as istiod does; or refuses."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        revision = self.path.partition("?")[0].rpartition("/")[2]
        answer: dict[str, Any] = {"uid": review["request"]["uid"], "allowed": revision != REFUSES}
        if answer["allowed"]:
            patch = base64.b64encode(json.dumps(injected(review["request"]["object"], revision)).encode()).decode()
            answer |= {"patchType": "JSONPatch", "patch": patch}
        else:
            answer["status"] = {"message": "the injector is not well"}
        body = json.dumps({**review, "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def injected(pod: dict[str, Any], revision: str) -> list[dict[str, Any]]:
    """The patch: a gateway brings the container itself, with the image `auto`."""
    status = json.dumps({"containers": ["istio-proxy"], "revision": revision})
    annotations = {**pod["metadata"].get("annotations", {}), "sidecar.istio.io/status": status}
    proxy = {"name": "istio-proxy", "image": f"registry.istio.io/release/proxyv2:{revision.replace('-', '.')}"}
    brought = [index for index, item in enumerate(pod["spec"]["containers"]) if item["name"] == "istio-proxy"]
    where = [f"{index}/image" for index in brought] or ["-"]
    return [
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
        {"op": "add", "path": f"/spec/containers/{where[0]}", "value": proxy["image"] if brought else proxy},
    ]


@pytest.fixture(scope="module")
def injector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and CA bundle of the webhook."""
    folder = tmp_path_factory.mktemp("injector")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "injector")])
    now = datetime.datetime.now(datetime.UTC)
    local = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([local]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "both.pem").write_bytes(pem + private)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/inject", base64.b64encode(pem).decode()
    server.shutdown()


@dataclass
class Mesh:
    """A namespace that follows the tag `prod`, the tag's webhook, and the document that says where it points."""

    namespace: str
    project: Path
    lab: Any
    injector: tuple[str, str]

    def __post_init__(self) -> None:
        api = self.lab.client("cluster1")
        self.core, self.apps = client.CoreV1Api(api), client.AppsV1Api(api)
        self.admission = client.AdmissionregistrationV1Api(api)
        labels = {"istio.io/rev": "prod", "test": self.namespace}
        expressions = [{"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]}]
        self.selects = {
            "name": "rev.namespace.sidecar-injector.istio.io",
            "namespaceSelector": {"matchLabels": labels},
            "objectSelector": {"matchExpressions": expressions},
        }
        self.core.patch_namespace(self.namespace, {"metadata": {"labels": labels}})
        (self.project / "Pulumi.yaml").write_text("name: mesh\nruntime: python\n")
        (self.project / "__main__.py").write_text("raise SystemExit('not run')\n")
        self.admission.create_mutating_webhook_configuration(self._webhook(OLD))
        self.points_at(OLD)

    def _webhook(self, revision: str) -> dict[str, Any]:
        address, bundle = self.injector
        return {
            "metadata": {"name": f"tag-prod-{self.namespace}"},
            "webhooks": [
                {
                    **self.selects,
                    "clientConfig": {"url": f"{address}/{revision}", "caBundle": bundle},
                    "rules": [
                        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
                    ],
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "None",
                    "failurePolicy": "Fail",
                }
            ],
        }

    def points_at(self, revision: str, *, cluster: bool = True) -> None:
        """Let the tag point at a revision: in the document, and in the cluster unless that is to lag behind."""
        if cluster:
            self.admission.patch_mutating_webhook_configuration(f"tag-prod-{self.namespace}", self._webhook(revision))
        names = (OLD, NEW, REFUSES)
        document = {
            "id": "mesh1",
            "istio": {
                "version": "1.31.0",
                "revision": OLD,
                "revisions": [{"name": name, "version": name.replace("-", ".")} for name in names[:2]]
                + [{"name": REFUSES}],
                "tags": {"prod": revision},
            },
            "clusters": [
                {"name": name, "network": name, "kubeconfig": {"file": str(self.lab.kubeconfig(name))}}
                for name in ("cluster1", "cluster2")
            ],
        }
        (self.project / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {"mesh:mesh": document}}))

    def runs(self, kind: str, name: str, **spec: Any) -> None:
        """Make a workload; wait with `has`."""
        labels = {"app": name}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
        body = {
            "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
        }
        getattr(self.apps, f"create_namespaced_{kind}")(self.namespace, body)

    def proxies(self, name: str) -> list[str]:
        """Revisions of the running pods of a workload."""
        pods = self.core.list_namespaced_pod(self.namespace, label_selector=f"app={name}").items
        running = [p for p in pods if p.metadata.deletion_timestamp is None and p.status.phase == "Running"]
        notes = (pod.metadata.annotations["sidecar.istio.io/status"] for pod in running)
        return sorted(json.loads(note)["revision"] for note in notes)

    def words(self, *arguments: str) -> list[str]:
        return ["restart", "--stack", "dev", "--cwd", str(self.project), "--namespace", self.namespace, *arguments]

    def restart(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, self.words(*arguments))

    def answered(self, answer: str) -> tuple[int, str]:
        """The exit code, and what is printed, when a person at a terminal is asked and answers."""
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "meshctl.cli", *self.words()]
        with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            printed = b""
            while True:
                try:
                    printed += os.read(ours, 4096)
                except OSError:  # the other end is closed: that is how a terminal ends
                    break
                if printed.rstrip().endswith(b"Restart them? [y/N]:"):
                    os.write(ours, f"{answer}\n".encode())
        os.close(ours)
        return process.returncode, printed.decode()

    def serves(self, name: str, revision: str) -> None:
        """A gateway of ours in a namespace that asks for no proxy: its own pods name who injects them."""
        labels = {"istio.io/rev": None, "test": self.namespace}
        self.core.patch_namespace(self.namespace, {"metadata": {"labels": labels}})
        self.selects = {
            "name": "rev.object.sidecar-injector.istio.io",
            "namespaceSelector": {"matchLabels": {"test": self.namespace}},
            "objectSelector": {"matchLabels": {"istio.io/rev": revision}},
        }
        self.admission.delete_mutating_webhook_configuration(f"tag-prod-{self.namespace}")
        self.admission.create_mutating_webhook_configuration(self._webhook(OLD))
        proxy = objects.Proxy(name, self.namespace, objects.EAST_WEST_PORTS, revision=revision)
        self.core.create_namespaced_service_account(self.namespace, objects.account(proxy))
        self.apps.create_namespaced_deployment(self.namespace, objects.deployment(proxy))


@pytest.fixture
def mesh(lab: Any, fresh_namespace: str, tmp_path: Path, injector: tuple[str, str]) -> Iterator[Mesh]:
    made = Mesh(fresh_namespace, tmp_path, lab, injector)
    yield made
    made.admission.delete_mutating_webhook_configuration(f"tag-prod-{fresh_namespace}")


class TestTheTagMoved:
    """Every kind of workload follows, once, rolling; what runs the new proxy is left in peace."""

    def test_all_kinds_follow(self, mesh: Mesh, eventually: Any) -> None:
        mesh.runs("deployment", "web", replicas=2)
        mesh.runs("stateful_set", "db", replicas=2, serviceName="db")
        mesh.runs("daemon_set", "agent")
        before = {"web": [OLD, OLD], "db": [OLD, OLD], "agent": [OLD]}
        eventually(lambda: {name: mesh.proxies(name) for name in before} == before)
        nothing = mesh.restart("--yes")
        assert nothing.exit_code == 0, nothing.output
        assert "nothing to restart: 5 pods have a proxy" in nothing.stdout
        assert nothing.stdout.endswith("0 to restart\n")

        mesh.points_at(NEW)
        looked = mesh.restart("--dry-run")
        assert looked.exit_code == 0
        assert f"~ Deployment  {mesh.namespace}/web  2 pods: {OLD} (1.30.3) -> {NEW} (1.31.0)" in looked.stdout
        assert looked.stdout.endswith("3 to restart\n")
        assert {name: mesh.proxies(name) for name in before} == before, "a look restarts nothing"
        assert "add --yes" in mesh.restart().stderr

        done = mesh.restart("--yes")
        assert done.exit_code == 0, done.output
        assert done.stdout.endswith("3 restarted\n")
        assert {name: mesh.proxies(name) for name in before} == {"web": [NEW] * 2, "db": [NEW] * 2, "agent": [NEW]}
        web = mesh.apps.read_namespaced_deployment("web", mesh.namespace)
        assert "kubectl.kubernetes.io/restartedAt" in web.spec.template.metadata.annotations
        assert "mesh-restart" in {item.manager for item in web.metadata.managed_fields}
        again = json.loads(mesh.restart("--yes", "--json").stdout)
        assert again == {"old": [], "left": [], "restarted": [], "failed": [], "notBegun": []}
        assert (
            mesh.apps.read_namespaced_deployment("web", mesh.namespace).metadata.generation == web.metadata.generation
        )

    def test_back_again(self, mesh: Mesh, eventually: Any) -> None:
        mesh.points_at(NEW)
        mesh.runs("deployment", "web")
        eventually(lambda: mesh.proxies("web") == [NEW])
        mesh.points_at(OLD)
        assert mesh.restart("--yes", "--cluster", "cluster1").stdout.endswith("1 restarted\n")
        assert mesh.proxies("web") == [OLD]


class TestGateways:
    """A gateway has a proxy and nothing else, and is named by its own labels where its namespace has none."""

    def test_it_follows_the_tag_that_injects_it(self, mesh: Mesh, eventually: Any) -> None:
        mesh.serves("istio-eastwestgateway", "prod")
        eventually(lambda: mesh.proxies("istio-eastwestgateway") == [OLD])
        mesh.points_at(NEW)
        done = mesh.restart("--yes")
        assert f"{mesh.namespace}/istio-eastwestgateway  1 pod: {OLD} (1.30.3) -> {NEW} (1.31.0)" in done.stdout
        assert done.stdout.endswith("1 restarted\n"), done.output
        assert mesh.proxies("istio-eastwestgateway") == [NEW]

    def test_one_that_names_a_revision_stays_with_it(self, mesh: Mesh, eventually: Any) -> None:
        mesh.serves("istio-eastwestgateway", OLD)
        eventually(lambda: mesh.proxies("istio-eastwestgateway") == [OLD])
        mesh.points_at(NEW, cluster=False)
        assert "nothing to restart" in mesh.restart("--yes").stdout


class TestQuestion:
    """Nothing restarts silently: a person at a terminal sees what it is about, and is asked."""

    def test_no_and_yes(self, mesh: Mesh, eventually: Any) -> None:
        mesh.runs("deployment", "web")
        eventually(lambda: mesh.proxies("web") == [OLD])
        mesh.points_at(NEW)
        code, printed = mesh.answered("n")
        assert (code, mesh.proxies("web")) == (1, [OLD])
        assert printed.index("1 to restart") < printed.index("Restart them?")
        assert "nothing was changed, as you did not agree" in printed
        code, printed = mesh.answered("y")
        assert (code, mesh.proxies("web")) == (0, [NEW])
        assert "1 restarted" in printed


class TestCtrlC:
    """What rolls goes on by itself; nothing new begins, and both are told."""

    def test_what_runs_and_what_was_not_begun_are_told(self, mesh: Mesh, eventually: Any) -> None:
        mesh.runs("deployment", "a")
        mesh.runs("deployment", "b")
        eventually(lambda: mesh.proxies("a") == mesh.proxies("b") == [OLD])
        mesh.points_at(REFUSES)  # so that the first does not come to its end
        command = [sys.executable, "-m", "meshctl.cli", *mesh.words("--yes")]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as process:
            eventually(lambda: restarted(mesh, "a"))
            process.send_signal(signal.SIGINT)
            said, failed = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "a (Deployment): interrupted; the rollout goes on" in failed
        assert said.endswith("0 restarted, 1 failed, 1 not begun\n")
        assert not restarted(mesh, "b")
        assert mesh.proxies("a") == mesh.proxies("b") == [OLD]


def restarted(mesh: Mesh, name: str) -> bool:
    """Whether a workload has been asked to restart."""
    annotations = mesh.apps.read_namespaced_deployment(name, mesh.namespace).spec.template.metadata.annotations
    return "kubectl.kubernetes.io/restartedAt" in (annotations or {})


class TestFailures:
    """A restart that does not bring what it should ends in time, says so, and the rest is not begun."""

    def test_a_rollout_that_cannot_finish(self, mesh: Mesh, eventually: Any) -> None:
        mesh.runs("deployment", "a")
        mesh.runs("deployment", "b")
        eventually(lambda: mesh.proxies("a") == mesh.proxies("b") == [OLD])
        mesh.points_at(REFUSES)
        result = mesh.restart("--yes", "--timeout", "2")
        assert result.exit_code == 1
        assert "a (Deployment): not ready after 2 s" in result.stderr
        assert "the injector is not well" in result.stderr
        assert result.stdout.endswith("0 restarted, 1 failed, 1 not begun\n")
        assert mesh.proxies("a") == mesh.proxies("b") == [OLD], "the old pod serves until a new one can"
        mesh.points_at(NEW)
        assert mesh.restart("--yes").stdout.endswith("2 restarted\n")
        assert mesh.proxies("a") == mesh.proxies("b") == [NEW]

    def test_a_cluster_that_was_not_told(self, mesh: Mesh, eventually: Any) -> None:
        mesh.runs("deployment", "a")
        mesh.runs("deployment", "b")
        eventually(lambda: mesh.proxies("a") == mesh.proxies("b") == [OLD])
        mesh.points_at(NEW, cluster=False)
        result = mesh.restart("--yes")
        assert result.exit_code == 1
        assert f"its new pods still get the proxy of {OLD} (1.30.3) and not of {NEW}" in result.stderr
        assert result.stdout.endswith("0 restarted, 1 failed, 1 not begun\n")
        assert mesh.restart("--yes", "--keep-going").stdout.endswith("0 restarted, 2 failed\n")


class TestLeftAlone:
    """What a restart would not bring back, or not bring forward, is named and not touched."""

    def test_what_does_not_roll(self, mesh: Mesh, eventually: Any) -> None:
        mesh.runs("deployment", "paused", paused=False)
        mesh.runs("daemon_set", "by-hand", updateStrategy={"type": "OnDelete"})
        pod = {"metadata": {"name": "bare", "labels": {"app": "bare"}}}
        mesh.core.create_namespaced_pod(
            mesh.namespace, {**pod, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
        )
        eventually(lambda: all(mesh.proxies(name) == [OLD] for name in ("paused", "by-hand", "bare")))
        mesh.apps.patch_namespaced_deployment("paused", mesh.namespace, {"spec": {"paused": True}})
        mesh.points_at(NEW)
        found = json.loads(mesh.restart("--dry-run", "--json").stdout)
        assert found["old"] == []
        assert {item["name"]: item["why"].partition(";")[0].partition(",")[0] for item in found["left"]} == {
            "bare": "nothing owns this pod",
            "by-hand": "its updateStrategy is OnDelete",
            "paused": "its rollout is paused",
        }
        result = mesh.restart("--yes")
        assert result.exit_code == 0
        assert result.stdout.count("left alone: ") == 3
        assert "nothing to restart: 3 pods have a proxy, those left alone among them" in result.stdout

    def test_who_would_come_back_without_a_proxy(self, mesh: Mesh, eventually: Any) -> None:
        mesh.runs("deployment", "web")
        eventually(lambda: mesh.proxies("web") == [OLD])
        mesh.core.patch_namespace(mesh.namespace, {"metadata": {"labels": {"istio.io/rev": "nobody"}}})
        result = mesh.restart("--yes")
        assert "restarted, it would have no proxy: namespace" in result.stdout
        assert "istio.io/rev=nobody, which is neither a revision nor a tag of this cluster" in result.stdout
        assert mesh.proxies("web") == [OLD]
