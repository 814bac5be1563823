"""`mesh upgrade plan`, every step of it applied to real API servers with two versions of the charts, and taken back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kubernetes import client

from mesh_components.topology.steps import Step
from mesh_components.topology.upgrade import upgrade_plan
from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.support.charts import repository
from tests.support.project import Project
from tests.support.recipes import on_lab
from tests.support.upgrades import BUILDS

pytestmark = pytest.mark.lab

OLD, NEW = "1.30.3", "1.31.0"
CLUSTERS = ("cluster1", "cluster2")
APPLICATIONS = "applications"
"""A namespace of the mesh's users, which follows the tag `prod`."""
ADMISSION = "/apis/admissionregistration.k8s.io/v1"


class Upgraded:
    """A mesh on two clusters, between two versions."""

    def __init__(self, project: Project, apis: dict[str, Api]) -> None:
        self.project = project
        self.apis = apis
        self.did: dict[str, set[str]] = {}
        """What the preview of each step showed, by its title."""

    def taken(self, document: Any) -> list[dict[str, Any]]:
        """What the preview of a document shows, by resource; then the document is applied, and does just that."""
        self.project.write(document)
        shown = self.project.changes()
        with self.watched():
            answer = json.loads(self.project.done("up", "--yes", "--skip-preview", "--json"))
        did = {(row["urn"], row["op"]) for row in answer["resources"] if row["op"] != "same"}
        assert did == {(row["urn"], row["op"]) for row in shown}
        return shown

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Fails when the namespace of the applications is without an injector at any moment that is looked at."""
        seen: list[str] = []
        over = threading.Event()

        def look() -> None:
            while not over.is_set():
                seen.extend(f"{name}: {problem}" for name, api in self.apis.items() for problem in uninjected(api))
                over.wait(0.5)

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
        assert seen == []


def uninjected(api: Api) -> Iterator[str]:
    """Why a pod of the applications' namespace, or of the gateway, would start without a proxy."""
    labels = api.get(f"/api/v1/namespaces/{APPLICATIONS}")["metadata"]["labels"]
    wanted = {"the applications": labels["istio.io/rev"]}
    deployments = {
        d["metadata"]["name"]: d for d in api.get("/apis/apps/v1/namespaces/istio-system/deployments")["items"]
    }
    gateway = deployments["istio-eastwestgateway"]["spec"]["template"]["metadata"]["labels"]
    wanted["the gateway"] = gateway["istio.io/rev"]
    services = {s["metadata"]["name"]: s for s in api.get("/api/v1/namespaces/istio-system/services")["items"]}
    hooks = [hook for c in api.get(f"{ADMISSION}/mutatingwebhookconfigurations")["items"] for hook in c["webhooks"]]
    for whose, revision in wanted.items():
        mine = [hook for hook in hooks if _selects(hook, revision)]
        if not mine:
            yield f"no webhook takes {revision} of {whose}"
        for hook in mine:
            service = services.get(hook["clientConfig"]["service"]["name"])
            if service is None:
                yield f"the webhook for {revision} of {whose} calls a Service that is not there"
                continue
            selector = service["spec"]["selector"].items()
            serving = [
                d for d in deployments.values() if selector <= d["spec"]["template"]["metadata"]["labels"].items()
            ]
            if not any(d["status"].get("availableReplicas") for d in serving):
                yield f"nobody serves the webhook for {revision} of {whose}"


def _selects(hook: dict[str, Any], revision: str) -> bool:
    expressions = [
        expression
        for selector in (hook["namespaceSelector"], hook.get("objectSelector", {}))
        for expression in selector.get("matchExpressions", [])
    ]
    return any(e["key"] == "istio.io/rev" and revision in e.get("values", []) for e in expressions)


@pytest.fixture(scope="module")
def mesh(bare_lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Upgraded, tuple[Step, ...]]]:
    with repository(tmp_path_factory.mktemp("charts"), OLD, NEW) as url:
        document = on_lab("multi-primary-multi-network")
        document["istio"] = {
            "version": OLD,
            "revision": "1-30-3",
            "tags": {"prod": "1-30-3"},
            "charts": {"repository": url},
        }
        for name in CLUSTERS:
            labels = {"istio.io/rev": "prod"}
            namespace = client.V1Namespace(metadata=client.V1ObjectMeta(name=APPLICATIONS, labels=labels))
            client.CoreV1Api(bare_lab.client(name)).create_namespace(namespace)
        project = Project(tmp_path_factory.mktemp("upgrade"), bare_lab.dir, stack="multi-primary-multi-network")
        project.write(document)
        apis = {name: Api(bare_lab.kubeconfig(name)) for name in CLUSTERS}
        try:
            project.done("up", "--yes", "--skip-preview")
            yield Upgraded(project, apis), upgrade_plan(document, NEW)
        finally:
            project.done("destroy", "--yes")
            for name in CLUSTERS:
                client.CoreV1Api(bare_lab.client(name)).delete_namespace(APPLICATIONS)


def test_the_plan_visits_every_cluster(mesh: tuple[Upgraded, tuple[Step, ...]]) -> None:
    _, steps = mesh
    kinds = [step.kind for step in steps]
    assert kinds[0] == "base"
    assert kinds[-1] == "remove"
    for kind in ("control-plane", "gateway", "tags"):
        assert {name for step in steps if step.kind == kind for name in step.clusters} == set(CLUSTERS)


def test_every_preview_shows_what_is_its_step_s_and_up_does_no_more(mesh: tuple[Upgraded, tuple[Step, ...]]) -> None:
    upgraded, steps = mesh
    for step in _applied(steps):
        rows = upgraded.taken(step.document)
        assert rows, step.title
        assert {row["cluster"] for row in rows} - {""} == set(step.clusters), step.title
        built = {row["urn"].split("::")[2].split("$")[-2].rsplit(":", 1)[-1] for row in rows if row["cluster"]}
        assert built <= BUILDS[step.kind], step.title
        assert step.kind == "remove" or {row["op"] for row in rows} <= {"create", "update"}, step.title
        upgraded.did[step.title] = {row["urn"] for row in rows}
    assert upgraded.project.changes() == []
    assert _istiods(upgraded) == [("istiod-1-31-0", "1.31.0")] * 2
    assert upgrade_plan(upgraded.project.document, NEW) == ()


def test_every_step_can_be_taken_back(mesh: tuple[Upgraded, tuple[Step, ...]]) -> None:
    """Down the same stairs, one by one: the way back is open after each step, and touches what the step touched."""
    upgraded, steps = mesh
    for step in reversed(_applied(steps)):
        back = {row["urn"] for row in upgraded.taken(step.rollback.document)}
        assert back == upgraded.did[step.title], step.title
    assert upgraded.project.changes() == []
    assert _istiods(upgraded) == [("istiod-1-30-3", "1.30.3")] * 2


def _applied(steps: tuple[Step, ...]) -> list[Step]:
    return [step for step in steps if step.changes_document]


def _istiods(upgraded: Upgraded) -> list[tuple[str, str]]:
    """Name and version of every istiod."""
    return [
        (item["metadata"]["name"], item["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2])
        for api in upgraded.apis.values()
        for item in api.get("/apis/apps/v1/namespaces/istio-system/deployments")["items"]
        if item["metadata"]["name"].startswith("istiod")
    ]
