"""A remote becomes a primary and a remote again, on real API servers: what both roles have is never missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.support.project import Project
from tests.support.recipes import on_lab

pytestmark = pytest.mark.lab

RECIPE = "primary-remote-single-network"
CORE = "/api/v1/namespaces/istio-system"
SHARED = {
    "service": f"{CORE}/services/istiod",
    "values": f"{CORE}/configmaps/values",
    "injector": "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/istio-sidecar-injector",
    "role": "/apis/rbac.authorization.k8s.io/v1/clusterroles/istio-reader-clusterrole-istio-system",
    "binding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/istio-reader-clusterrole-istio-system",
}
"""What a remote and a primary both have, under the same names."""


@pytest.fixture
def project(bare_lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("role-change"), bare_lab.dir, stack=RECIPE)
    yield project
    project.done("destroy", "--yes")


def test_a_remote_becomes_a_primary_and_a_remote_again(project: Project, bare_lab: RealLab) -> None:
    api = Api(bare_lab.kubeconfig("cluster2"))
    applied(project, remote())
    first = identities(api)
    assert deployments(api) == set()
    applied(project, primary())
    assert identities(api) == first
    assert deployments(api) == {"istiod"}
    assert api.get(SHARED["service"])["spec"]["selector"] == {"app": "istiod", "istio": "pilot"}
    applied(project, remote())
    assert identities(api) == first
    assert deployments(api) == set()
    assert "selector" not in api.get(SHARED["service"])["spec"]


def applied(project: Project, document: dict[str, Any]) -> None:
    project.write(document)
    project.done("up", "--yes", "--skip-preview")
    assert project.changes() == []


def remote() -> dict[str, Any]:
    return on_lab(RECIPE)


def primary() -> dict[str, Any]:
    document = on_lab(RECIPE)
    del document["clusters"][1]["role"]
    return document


def identities(api: Api) -> dict[str, str]:
    """The very objects, and not others of the same name."""
    return {what: api.get(path)["metadata"]["uid"] for what, path in SHARED.items()}


def deployments(api: Api) -> set[str]:
    return {item["metadata"]["name"] for item in api.get("/apis/apps/v1/namespaces/istio-system/deployments")["items"]}
