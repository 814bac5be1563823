"""A real lab for the tests below: two API servers, started once per session in a folder of its own; three or four from
when a module asks for them (`lab3`, `bare_lab4`).

What is in it is what the module asks for: the stand-ins of Istio (`lab`), or its kinds and nothing else (`bare_lab`);
either with Istio's own kinds too (`crd_lab`, `bare_crd_lab`). Tests share it, so each works in a namespace of its own
(`fresh_namespace`) and waits with `eventually`.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from kubernetes import client, config

from meshctl.lab import Report
from meshctl.lab.api import APPLY, Api, ApiError
from meshctl.lab.commands import plain_report
from meshctl.lab.lab import DEFAULT_CLUSTERS, Lab
from meshctl.lab.prepare import NAMESPACE, root_namespace
from tests.support.crds import forget_kept, know_istio, know_stand_ins
from tests.support.istio_documents import CRDS
from tests.support.objects import custom

T = TypeVar("T")
pytest.register_assert_rewrite("tests.support.faults")
LONG = ("interrupted", "topologies", "upgrade", "secrets", "examples", "tokens", "rotation", "check")
"""Modules that take longest, in that order: what comes last decides how long one process waits for the other."""
TOGETHER = {"check_charts": "check"}
"""Both listen where a gateway's address points to, and that is the same in every lab."""
FOUR_CLUSTERS = ("cluster1", "cluster2", "cluster3", "cluster4")
THREE_CLUSTERS = (*DEFAULT_CLUSTERS, "cluster3")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For several processes: a module stays in one of them, and so do all modules with Istio's own kinds, which take
    longest to bring. These come first, and then what takes longest.

    First of all hooks, since that of pytest-xdist reads the marks and would find none after it.
    """
    place = {}
    for item in (item for item in items if Path(__file__).parent in item.path.parents):
        shared = {"crd_lab", "bare_crd_lab"} & {*getattr(item, "fixturenames", ())}
        name = item.path.stem.removeprefix("test_")
        item.add_marker(pytest.mark.xdist_group("crd_lab" if shared else TOGETHER.get(name, name)))
        place[item] = 0 if shared else 1 + LONG.index(name) if name in LONG else 1 + len(LONG)
    items.sort(key=lambda item: place.get(item, -1))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Where groups are asked for they must be there: without them every lab is built in each process, which takes
    nearly twice as long and says nothing (pytest 9.2 with pytest-xdist 3.8)."""
    mine = [item for item in session.items if Path(__file__).parent in item.path.parents]
    if session.config.getoption("loadgroup", False) and not all("@" in item.nodeid for item in mine):
        raise pytest.UsageError("pytest-xdist grouped no tests: its version and that of pytest do not go together")


class RealLab(Lab):
    """The lab, with the official client for its clusters."""

    rooted: frozenset[str] = frozenset()
    """Clusters that have the root namespace of the stand-ins."""
    real: frozenset[str] = frozenset()
    """Those whose kinds are Istio's own."""

    def client(self, cluster: str) -> client.ApiClient:
        """As administrator."""
        made: client.ApiClient = config.new_client_from_config(str(self.kubeconfig(cluster)))
        return made

    def with_(self, clusters: tuple[str, ...] = DEFAULT_CLUSTERS, *, rooted: bool, real: bool = False) -> RealLab:
        """The same lab, with that in these clusters, and without what the module before has left."""
        if not self.exists or not {*clusters} <= {cluster.name for cluster in self.clusters()}:
            self.up(clusters, namespaces=())
            self.real = frozenset()
        with ThreadPoolExecutor() as pool:
            list(pool.map(partial(self._make, rooted=rooted, real=real), clusters))
        self.rooted = self.rooted | {*clusters} if rooted else self.rooted - {*clusters}
        self.real = self.real | {*clusters} if real else self.real - {*clusters}
        return self

    def _make(self, cluster: str, *, rooted: bool, real: bool) -> None:
        api, had = Api(self.kubeconfig(cluster)), cluster in self.rooted
        tidy(api, {NAMESPACE} if rooted and had else set())
        if not rooted:
            take_rights(api)
        elif not had:
            add_root(api)
        if real != (cluster in self.real):
            (know_istio if real else know_stand_ins)(api)


class Eventually(Protocol):
    """Asks again until the answer is neither None nor false nor a refusal of the API server, and returns it."""

    def __call__(self, question: Callable[[], T | None], seconds: float = 120) -> T: ...


