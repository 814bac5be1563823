"""Three meshes on real API servers, a cluster each. The first two trust each other; nobody has declared the third.

Each has a stack, a state and a root of its own, as if three administrators had them. What they hand each other is the
file that `mesh trust export` writes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mesh_components.settings.facts import MeshFacts, read
from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.support.objects import everything
from tests.support.project import Project
from tests.support.sidecar import denied

pytestmark = pytest.mark.lab

NETWORKING, SECURITY = (f"/apis/{group}.istio.io/v1/namespaces/istio-system" for group in ("networking", "security"))
HTTP = {"number": 5000, "name": "http", "protocol": "HTTP"}
SERVICES = {"mesh1": "reviews.bookinfo", "mesh2": "helloworld.sample", "mesh3": "other.place"}
PARTNER = {"mesh1": "mesh2", "mesh2": "mesh1"}


@dataclass(frozen=True)
class Mesh:
    name: str
    project: Project
    api: Api
    before: set[str]

    def document(self, said: dict[str, MeshFacts]) -> dict[str, Any]:
        service, namespace = SERVICES[self.name].split(".")
        partner = PARTNER.get(self.name, "mesh1")
        trusted = {
            "name": partner,
            "trustDomain": f"{partner}.example",
            "facts": {"file": f"{partner}.json"},
            "digest": said[partner].digest if said else None,
            "imports": [{"host": SERVICES[partner], "called": f"{partner}.global"}],
        }
        cluster = f"cluster{self.name[-1]}"
        return {
            "id": self.name,
            "trustDomain": f"{self.name}.example",
            "istio": {"install": "none"},
            "trust": {"protectRoot": False, "multiRoot": True},
            "meshes": [trusted] if said and self.name in PARTNER else [],
            "exports": [
                {
                    "host": SERVICES[self.name],
                    "ports": [HTTP],
                    "accounts": [f"{namespace}/{service}"],
                    "meshes": [partner],
                }
            ],
            "clusters": [
                {
                    "name": cluster,
                    "network": cluster,
                    "platform": "lab",
                    "kubeconfig": {"file": f".lab/clusters/{cluster}/kubeconfig"},
                }
            ],
        }

    def spec(self, path: str) -> dict[str, Any]:
        spec: dict[str, Any] = self.api.get(path)["spec"]
        return spec

    def listed(self, path: str) -> list[str]:
        return [item["metadata"]["name"] for item in self.api.get(path)["items"]]


@pytest.fixture(scope="module")
def meshes(lab3: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Mesh]]:
    made = {}
    for number, name in enumerate(SERVICES, 1):
        api = Api(lab3.kubeconfig(f"cluster{number}"))
        project = Project(tmp_path_factory.mktemp(name), lab3.dir, called=name)
        made[name] = Mesh(name, project, api, everything(api))
    try:
        yield made
    finally:
        for mesh in made.values():
            mesh.project.done("destroy", "--yes")


@pytest.fixture(scope="module")
def said(meshes: dict[str, Mesh]) -> dict[str, MeshFacts]:
    """All export; then the first two sign off what the other says, and trust it."""
    found = {}
    for mesh in meshes.values():
        mesh.project.write(mesh.document({}))
        mesh.project.done("up", "--yes", "--skip-preview")
        found[mesh.name] = read(mesh.project.done("trust", "export"))
    for mesh in meshes.values():
        for name, facts in found.items():
            (mesh.project.folder / f"{name}.json").write_text(facts_text(facts))
        mesh.project.write(mesh.document(found))
        mesh.project.done("up", "--yes", "--skip-preview")
        assert mesh.project.changes() == []
    return found


def facts_text(facts: MeshFacts) -> str:
    return json.dumps(facts.document())


def test_each_says_its_own_root_and_where_its_gateway_is(meshes: dict[str, Mesh], said: dict[str, MeshFacts]) -> None:
    for name, mesh in meshes.items():
        secret = mesh.api.get("/api/v1/namespaces/istio-system/secrets/cacerts")["data"]
        assert said[name].bundle == base64.b64decode(secret["root-cert.pem"]).decode()
        service = mesh.api.get("/api/v1/namespaces/istio-system/services/istio-crossmeshgateway")
        (gateway,) = said[name].gateways
        assert gateway.address == service["status"]["loadBalancer"]["ingress"][0]["ip"]
        assert [port["port"] for port in service["spec"]["ports"]] == [15021, 15443]
        assert "topology.istio.io/network" not in service["metadata"]["labels"]
    assert len({facts.bundle for facts in said.values()}) == len(meshes), "three roots"


@pytest.mark.parametrize("name", PARTNER)
def test_the_two_call_each_other_and_nothing_else(
    meshes: dict[str, Mesh], said: dict[str, MeshFacts], name: str
) -> None:
    mesh, partner = meshes[name], PARTNER[name]
    other, called = said[partner], f"{partner}.global"
    (export,) = other.exports
    names = [f"spiffe://{partner}.example/ns/{export.accounts[0].replace('/', '/sa/')}"]
    assert mesh.listed(f"{NETWORKING}/serviceentries") == [called]
    entry = mesh.spec(f"{NETWORKING}/serviceentries/{called}")
    assert entry == {
        "hosts": [called],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [HTTP],
        "endpoints": [
            {
                "address": other.gateways[0].address,
                "ports": {"http": 15443},
                "labels": {"security.istio.io/tlsMode": "istio"},
            }
        ],
        "subjectAltNames": names,
    }
    (port,) = mesh.spec(f"{NETWORKING}/destinationrules/{called}")["trafficPolicy"]["portLevelSettings"]
    assert port["tls"] == {
        "mode": "ISTIO_MUTUAL",
        "sni": f"outbound_.5000_._.{export.host}",
        "subjectAltNames": names,
    }
    (server,) = mesh.spec(f"{NETWORKING}/gateways/crossmeshgateway")["servers"]
    assert (server["tls"]["mode"], server["hosts"]) == ("AUTO_PASSTHROUGH", [said[name].exports[0].host])
    policy = mesh.spec(f"{SECURITY}/authorizationpolicies/exports-to-{partner}")
    mine = f"outbound_.5000_._.{said[name].exports[0].host}"
    assert not denied(policy, f"{partner}.example/ns/a/sa/b", mine)
    assert denied(policy, f"{partner}.example/ns/a/sa/b", "outbound_.443_._.kubernetes.default.svc.cluster.local")


def test_the_third_is_in_nothing(meshes: dict[str, Mesh], said: dict[str, MeshFacts]) -> None:
    for name in PARTNER:
        state = (meshes[name].project.state).read_text()
        assert said["mesh3"].roots[0].sha256 not in state
        assert "mesh3.example" not in state
    assert meshes["mesh3"].listed(f"{NETWORKING}/serviceentries") == []
    assert meshes["mesh3"].listed(f"{SECURITY}/authorizationpolicies") == []


def test_no_credential_crosses_over(meshes: dict[str, Mesh], said: dict[str, MeshFacts]) -> None:
    del said
    for mesh in meshes.values():
        assert not [name for name in mesh.listed("/api/v1/namespaces/istio-system/secrets") if "remote" in name]


def test_facts_come_from_the_other_s_stack_as_well(meshes: dict[str, Mesh], said: dict[str, MeshFacts]) -> None:
    """Nothing of the mesh is another for it; and what that stack says has to be signed off as a file has."""
    mesh, theirs = meshes["mesh1"], meshes["mesh2"].project
    over = {"MESH_STATES": str(theirs.folder / ".pulumi-local")}
    document = mesh.document(said)
    document["meshes"][0]["facts"] = {"stack": f"organization/mesh/{theirs.stack}"}
    mesh.project.write(document)
    preview = mesh.project.run("preview", "--json", over=over)
    document["meshes"][0]["digest"] = said["mesh3"].digest
    mesh.project.write(document)
    refused = mesh.project.run("up", "--yes", "--skip-preview", over=over)
    mesh.project.write(mesh.document(said))
    assert preview.returncode == 0, preview.stderr
    assert {row["op"] for row in json.loads(preview.stdout)} == {"same"}
    assert refused.returncode != 0
    assert "MESH804" in refused.stdout + refused.stderr


def test_a_document_that_was_changed_on_the_way_is_refused(meshes: dict[str, Mesh], said: dict[str, MeshFacts]) -> None:
    """mesh3 puts itself in mesh2's place."""
    mesh = meshes["mesh1"]
    file = mesh.project.folder / "mesh2.json"
    forged = said["mesh2"].model_copy(update={"roots": said["mesh3"].roots})
    file.write_text(facts_text(MeshFacts.model_validate(forged.model_dump(by_alias=True), by_name=False)))
    try:
        refused = mesh.project.run("up", "--yes", "--skip-preview")
    finally:
        file.write_text(facts_text(said["mesh2"]))
    assert refused.returncode != 0
    assert "MESH804" in refused.stdout + refused.stderr
    assert said["mesh2"].digest in refused.stdout + refused.stderr
    assert mesh.project.changes() == []


def test_nothing_stays(meshes: dict[str, Mesh], said: dict[str, MeshFacts]) -> None:
    del said
    for mesh in meshes.values():
        mesh.project.done("destroy", "--yes")
        assert everything(mesh.api) - mesh.before == set()
