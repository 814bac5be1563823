"""Virtual machines on real API servers: their objects are accepted, by Istio's own CRDs where those are at hand, and
the bundle has a token that opens what it is for, as long as it is asked to, and nothing else."""

from __future__ import annotations

import base64
import json
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from mesh_components.settings import parse
from mesh_components.topology.machine_bundle import FILES, Access, bundle
from meshctl.lab.api import Api, ApiError
from meshctl.lab.pretend import ADDRESS_ANNOTATION
from tests.lab.conftest import RealLab
from tests.support.objects import client_of, secret
from tests.support.project import Project

pytestmark = pytest.mark.lab

NETWORKING = "/apis/networking.istio.io/v1/namespaces/accounting"
LEDGER = {
    "name": "ledger",
    "namespace": "accounting",
    "cluster": "cluster1",
    "ports": [{"number": 80, "name": "http", "protocol": "HTTP", "targetPort": 8080}],
    "probe": {"httpGet": {"port": 8080, "path": "/health"}, "periodSeconds": 10},
    "tokenLifetimeMinutes": 30,
}
ARCHIVE = {
    "name": "archive",
    "namespace": "accounting",
    "cluster": "cluster2",
    "network": "machine-room",
    "labels": {"version": "v1"},
    "locality": {"region": "europe-west3", "zone": "rack1"},
    "autoRegistration": False,
    "addresses": ["192.0.2.31", "2001:db8::31"],
    "ports": [{"number": 5432, "name": "tcp-postgres"}],
    "probe": {"grpc": {"port": 9, "service": "archive"}},
}


@pytest.fixture
def project(crd_lab: RealLab, tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path / "project", crd_lab.dir, stack="virtual-machines")
    yield project
    project.done("destroy", "--yes")


