"""Ways in and out on real API servers, with Istio's own schemas where they are at hand: every object is accepted, by
load balancer and by ports of the nodes, and nothing is left of what is switched off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.support import authorities
from tests.support.crds import forget_kept
from tests.support.objects import nothing_left
from tests.support.project import Project
from tests.support.recipes import CHARTS, on_lab

pytestmark = pytest.mark.lab

CLUSTERS = ("cluster1", "cluster2")
ISTIO = "/apis/networking.istio.io/v1/namespaces"
GATEWAY_API = "/apis/gateway.networking.k8s.io/v1/namespaces"


class World:
    """A recipe on two clusters, as a project whose document the tests change."""

    def __init__(self, project: Project, apis: list[Api]) -> None:
        self.project, self.apis = project, apis

    def up(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """Apply, and see that a second look finds nothing to do. Returns what was done."""
        self.project.write(wanted)
        rows = self.project.changes()
        self.project.done("up", "--yes", "--skip-preview")
        assert self.project.changes() == []
        return rows

    def read(self, *notes: str) -> dict[str, Any]:
        """The document that is read from the clusters, with these notes about ways in and out."""
        words = [f"{name}=.lab/clusters/{name}/kubeconfig" for name in CLUSTERS]
        found = json.loads(self.project.alone("import", *words, "--json"))
        ways = ("clusters[].ingress", "clusters[].egress")
        assert [note for note in found["notes"] if note.startswith(ways)] == [*notes]
        document: dict[str, Any] = found["document"]
        return document

    def leads_here(self, document: dict[str, Any], **over: Any) -> None:
        """A document's preview finds nothing to do, once it has what a cluster does not say."""
        wanted = self.project.document
        document["istio"]["charts"] = {"folder": str(CHARTS)}
        self.project.write({**document, **over})
        assert [(row["name"], row["op"], row["fields"]) for row in self.project.changes()] == []
        self.project.write(wanted)

    def names(self, cluster: int, path: str) -> set[str]:
        return {item["metadata"]["name"] for item in self.apis[cluster].get(path)["items"]}