@pytest.fixture(scope="session")
def lab_progress(request: pytest.FixtureRequest) -> Report:
    """Says what is being built, past the capture of output: the very first time it takes minutes."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def write(line: str) -> None:
        if "building" in line:
            with capture.global_and_fixture_disabled():
                print(line)  # noqa: T201

    return plain_report(write)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, lab_progress: Report) -> Iterator[RealLab]:
    """The processes: those of a cluster from when it is first asked for."""
    lab = RealLab(tmp_path_factory.mktemp("lab"), lab_progress)
    # They collect garbage a third as often, for a few hundred MiB more; processors are what the tests wait for.
    os.environ.setdefault("GOGC", "300")
    try:
        yield lab
    finally:
        if lab.exists:
            lab.down()


@pytest.fixture(scope="module")
def lab(servers: RealLab) -> RealLab:
    """The lab as `make up` has it: its kinds take whatever a spec holds, and the root namespace is there."""
    return servers.with_(rooted=True)


@pytest.fixture(scope="module")
def lab3(servers: RealLab) -> RealLab:
    """The same, with a third cluster."""
    return servers.with_(THREE_CLUSTERS, rooted=True)


@pytest.fixture(scope="module")
def bare_lab(servers: RealLab) -> RealLab:
    """Two clusters in which Istio's kinds are known and nothing of Istio is there: for charts."""
    return servers.with_(rooted=False)


@pytest.fixture(scope="module")
def bare_lab4(servers: RealLab) -> RealLab:
    """The same, with four clusters."""
    return servers.with_(FOUR_CLUSTERS, rooted=False)


@pytest.fixture(scope="module")
def crd_lab(servers: RealLab) -> RealLab:
    """As `lab`, with Istio's own kinds where they are at hand: then API servers refuse what Istio does not know."""
    return servers.with_(rooted=True, real=CRDS.exists())


@pytest.fixture(scope="module")
def bare_crd_lab(servers: RealLab) -> RealLab:
    """As `bare_lab`, with those kinds."""
    return servers.with_(rooted=False, real=CRDS.exists())


def add_root(api: Api) -> None:
    """The root namespace, with the account that istiod reads with."""
    for path, body in root_namespace(NAMESPACE):
        api.apply(path, body)


def take_rights(api: Api) -> None:
    """Those of that account, which do not go with the namespace."""
    for path, body in root_namespace(NAMESPACE):
        if body["kind"].startswith("ClusterRole"):
            with suppress(ApiError):  # Where it never was.
                api.request("DELETE", path)


def tidy(api: Api, stay: set[str]) -> None:
    """Take namespaces away that a cluster does not have by itself, and the CRDs of charts that a destroy kept."""
    path, own = "/api/v1/namespaces", {"default", "kube-node-lease", "kube-public", "kube-system"} | stay

    def left() -> list[str]:
        return [item["metadata"]["name"] for item in api.get(path)["items"] if item["metadata"]["name"] not in own]

    for name in left():
        with suppress(ApiError):  # One that goes already may be gone.
            api.request("DELETE", f"{path}/{name}")
    end = time.monotonic() + 60
    while stays := left():
        assert time.monotonic() < end, f"{stays} do not go"
        time.sleep(0.1)
    forget_kept(api)
    assert custom(api) == set(), "these were left"


def refused(api: Api, path: str, body: dict[str, Any]) -> str | None:
    """What the API server says against an object; None where it would take it. Nothing is stored."""
    try:
        api.request("PATCH", f"/apis/{path}?fieldManager=test&dryRun=All&fieldValidation=Strict", body, APPLY)
    except ApiError as error:
        # An object that does not even have the shape of its kind is answered with 500.
        if error.status not in (400, 422) and "failed to create typed patch object" not in str(error):
            raise
        return str(error)
    return None


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    def ask(question: Callable[[], Any], seconds: float = 120) -> Any:
        end = time.monotonic() + seconds
        while True:
            last: object = None
            try:
                if answer := question():
                    return answer
            except client.ApiException as error:
                last = error
            if time.monotonic() > end:
                pytest.fail(f"still not so after {seconds:.0f} s; the API server's last word: {last}")
            time.sleep(0.05)

    return ask


@pytest.fixture
def fresh_namespace(lab: RealLab, eventually: Eventually) -> Iterator[str]:
    """A namespace of cluster1 that nobody else uses, with its account; its removal is asked for, and not waited for."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    core = client.CoreV1Api(lab.client("cluster1"))
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    # Kubernetes deletes a token whose account is not there, and makes the account a moment after the namespace.
    eventually(lambda: core.read_namespaced_service_account("default", name))
    yield name
    core.delete_namespace(name)


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    """Where a test may start a lab of its own."""
    return tmp_path / ".lab"
