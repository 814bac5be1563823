"""`mesh verify` on real API servers. No pod runs there: what the clients would say is a stand-in's (`ScriptedAnswers`),
everything else is as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from meshctl.check.gather import Limits
from meshctl.check.look import look
from meshctl.check.matrix import Cell
from meshctl.lab.api import MERGE, Api
from meshctl.lab.prepare import NAMESPACE
from meshctl.local.project import load
from meshctl.local.providers.kubernetes.transport import Transport
from meshctl.verify.asking import CannotAskError, run
from meshctl.verify.causes import Cause
from meshctl.verify.run import Wish
from meshctl.verify.run import run as verify
from meshctl.verify.verdict import FAILED, NOT_ASKED, VERIFIED, Verdict
from tests.lab.conftest import Eventually, RealLab
from tests.support.project import PASSPHRASE, Project
from tests.support.scripted import ScriptedAnswers, hello

pytestmark = pytest.mark.lab
SAMPLE = "/api/v1/namespaces/sample"
SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/istio-remote-secret-cluster2"
ROOT_NAMESPACE = f"/api/v1/namespaces/{NAMESPACE}"
GATEWAY = f"{ROOT_NAMESPACE}/services/istio-eastwestgateway"
Undo = Callable[[], object] | None


@pytest.fixture(scope="module")
def project(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("project"), lab.dir)
    project.write({**project.document, "applications": {"helloworld": {}, "bookinfo": {}}})
    project.done("up", "--yes")
    yield project
    project.done("destroy", "--yes")


@pytest.fixture(scope="module")
def apis(project: Project, lab: RealLab) -> dict[str, Api]:
    assert project.state.exists()
    return {name: Api(lab.kubeconfig(name)) for name in ("cluster1", "cluster2")}


def pods(api: Api, app: str) -> list[str]:
    found = api.get(f"{SAMPLE}/pods?labelSelector=app%3D{app}")["items"]
    return [pod["metadata"]["name"] for pod in found if "deletionTimestamp" not in pod["metadata"]]


def answers(apis: dict[str, Api], *, only_local: bool = False) -> ScriptedAnswers:
    """What the clients would say: both versions in turn, or in cluster1 its own only."""
    (one,), (two,) = (pods(apis[name], "helloworld") for name in ("cluster1", "cluster2"))
    both = [hello("v1", one), hello("v2", two)]
    scripts = {"cluster1": both[:1] if only_local else both, "cluster2": both}
    return ScriptedAnswers({pods(apis[name], "curl")[0]: lines for name, lines in scripts.items()})


@pytest.fixture
def verdict(project: Project, apis: dict[str, Api], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Verdict]:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    wish = Wish(project.stack, Path(project.folder), engine="local")
    return lambda **how: verify(wish, answers(apis, **how))


def test_where_no_pod_runs_it_says_so_and_looks_at_the_rest(project: Project, apis: dict[str, Api]) -> None:
    assert apis
    result = project.run("verify", "--json")
    assert result.returncode == NOT_ASKED, result.stderr
    said: dict[str, Any] = json.loads(result.stdout)
    assert [one["from"] for one in said["asked"]] == ["cluster1", "cluster2"]
    assert {one["unasked"] for one in said["asked"]} == {"the lab pretends its pods, and nothing runs in them"}
    assert {(one["from"], one["to"]) for one in said["causes"]} == {
        (a, b) for a in ("cluster1", "cluster2") for b in ("cluster1", "cluster2")
    }
    assert "wrong" not in {one["state"] for one in said["causes"]}
    assert {one["state"] for one in said["causes"] if one["number"] == 2} == {"ok"}
    text = project.run("verify").stdout
    assert "nothing is wrong in what can be seen" in text


def test_what_is_asked_of_a_pod_goes_through_the_api_server(apis: dict[str, Api], lab: RealLab) -> None:
    """And ends at its node, which has no kubelet here."""
    transport = Transport("cluster1", lab.kubeconfig("cluster1").read_text())
    (name,) = pods(apis["cluster1"], "curl")
    pod = apis["cluster1"].get(f"{SAMPLE}/pods/{name}")
    with pytest.raises(CannotAskError, match=rf"exec into pod {name} failed: .*10250/exec/sample"):
        run(transport, pod, ["true"], 5)


def test_both_versions_from_everywhere_is_verified(verdict: Callable[..., Verdict]) -> None:
    found = verdict()
    assert found.exit_code == VERIFIED
    assert found.causes == ()
    assert [(one.cluster, sorted(one.counts.values())) for one in found.asked] == [
        ("cluster1", [10, 10]),
        ("cluster2", [10, 10]),
    ]


def test_a_check_with_requests_fills_the_data_path(
    project: Project, apis: dict[str, Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = json.loads(project.run("check", "--requests", "2", "--json").stdout)
    assert {one["state"] for one in said["checks"] if one["code"] == "CHECK803"} == {"unknown"}
    assert {pair["path"] for pair in said["pairs"]} == {"unknown"}
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", PASSPHRASE)
    asker = answers(apis, only_local=True)
    report = look(load(project.folder, project.stack), "local", None, Limits(), requests=20, asker=asker)
    assert {(pair.reader, pair.source): pair.path for pair in report.pairs} == {
        ("cluster1", "cluster2"): Cell.NO,
        ("cluster2", "cluster1"): Cell.YES,
    }
    assert [(one.code, one.where) for one in report.problems] == [("CHECK803", "cluster1 to cluster2")]


def wrong(found: Verdict) -> dict[int, Cause]:
    """Causes that are wrong, by number."""
    return {cause.number: cause for cause in found.causes if cause.state == "wrong"}


def without_secret(apis: dict[str, Api]) -> Undo:
    """Mended by `mesh up`: one made by hand would be somebody else's, and left by destroy."""
    apis["cluster1"].request("DELETE", SECRET)
    return None