@pytest.fixture(params=["ingress", "egress"])
def world(
    request: pytest.FixtureRequest, bare_crd_lab: RealLab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    recipe = request.param
    folder = tmp_path_factory.mktemp(recipe)
    project = Project(folder, bare_crd_lab.dir, stack=recipe)
    apis = [Api(bare_crd_lab.kubeconfig(name)) for name in CLUSTERS]
    with nothing_left(project, apis, "gress"):
        yield World(project, apis)
    forget_kept(*apis)


@pytest.mark.parametrize("world", ["ingress"], indirect=True)
def test_ingress(world: World) -> None:
    east, west = world.apis
    made = authorities.root(san="shop.example.com", ends=authorities.NOW + authorities.YEAR * 50)
    (world.project.folder / "shop.pem").write_text(made.pem)
    (world.project.folder / "shop.key").write_text(made.key)
    wanted = on_lab("ingress")
    (host,) = wanted["clusters"][0]["ingress"][0]["hosts"]
    host["tls"] |= {"certificate": {"file": "shop.pem"}, "key": {"file": "shop.key"}}
    world.up(wanted)

    service = east.get("/api/v1/namespaces/istio-ingress/services/istio-ingressgateway")
    assert service["spec"]["loadBalancerSourceRanges"] == ["198.51.100.0/24"]
    assert service["status"]["loadBalancer"]["ingress"][0]["ip"] == "198.51.100.101"
    assert east.get("/api/v1/namespaces/istio-ingress/secrets/shop-tls")["type"] == "kubernetes.io/tls"
    servers = east.get(f"{ISTIO}/istio-ingress/gateways/ingressgateway")["spec"]["servers"]
    assert [server["tls"] for server in servers] == [
        {"httpsRedirect": True},
        {"mode": "SIMPLE", "credentialName": "shop-tls"},
    ]
    assert world.names(0, f"{ISTIO}/istio-ingress/virtualservices") == {"ingressgateway-shop.example.com"}
    gateway = west.get(f"{GATEWAY_API}/istio-ingress/gateways/web")
    assert gateway["metadata"]["annotations"]["networking.istio.io/service-type"] == "NodePort"
    assert world.names(1, f"{GATEWAY_API}/istio-ingress/httproutes") == {"web-any"}
    assert made.key.splitlines()[1] not in world.project.state.read_text()

    read = world.read(
        "clusters[].ingress: istio-ingress/istio-ingressgateway of cluster1: put the certificate and key of "
        "shop.example.com where the document names them"
    )
    (first,) = read["clusters"][0]["ingress"]
    assert first["hosts"][0]["tls"] == {
        "credential": "shop-tls",
        "certificate": {"file": "cluster1/shop-tls.pem"},
        "key": {"secret": "cluster1-shop-tls"},
    }
    first["hosts"][0]["tls"] |= host["tls"]
    assert [cluster["ingress"] for cluster in read["clusters"]] == [
        cluster["ingress"] for cluster in wanted["clusters"]
    ]
    assert read["istio"]["meshConfig"] == wanted["istio"]["meshConfig"]
    world.leads_here(read, applications=wanted["applications"])

    # The other way round, in place: ports of the nodes by Istio's API, a load balancer by the Gateway API.
    first, second = wanted["clusters"][0]["ingress"][0], wanted["clusters"][1]["ingress"][0]
    del first["loadBalancerSourceRanges"]
    first |= {"serviceType": "NodePort", "nodePorts": {"http": 30080, "https": 30443}}
    second |= {"serviceType": "LoadBalancer", "nodePorts": {}}
    rows = world.up(wanted)
    assert {row["op"] for row in rows} <= {"update", "delete"}
    ports = east.get("/api/v1/namespaces/istio-ingress/services/istio-ingressgateway")["spec"]["ports"]
    assert {port["name"]: port["nodePort"] for port in ports if port["name"] != "status-port"} == {
        "http2": 30080,
        "https": 30443,
    }
    annotations = west.get(f"{GATEWAY_API}/istio-ingress/gateways/web")["metadata"]["annotations"]
    assert "networking.istio.io/service-type" not in annotations


@pytest.mark.parametrize("world", ["egress"], indirect=True)
def test_egress(world: World) -> None:
    wanted = on_lab("egress")
    world.up(wanted)
    hosts = {"api.example.com", "www.example.org", "legacy.example.net"}
    for cluster, ruled in ((0, {"egressgateway", "www.example.org"}), (1, {"www.example.org"})):
        assert world.names(cluster, f"{ISTIO}/istio-egress/serviceentries") == hosts
        assert world.names(cluster, f"{ISTIO}/istio-egress/destinationrules") == ruled
        mesh = world.apis[cluster].get("/api/v1/namespaces/istio-system/configmaps/istio")["data"]["mesh"]
        assert "REGISTRY_ONLY" in mesh
        assert "accessLogFile: /dev/stdout" in mesh
        assert "istio-egressgateway.istio-egress.svc.cluster.local" in mesh
    assert world.names(0, f"{ISTIO}/istio-egress/virtualservices") == hosts
    proxy = world.apis[0].get("/apis/apps/v1/namespaces/istio-egress/deployments/istio-egressgateway")
    assert proxy["status"]["availableReplicas"] >= 1

    read = world.read()
    assert read["clusters"][0]["egress"] == wanted["clusters"][0]["egress"]
    assert read["clusters"][1]["egress"] == {
        "gateway": False,
        "hosts": sorted(wanted["clusters"][1]["egress"]["hosts"], key=lambda item: str(item["host"])),
    }
    assert read["istio"]["meshConfig"] == wanted["istio"]["meshConfig"]
    world.leads_here(read, applications=wanted["applications"])

    # Off: each proxy by itself, and nothing of the gateway is left.
    wanted["clusters"][0]["egress"] = {**wanted["clusters"][0]["egress"], "gateway": False}
    rows = world.up(wanted)
    assert {row["op"] for row in rows} == {"delete", "update"}
    assert world.names(0, "/apis/apps/v1/namespaces/istio-egress/deployments") == set()
    assert world.names(0, f"{ISTIO}/istio-egress/virtualservices") == {"www.example.org"}
    assert world.names(0, f"{ISTIO}/istio-egress/serviceentries") == hosts
