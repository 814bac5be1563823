"""What a document can choose beside its topology, on real API servers: a host name in front of istiod, revisions and
tags in a remote, bundled secrets, CRDs as objects that go, network policies, two of everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meshctl.lab.api import Api
from meshctl.lab.prepare import DEFINITIONS
from meshctl.lab.pretend import ADDRESS_ANNOTATION
from tests.lab.conftest import Eventually, RealLab
from tests.support.objects import everything
from tests.support.project import Project
from tests.support.recipes import on_lab

pytestmark = pytest.mark.lab

ISTIO = "/apis/networking.istio.io/v1/namespaces/istio-system"
CORE = "/api/v1/namespaces/istio-system"
HOST = "istiod.mesh.example.com"


def chosen() -> dict[str, Any]:
    """Primary and remote, and everything else not as it comes."""
    wanted = on_lab("primary-remote-multi-network")
    wanted["discovery"] = {"secrets": "bundled"}
    wanted["istio"] |= {
        "revision": "1-30-3",
        "tags": {"prod": "1-30-3"},
        "crds": "objects",
        "keepCrds": False,
        "networkPolicies": True,
        "pilot": {"minReplicas": 2, "requests": {"cpu": "1", "memory": "2Gi"}},
        "meshConfig": {"clusterLocalHosts": ["*.payments.svc.cluster.local"]},
    }
    primary = wanted["clusters"][0]["eastWest"]
    primary |= {"address": HOST, "annotations": {ADDRESS_ANNOTATION: "lb-1234.example.net"}}
    return wanted


@pytest.fixture(scope="module")
def mesh(bare_lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, list[Api]]]:
    folder: Path = tmp_path_factory.mktemp("choices")
    project = Project(folder, bare_lab.dir, stack="primary-remote-multi-network")
    project.write(chosen())
    try:
        project.done("up", "--yes", "--skip-preview")
        yield project, [Api(bare_lab.kubeconfig(name)) for name in ("cluster1", "cluster2")]
    finally:
        project.done("destroy", "--yes")


def named(api: Api, path: str) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in api.get(path)["items"]}


def test_the_remote_finds_istiod_by_the_host_name(mesh: tuple[Project, list[Api]]) -> None:
    _, (_, remote) = mesh
    service = named(remote, f"{CORE}/services")["istiod-1-30-3"]
    assert (service["spec"]["type"], service["spec"]["externalName"]) == ("ExternalName", HOST)
    hooks = named(remote, "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations")
    assert {"istio-sidecar-injector-1-30-3", "istio-revision-tag-prod"} <= hooks.keys()
    called = {hook["clientConfig"]["url"] for item in hooks.values() for hook in item["webhooks"]}
    assert called == {f"https://{HOST}:15017/inject/cluster/cluster2/net/network2"}


def test_istiod_answers_to_the_host_name(mesh: tuple[Project, list[Api]]) -> None:
    _, (primary, _) = mesh
    istiod = named(primary, "/apis/apps/v1/namespaces/istio-system/deployments")["istiod-1-30-3"]
    (container,) = istiod["spec"]["template"]["spec"]["containers"]
    assert {"name": "ISTIOD_CUSTOM_HOST", "value": HOST} in container["env"]
    assert container["resources"]["requests"] == {"cpu": "1", "memory": "2Gi"}
    route = named(primary, f"{ISTIO}/virtualservices")["istiod-vs-1-30-3"]
    names = {name for rule in route["spec"]["tls"] for match in rule["match"] for name in match["sniHosts"]}
    assert {"istiod-1-30-3.istio-system.svc", "istiod-1-30-3.istio-system.svc.cluster.local", HOST} <= names
    config = named(primary, f"{CORE}/configmaps")["istio-1-30-3"]["data"]["mesh"]
    assert "*.payments.svc.cluster.local" in config


def test_gateways_carry_the_revision(mesh: tuple[Project, list[Api]]) -> None:
    _, apis = mesh
    for api in apis:
        gateway = named(api, "/apis/apps/v1/namespaces/istio-system/deployments")["istio-eastwestgateway"]
        assert gateway["spec"]["template"]["metadata"]["labels"]["istio.io/rev"] == "1-30-3"


def test_one_secret_holds_what_the_primary_reads(mesh: tuple[Project, list[Api]]) -> None:
    _, (primary, remote) = mesh
    bundle = named(primary, f"{CORE}/secrets")["istio-remote-secrets"]
    assert list(bundle["data"]) == ["cluster2"]
    assert bundle["metadata"]["labels"]["istio/multiCluster"] == "true"
    assert "istio-remote-secrets" not in named(remote, f"{CORE}/secrets")


def test_policies_open_the_ports_of_the_gateway(mesh: tuple[Project, list[Api]]) -> None:
    _, apis = mesh
    for api in apis:
        policy = named(api, "/apis/networking.k8s.io/v1/namespaces/istio-system/networkpolicies")[
            "istio-eastwestgateway"
        ]
        ports = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
        assert {15021, 15443, 15012, 15017} <= ports


def test_two_of_each_have_a_disruption_budget(mesh: tuple[Project, list[Api]]) -> None:
    _, (primary, _) = mesh
    budgets = named(primary, "/apis/policy/v1/namespaces/istio-system/poddisruptionbudgets")
    assert {"istiod-1-30-3", "istio-eastwestgateway"} <= budgets.keys()


def test_nothing_is_left_and_the_crds_go_when_asked(mesh: tuple[Project, list[Api]], eventually: Eventually) -> None:
    project, apis = mesh
    assert project.changes() == []
    assert all(any("charts.test" in path for path in everything(api)) for api in apis)
    project.done("destroy", "--yes")
    gone = ("/istio-system", "istio-system/", "charts.test", "injector", "revision-tag")
    for api in apis:
        eventually(lambda a=api: not [p for p in everything(a) if any(part in p for part in gone)])  # type: ignore[misc]


def test_a_mesh_that_is_made_anew_takes_over_the_crds_that_were_kept(
    bare_lab: RealLab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = Project(tmp_path_factory.mktemp("kept"), bare_lab.dir, stack="multi-primary-single-network")
    wanted = on_lab("multi-primary-single-network")
    wanted["istio"]["crds"] = "objects"
    project.write(wanted)
    apis = [Api(bare_lab.kubeconfig(name)) for name in ("cluster1", "cluster2")]

    def kept(api: Api) -> dict[str, dict[str, Any]]:
        return {name: item for name, item in named(api, DEFINITIONS).items() if name.endswith(".charts.test")}

    try:
        project.done("up", "--yes", "--skip-preview")
        project.done("destroy", "--yes")
        before = [{name: item["metadata"]["uid"] for name, item in kept(api).items()} for api in apis]
        assert all(before)
        for api in apis:
            for name in kept(api):
                # Nobody's any more: not of a stack of this name either.
                nobody: dict[str, Any] = {"metadata": {"managedFields": [{}]}}
                api.request("PATCH", f"{DEFINITIONS}/{name}", nobody, "application/merge-patch+json")
        project.done("up", "--yes", "--skip-preview")
        assert [{name: item["metadata"]["uid"] for name, item in kept(api).items()} for api in apis] == before
        assert project.changes() == []
    finally:
        project.done("destroy", "--yes")
        for api in apis:
            for name in kept(api):
                api.request("DELETE", f"{DEFINITIONS}/{name}")


def test_what_istiod_is_to_make_of_an_ambient_gateway_comes_and_goes(
    bare_lab: RealLab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The stand-in makes no proxy: what istiod makes of the ConfigMap is read from its source."""
    project = Project(tmp_path_factory.mktemp("ambient"), bare_lab.dir, stack="ambient-multi-network")
    api = Api(bare_lab.kubeconfig("cluster1"))
    plain = on_lab("ambient-multi-network")
    large = on_lab("ambient-multi-network")
    large["clusters"][0]["eastWest"] |= {"minReplicas": 2, "loadBalancerSourceRanges": ["203.0.113.0/24"]}
    gateways = "/apis/gateway.networking.k8s.io/v1/namespaces/istio-system/gateways"
    name = "istio-eastwestgateway-ambient"
    try:
        project.write(large)
        project.done("up", "--yes", "--skip-preview")
        said = named(api, f"{CORE}/configmaps")[f"{name}-parameters"]["data"]
        assert set(said) == {"service", "horizontalPodAutoscaler", "podDisruptionBudget"}
        reference = named(api, gateways)[name]["spec"]["infrastructure"]["parametersRef"]
        assert reference == {"group": "", "kind": "ConfigMap", "name": f"{name}-parameters"}
        assert project.changes() == []
        project.write(plain)
        changed = {(row["op"], row["type"].rpartition(":")[2]) for row in project.changes()}
        assert changed == {("update", "Gateway"), ("delete", "ConfigMap")}
        project.done("up", "--yes", "--skip-preview")
        assert "parametersRef" not in named(api, gateways)[name]["spec"]["infrastructure"]
        assert f"{name}-parameters" not in named(api, f"{CORE}/configmaps")
    finally:
        project.done("destroy", "--yes")