def document(*machines: dict[str, Any], second: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    return {
        "id": "mesh1",
        "istio": {"install": "none"},
        "trust": {"protectRoot": False},
        "virtualMachines": list(machines),
        "clusters": [
            {
                "name": name,
                "network": f"network-of-{name}",
                "platform": "lab",
                "kubeconfig": {"file": f".lab/clusters/{name}/kubeconfig"},
                "eastWest": {"annotations": {ADDRESS_ANNOTATION: f"198.51.100.{number}"}},
                **(second or {} if number == 2 else {}),
            }
            for number, name in enumerate(("cluster1", "cluster2"), 1)
        ],
        **top,
    }


def applied(project: Project, wanted: dict[str, Any]) -> None:
    project.write(wanted)
    project.done("up", "--yes", "--skip-preview")
    assert project.changes() == []


def bundled(project: Project, name: str, out: Path) -> tuple[dict[str, Any], str]:
    """What the command says, and the token, which it must not say."""
    result = project.run("vm", "bundle", name, "--out", str(out), "--json")
    assert result.returncode == 0, result.stderr
    token = (out / "istio-token").read_text()
    for said in (result.stdout, result.stderr, project.state.read_text()):
        assert token not in said
        assert token.split(".")[2] not in said
    said_json: dict[str, Any] = json.loads(result.stdout)
    return said_json, token


def review(api: client.ApiClient, token: str, *audiences: str) -> client.V1TokenReviewStatus:
    """Whose token it is, as istiod asks."""
    spec = client.V1TokenReviewSpec(token=token, audiences=list(audiences) or None)
    asked = client.V1TokenReview(spec=spec)
    return client.AuthenticationV1Api(api).create_token_review(asked).status


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def absent(api: Api, path: str) -> bool:
    try:
        api.get(path)
    except ApiError as error:
        return error.status == 404
    return False


def test_two_primaries(project: Project, crd_lab: RealLab, tmp_path: Path) -> None:
    wanted = document(LEDGER, ARCHIVE)
    applied(project, wanted)
    first, second = (Api(crd_lab.kubeconfig(name)) for name in ("cluster1", "cluster2"))
    group = first.get(f"{NETWORKING}/workloadgroups/ledger")["spec"]
    assert group["template"] == {
        "serviceAccount": "ledger",
        "network": "network-of-cluster1",
        "ports": {"http": 8080},
    }
    assert group["probe"] == LEDGER["probe"]
    assert absent(second, f"{NETWORKING}/workloadgroups/ledger")
    entries = second.get(f"{NETWORKING}/workloadentries")["items"]
    assert {item["metadata"]["name"] for item in entries} == {"archive-192.0.2.31", "archive-2001-db8--31"}
    assert {item["spec"]["locality"] for item in entries} == {"europe-west3/rack1"}
    for api in (first, second):
        services = api.get(f"{NETWORKING}/serviceentries")["items"]
        assert {item["metadata"]["name"] for item in services} == {"ledger", "archive"}

    out = tmp_path / "bundles" / "ledger"
    said, token = bundled(project, "ledger", out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {item.name: stat.S_IMODE(item.stat().st_mode) for item in out.iterdir()} == dict.fromkeys(FILES, 0o600)
    root = (out / "root-cert.pem").read_text()
    assert root.startswith("-----BEGIN CERTIFICATE-----")
    mesh = parse(wanted)
    expected = bundle(mesh, mesh.virtual_machines[0], Access("198.51.100.1", root, token))
    assert {item.name: item.read_text() for item in out.iterdir()} == expected
    assert (out / "hosts").read_text() == "198.51.100.1 istiod.istio-system.svc\n"

    administrator = crd_lab.client("cluster1")
    status = review(administrator, token, "istio-ca")
    assert (status.authenticated, status.user.username, status.audiences) == (
        True,
        "system:serviceaccount:accounting:ledger",
        ["istio-ca"],
    )
    assert not review(administrator, token).authenticated, "the API server itself does not take it"
    life = claims(token)
    assert life["exp"] - life["iat"] == 30 * 60
    assert said["tokenEnds"] == rfc3339(life["exp"])

    again, other = bundled(project, "ledger", out)
    assert other != token, "a bundle is replaced as a whole"
    assert again["files"] == list(FILES)
    lines = project.done("vm", "bundle", "ledger", "--out", str(out)).splitlines()
    assert lines[:3] == [
        f"{out}: {', '.join(FILES)}",
        "  machine  accounting/ledger of cluster1, in network network-of-cluster1",
        "  istiod   istiod.istio-system.svc:15012 at 198.51.100.1",
    ]
    assert re.fullmatch(r"  token    of accounting/ledger, ends 2\d{3}-[-\dT:]+Z: start the proxy before", lines[3])
    other = (out / "istio-token").read_text()
    (out / "notes.txt").write_text("mine")
    refused = project.run("vm", "bundle", "ledger", "--out", str(out))
    assert refused.returncode == 1
    assert "holds notes.txt" in refused.stderr
    assert (out / "istio-token").read_text() == other

    project.done("destroy", "--yes")
    for api in (first, second):
        assert absent(api, "/api/v1/namespaces/accounting") or terminating(api)


def terminating(api: Api) -> bool:
    return bool(api.get("/api/v1/namespaces/accounting")["status"]["phase"] == "Terminating")


def test_a_machine_of_a_remote(project: Project, crd_lab: RealLab, tmp_path: Path) -> None:
    """It comes in by the gateway of the primary, with a token of the remote; the primary's istiod asks the remote about
    it, by the very kubeconfig in its remote secret."""
    machine = {**LEDGER, "namespace": "accounting-2", "cluster": "cluster2", "tokenLifetimeMinutes": 10}
    applied(project, document(machine, second={"role": "remote"}, discovery={"account": "own"}))
    primary = Api(crd_lab.kubeconfig("cluster1"))
    assert primary.get(f"{NETWORKING}-2/workloadgroups/ledger")["spec"]["template"]["network"] == "network-of-cluster2"
    said, token = bundled(project, "ledger", tmp_path / "ledger")
    assert (said["address"], said["cluster"]) == ("198.51.100.1", "cluster2")
    assert (tmp_path / "ledger/hosts").read_text().startswith("198.51.100.1 ")
    assert not review(crd_lab.client("cluster1"), token, "istio-ca").authenticated
    istiod = client_of(secret(primary, "istio-remote-secret-cluster2")["cluster2"])
    assert review(istiod, token, "istio-ca").user.username == "system:serviceaccount:accounting-2:ledger"


def rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
