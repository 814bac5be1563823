"""Add-ons on real API servers, with Istio's own schemas where they are at hand: every object is accepted, Kiali reads
the other cluster with what it was given and changes nothing there, and nothing is left when they are gone."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
import yaml
from kubernetes import client

from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.support.objects import client_of, nothing_left
from tests.support.project import Project
from tests.support.recipes import on_lab

pytestmark = pytest.mark.lab

CLUSTERS = ("cluster1", "cluster2")
HERE = "/api/v1/namespaces/istio-system"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture
def mesh(bare_crd_lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, list[Api]]]:
    project = Project(tmp_path_factory.mktemp("addons"), bare_crd_lab.dir, stack="addons")
    apis = [Api(bare_crd_lab.kubeconfig(name)) for name in CLUSTERS]
    with nothing_left(project, apis, "kiali", "prometheus"):
        yield project, apis


def secret(api: Api, name: str) -> dict[str, str]:
    found = api.get(f"{HERE}/secrets/{name}")
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


def test_the_recipe(mesh: tuple[Project, list[Api]]) -> None:
    project, (home, other) = mesh
    wanted = on_lab("addons")
    project.write(wanted)
    project.done("up", "--yes", "--skip-preview")
    assert project.changes() == []

    kubeconfig = secret(home, "kiali-remote-cluster-secret-cluster2")["cluster2"]
    found = home.get(f"{HERE}/secrets/kiali-remote-cluster-secret-cluster2")["metadata"]
    assert found["labels"]["kiali.io/multiCluster"] == "true"
    assert found["annotations"]["kiali.io/cluster"] == "cluster2"
    kiali = client_of(kubeconfig)
    assert {item.metadata.name for item in client.CoreV1Api(kiali).list_namespace().items} >= {"istio-system"}
    assert may(kiali, "list", "", "services")
    assert not may(kiali, "create", "networking.istio.io", "virtualservices")
    assert not may(kiali, "list", "", "secrets")
    scraped = yaml.safe_load(home.get(f"{HERE}/configmaps/prometheus")["data"]["prometheus.yml"])["scrape_configs"]
    assert [job["job_name"] for job in scraped] == ["federate-cluster1", "federate-cluster2"]
    for api in (home, other):
        telemetry = api.get("/apis/telemetry.istio.io/v1/namespaces/istio-system/telemetries/mesh-addons")["spec"]
        assert telemetry["tracing"][0] == {"providers": [{"name": "jaeger"}], "randomSamplingPercentage": 5}
        assert telemetry["accessLogging"] == [{"providers": [{"name": "mesh-access-logs"}]}]
    for name in ("jaeger", "mesh-access-logs"):
        assert "selector" not in other.get(f"{HERE}/services/{name}")["spec"]
    assert home.get("/apis/apps/v1/namespaces/istio-system/statefulsets/loki")["status"]["readyReplicas"] == 1

    password = secret(home, "grafana-admin")["admin-password"]
    key = secret(home, "kiali-signing-key")["key"]
    assert len(key) == 32  # as Kiali wants it
    token = yaml.safe_load(kubeconfig)["users"][0]["user"]["token"]
    state = project.state.read_text()
    for hidden in (password, key, token):
        assert hidden not in state
        assert base64.b64encode(hidden.encode()).decode() not in state


def may(api: client.ApiClient, verb: str, group: str, resource: str) -> bool:
    """Whether whoever holds the kubeconfig may do it in any namespace."""
    asked = {"resourceAttributes": {"verb": verb, "group": group, "resource": resource}}
    review = client.AuthorizationV1Api(api).create_self_subject_access_review({"spec": asked})
    return bool(review.status.allowed)
