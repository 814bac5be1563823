"""Who sees what, on real API servers, with Istio's own schemas where they are at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshctl.lab.api import Api
from meshctl.lab.prepare import DEFINITIONS
from tests.lab.conftest import RealLab
from tests.support.objects import everything
from tests.support.project import Project
from tests.support.recipes import on_lab

pytestmark = pytest.mark.lab

RECIPE = "selective-visibility"
CLUSTERS = ("cluster1", "cluster2")
ISTIO = "/apis/networking.istio.io/v1/namespaces"
EXPORTS = "/apis/multicluster.x-k8s.io/v1alpha1/namespaces/sample/serviceexports"
VISIBLE = ["helloworld.sample.svc.cluster.local", "*.bookinfo.svc.cluster.local"]


class Meshes:
    """A mesh on two clusters, with another document at each test."""

    def __init__(self, project: Project, apis: list[Api]) -> None:
        self.project = project
        self.apis = apis

    def up(self, **visibility: Any) -> None:
        wanted = on_lab(RECIPE)
        wanted["visibility"] = visibility or wanted["visibility"]
        self.project.write(wanted)
        self.project.done("up", "--yes", "--skip-preview")
        assert self.project.changes() == []

    def mesh_config(self, api: Api) -> dict[str, Any]:
        found = api.get("/api/v1/namespaces/istio-system/configmaps/istio")["data"]["mesh"]
        config: dict[str, Any] = yaml.safe_load(found)
        return config


def sidecars(api: Api, namespace: str) -> dict[str, Any]:
    return {item["metadata"]["name"]: item["spec"] for item in api.get(f"{ISTIO}/{namespace}/sidecars")["items"]}


def service_exports() -> dict[str, Any]:
    """The kind as the Multi-Cluster Services API names it, without a schema."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": anything}}
    names = {"kind": "ServiceExport", "plural": "serviceexports", "singular": "serviceexport"}
    spec = {"group": "multicluster.x-k8s.io", "names": names, "scope": "Namespaced", "versions": [version]}
    metadata = {"name": "serviceexports.multicluster.x-k8s.io"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": spec,
    }


@pytest.fixture(scope="module")
def meshes(bare_crd_lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meshes]:
    folder: Path = tmp_path_factory.mktemp(RECIPE)
    project = Project(folder, bare_crd_lab.dir, stack=RECIPE)
    apis = [Api(bare_crd_lab.kubeconfig(name)) for name in CLUSTERS]
    for api in apis:
        for name in ("sample", "shop"):
            api.apply(
                f"/api/v1/namespaces/{name}", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )
    try:
        yield Meshes(project, apis)
    finally:
        project.done("destroy", "--yes")
        for api in apis:
            for item in api.get(DEFINITIONS)["items"]:
                if item["spec"]["group"] == "multicluster.x-k8s.io":
                    api.request("DELETE", f"{DEFINITIONS}/{item['metadata']['name']}")


def test_the_recipe(meshes: Meshes) -> None:
    meshes.up()
    for api in meshes.apis:
        config = meshes.mesh_config(api)
        assert config["serviceSettings"] == [
            {"settings": {"clusterLocal": True}, "hosts": ["*.svc.cluster.local"]},
            {"settings": {"clusterLocal": False}, "hosts": VISIBLE},
        ]
        assert config["discoverySelectors"] == [
            {"matchLabels": {"kubernetes.io/metadata.name": "istio-system"}},
            {"matchLabels": {"mesh": "mesh1"}},
        ]
        assert config["defaultVirtualServiceExportTo"] == config["defaultDestinationRuleExportTo"] == ["."]
        labels = api.get("/api/v1/namespaces/istio-system")["metadata"]["labels"]
        assert labels["kubernetes.io/metadata.name"] == "istio-system", "Kubernetes has put it there"
        (server,) = api.get(f"{ISTIO}/istio-system/gateways/cross-network-gateway")["spec"]["servers"]
        assert server["hosts"] == VISIBLE
        assert sidecars(api, "istio-system") == {"default": {"egress": [{"hosts": ["./*", "istio-system/*"]}]}}


def test_one_more_service_is_an_update_in_place(meshes: Meshes) -> None:
    meshes.up()
    wanted = on_lab(RECIPE)
    wanted["visibility"]["services"].append("cart.shop")
    meshes.project.write(wanted)
    changes = meshes.project.changes()
    assert {(row["type"].rsplit(":", 1)[-1], row["op"]) for row in changes} == {
        ("ConfigMap", "update"),
        ("Gateway", "update"),
    }


def test_service_exports(meshes: Meshes) -> None:
    """In the place of hosts; what was there for hosts goes."""
    for api in meshes.apis:
        api.apply(f"{DEFINITIONS}/serviceexports.multicluster.x-k8s.io", service_exports())
    meshes.up(
        across="selective",
        services=["helloworld.sample"],
        mcs={"host": True},
        sidecars={"namespaces": {"shop": ["./*"]}},
    )
    for api in meshes.apis:
        assert [item["metadata"]["name"] for item in api.get(EXPORTS)["items"]] == ["helloworld"]
        deployment = api.get("/apis/apps/v1/namespaces/istio-system/deployments/istiod")
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        said = {item["name"]: item.get("value") for item in container["env"]}
        assert (said["ENABLE_MCS_SERVICE_DISCOVERY"], said["ENABLE_MCS_HOST"]) == ("true", "true")
        assert "serviceSettings" not in meshes.mesh_config(api)
        assert sidecars(api, "istio-system") == {}
        assert sidecars(api, "shop") == {"default": {"egress": [{"hosts": ["./*"]}]}}


def test_nothing_stays(meshes: Meshes) -> None:
    meshes.project.done("destroy", "--yes")
    kinds = ("sidecars/", "serviceexports/", "gateways/")
    assert [{path for path in everything(api) if path.startswith(kinds)} for api in meshes.apis] == [set(), set()]