def without_pods(apis: dict[str, Api]) -> Callable[[], object]:
    path = "/apis/apps/v1/namespaces/sample/deployments/helloworld-v2"
    apis["cluster2"].request("PATCH", path, {"spec": {"replicas": 0}}, MERGE)
    return lambda: apis["cluster2"].request("PATCH", path, {"spec": {"replicas": 1}}, MERGE)


def without_port(apis: dict[str, Api]) -> Undo:
    ports = apis["cluster2"].get(GATEWAY)["spec"]["ports"]
    fewer = [port for port in ports if port["port"] != 15443]
    apis["cluster2"].request("PATCH", GATEWAY, {"spec": {"ports": fewer}}, MERGE)
    return lambda: apis["cluster2"].request("PATCH", GATEWAY, {"spec": {"ports": ports}}, MERGE)


def of_another_network(apis: dict[str, Api]) -> Undo:
    label = "topology.istio.io/network"
    body = {"metadata": {"labels": {label: "network1"}}}
    apis["cluster2"].request("PATCH", ROOT_NAMESPACE, body, MERGE)
    back = {"metadata": {"labels": {label: "network2"}}}
    return lambda: apis["cluster2"].request("PATCH", ROOT_NAMESPACE, back, MERGE)


def without_certificate(apis: dict[str, Api]) -> Undo:
    path = f"{ROOT_NAMESPACE}/secrets/cacerts"
    key = apis["cluster2"].get(path)["data"]["root-cert.pem"]
    apis["cluster2"].request("PATCH", path, {"data": {"root-cert.pem": None}}, MERGE)
    return lambda: apis["cluster2"].request("PATCH", path, {"data": {"root-cert.pem": key}}, MERGE)


@pytest.mark.parametrize(
    ("break_it", "number"),
    [(without_secret, 1), (without_port, 3), (of_another_network, 4), (without_certificate, 5)],
    ids=["secret", "port", "network", "certificate"],
)
def test_where_only_the_local_one_answers_the_cause_is_found(
    break_it: Callable[[dict[str, Api]], Undo],
    number: int,
    apis: dict[str, Api],
    project: Project,
    verdict: Callable[..., Verdict],
) -> None:
    mend = break_it(apis) or (lambda: project.done("up", "--yes"))
    try:
        found = verdict(only_local=True)
    finally:
        mend()
    assert found.exit_code == FAILED
    assert found.only_local == ["cluster1"]
    assert [(caller, str(target)) for caller, target in found.missing] == [("cluster1", "v2 in cluster2")]
    assert set(wrong(found)) == {number}


def test_pods_that_are_not_there_are_the_second_cause(
    apis: dict[str, Api], project: Project, eventually: Eventually
) -> None:
    mend = without_pods(apis)
    try:
        eventually(lambda: not pods(apis["cluster2"], "helloworld"))
        said = json.loads(project.run("verify", "--json").stdout)
    finally:
        mend()
    found = {one["number"] for one in said["causes"] if one["state"] == "wrong" and one["to"] == "cluster2"}
    assert found == {2}
    eventually(lambda: pods(apis["cluster2"], "helloworld"))


def test_a_stack_without_it_is_told_how_to_have_it(lab: RealLab, tmp_path: Path) -> None:
    project = Project(tmp_path / "project", lab.dir)
    result = project.run("verify")
    assert result.returncode == 1
    assert "applications: {helloworld: {}}" in result.stderr


def test_every_object_is_there_and_a_second_look_finds_nothing_to_do(project: Project, lab: RealLab) -> None:
    assert project.changes() == []
    for name in ("cluster1", "cluster2"):
        core = client.CoreV1Api(lab.client(name))
        services = {item.metadata.name for item in core.list_namespaced_service("bookinfo").items}
        assert services == {"productpage", "details", "reviews", "ratings"}
