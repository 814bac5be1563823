"""Two meshes in the same two clusters, each from a stack of its own: they come and go without touching each other.

Teams and policies pass Istio's own schemas, where those are at hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from meshctl.lab.api import Api
from tests.lab.conftest import Eventually, RealLab
from tests.support.objects import everything
from tests.support.project import Project
from tests.support.recipes import on_lab

pytestmark = pytest.mark.lab

RECIPE = "shared-cluster-guest"
CLUSTERS = ("cluster1", "cluster2")
SECURITY = "/apis/security.istio.io/v1/namespaces"


def host() -> dict[str, Any]:
    wanted = on_lab(RECIPE)
    wanted["istio"] |= {"tenancy": "host", "namespace": "mesh1-system", "revision": "mesh1"}
    selectors = [{"matchLabels": {"mesh": "mesh1"}}]
    team = {"name": "wiki", "namespaces": ["wiki"], "labels": {"mesh": "mesh1"}}
    return {
        **wanted, "id": "mesh1", "trustDomain": "mesh1.example", "teams": [team],
        "visibility": {"discoverySelectors": selectors}, "policies": {"authorization": "deny"},
    }  # fmt: skip


class Both:
    def __init__(self, host: Project, guest: Project, apis: list[Api]) -> None:
        self.host = host
        self.guest = guest
        self.apis = apis

    def objects(self) -> list[set[str]]:
        return [{path for path in everything(api) if "customresourcedefinitions/" not in path} for api in self.apis]


@pytest.fixture(scope="module")
def meshes(bare_crd_lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    first, second = (
        Project(tmp_path_factory.mktemp(name), bare_crd_lab.dir, stack=RECIPE) for name in ("host", "guest")
    )
    first.write(host())
    second.write(on_lab(RECIPE))
    apis = [Api(bare_crd_lab.kubeconfig(name)) for name in CLUSTERS]
    try:
        yield Both(first, second, apis)
    finally:
        second.done("destroy", "--yes")
        first.done("destroy", "--yes")


def test_a_guest_comes_and_goes_and_the_host_is_as_it_was(meshes: Both, eventually: Eventually) -> None:
    meshes.host.done("up", "--yes", "--skip-preview")
    alone = meshes.objects()
    meshes.guest.done("up", "--yes", "--skip-preview")
    assert meshes.host.changes() == []
    assert meshes.guest.changes() == []
    for with_guest, without in zip(meshes.objects(), alone, strict=True):
        assert with_guest > without
    meshes.guest.done("destroy", "--yes")
    eventually(lambda: meshes.objects() == alone)
    assert meshes.host.changes() == []


def test_teams_are_closed_on_every_api_server(meshes: Both) -> None:
    meshes.guest.done("up", "--yes", "--skip-preview")
    for api in meshes.apis:
        policy = api.get(f"{SECURITY}/payments/authorizationpolicies/team")["spec"]
        assert policy["rules"][0]["from"][0]["source"]["principals"] == [
            "mesh2.example/ns/payments/sa/*",
            "mesh2.example/ns/shop/sa/*",
            "mesh2.example/ns/cart/sa/*",
        ]
        assert api.get(f"{SECURITY}/mesh2-system/peerauthentications/default")["spec"]["mtls"]["mode"] == "STRICT"
        assert api.get("/api/v1/namespaces/payments")["metadata"]["labels"]["istio.io/rev"] == "mesh2"
        assert api.get(f"{SECURITY}/mesh1-system/authorizationpolicies/default-deny").get("spec") in ({}, None)


def test_the_host_goes_and_the_guest_stays(meshes: Both, eventually: Eventually) -> None:
    meshes.host.done("destroy", "--yes")
    assert meshes.guest.changes() == []
    for api in meshes.apis:
        namespaces = {item["metadata"]["name"] for item in api.get("/api/v1/namespaces")["items"]}
        assert {"mesh2-system", "shop", "cart", "payments"} <= namespaces
    meshes.guest.done("destroy", "--yes")
    left = ("mesh1", "mesh2", "shop", "cart", "payments", "wiki")
    eventually(lambda: not [path for found in meshes.objects() for path in found if path.split("/")[1] in left])
