"""The root is replaced in three clusters: through all phases, killed between any two resources, and trust holds.

What is judged are the Secrets on the API servers, every version of them, in the order in which they came.
"""

from __future__ import annotations

import base64
import signal
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise, permutations, product
from typing import Any

import pytest
from kubernetes import client, watch

from mesh_components.topology.rotate import rotation_plan
from tests.lab.conftest import RealLab
from tests.support.objects import NAMESPACE
from tests.support.project import Project
from tests.support.workloads import Leaf, accepts, workload

pytestmark = pytest.mark.lab
CLUSTERS = ("cluster1", "cluster2", "cluster3")
PEMs = dict[str, str]
accepted = cache(accepts)


class Watcher:
    """Every version of `cacerts` in every cluster, as it comes; and whether it was ever gone."""

    def __init__(self, lab: RealLab) -> None:
        self.versions: list[tuple[str, PEMs]] = []
        self.gone: list[str] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._follow, args=(lab, name), daemon=True) for name in CLUSTERS]
        for thread in self._threads:
            thread.start()

    def _follow(self, lab: RealLab, cluster: str) -> None:
        core = client.CoreV1Api(lab.client(cluster))
        query = {"namespace": NAMESPACE, "field_selector": "metadata.name=cacerts"}
        version: str | None = None
        while not self._stop.is_set():
            try:
                if version is None:
                    version = core.list_namespaced_secret(**query).metadata.resource_version
                for event in watch.Watch().stream(
                    core.list_namespaced_secret, **query, resource_version=version, timeout_seconds=2
                ):
                    found = event["object"]
                    version = found.metadata.resource_version
                    with self._lock:
                        if event["type"] == "DELETED":
                            self.gone.append(cluster)
                        else:
                            self.versions.append((cluster, decoded(found)))
            except Exception:  # noqa: BLE001 - a server that is away is part of the test; what was missed comes after it
                self._stop.wait(0.5)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


def decoded(secret: Any) -> PEMs:
    return {key: base64.b64decode(value).decode() for key, value in secret.data.items()}


def carried(lab: RealLab) -> dict[str, PEMs]:
    return {
        name: decoded(client.CoreV1Api(lab.client(name)).read_namespaced_secret("cacerts", NAMESPACE))
        for name in CLUSTERS
    }


def strangers(now: Mapping[str, PEMs], leaves: Mapping[str, set[Leaf]]) -> list[str]:
    """Whose workloads are refused where."""
    return [
        f"{caller} in {callee}"
        for caller, callee in product(now, repeat=2)
        for leaf in leaves[caller]
        if not accepted(now[callee]["root-cert.pem"], leaf)
    ]


@cache
def signed(ca: str, key: str, chain: str, cluster: str) -> Leaf:
    return workload({"ca-cert.pem": ca, "ca-key.pem": key, "cert-chain.pem": chain}, cluster)


def leaf_of(pems: PEMs, cluster: str) -> Leaf:
    return signed(pems["ca-cert.pem"], pems["ca-key.pem"], pems["cert-chain.pem"], cluster)


@pytest.fixture(scope="module")
def project(lab3: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("rotation"), lab3.dir)
    document = project.document
    first = document["clusters"][0]
    document["clusters"] = [
        {
            **first,
            "name": name,
            "network": f"network{number}",
            "kubeconfig": {"file": f".lab/clusters/{name}/kubeconfig"},
        }
        for number, name in enumerate(CLUSTERS, 1)
    ]
    # Protected, as outside of a lab: what a phase takes away must have lost its protection before.
    document["trust"] = {"multiRoot": True, "protectRoot": True}
    project.write(document)
    yield project
    project.write({**project.document, "trust": {**project.document["trust"], "protectRoot": False}})
    project.done("up", "--yes")
    project.done("destroy", "--yes")


def killed(project: Project, after: int) -> bool:
    """Run `up`, and kill it after that many finished steps; False where it came to its end before."""
    with project.running("up", "--yes") as run:
        seen = 0
        for line in run.stderr:
            seen += line.startswith((" + ", " ~ ", " - "))
            if seen >= after:
                run.send_signal(signal.SIGKILL)
                break
        run.stderr.read()
        return run.wait() == -signal.SIGKILL


def refused(project: Project) -> str:
    result = project.run("preview")
    assert result.returncode == 1, result.stdout
    return " ".join(f"{result.stdout}{result.stderr}".split())


def test_the_root_is_replaced_and_nobody_notices(project: Project, lab3: RealLab) -> None:
    start = project.document
    project.done("up", "--yes")
    watcher = Watcher(lab3)
    steps = {step.kind: step.document for step in rotation_plan(start, "root")}
    assert list(steps) == ["add", "switch", "retire", "finish"]
    phases = [carried(lab3)]

    def done() -> None:
        project.done("up", "--yes")
        assert project.changes() == []
        phases.append(carried(lab3))

    try:
        # A phase out of turn is refused, and nothing has happened.
        project.write(steps["switch"])
        assert "the mesh is at root 1, and the document says phase switch of root 1 to 2" in refused(project)
        assert project.run("up", "--yes").returncode == 1
        assert carried(lab3) == phases[0]

        # A cluster that is away while the others are updated: the next phase waits for it.
        project.write(steps["add"])
        said = project.run("preview")
        assert "trust, phase add of root 1 to 2: every cluster trusts both roots, and root 1 signs" in said.stderr
        lab3.stop_apiserver("cluster3")
        assert project.run("up", "--yes").returncode != 0
        lab3.start_apiserver("cluster3")
        found = carried(lab3)
        counts = {name: pems["root-cert.pem"].count("BEGIN CERTIFICATE") for name, pems in found.items()}
        assert counts["cluster3"] == 1
        project.write(steps["switch"])
        assert "the mesh is at root 1, and the document says phase switch" in refused(project)
        project.write(steps["add"])
        done()

        # Killed after ever more finished steps: what was begun is finished by running it again.
        project.write(steps["switch"])
        before = {name: {leaf_of(pems, name)} for name, pems in phases[-1].items()}
        kills = 0
        while killed(project, 1 + kills):
            kills += 1
            assert strangers(carried(lab3), before) == []
        assert kills >= 5
        done()

        # And one step back, killed in the middle, and forth again.
        project.write(steps["add"])
        assert killed(project, 4)
        project.write(steps["switch"])
        project.done("up", "--yes")
        phases[-1] = carried(lab3)

        for kind in ("retire", "finish"):
            project.write(steps[kind])
            killed(project, 2)
            done()
    finally:
        watcher.stop()

    assert watcher.gone == []
    check_every_version(watcher, phases)
    check_every_order(phases)
    assert phases[-1] == phases[-2], "the end changes no Secret"
    roots = [pems["cluster1"]["root-cert.pem"].count("BEGIN CERTIFICATE") for pems in phases]
    assert roots == [1, 2, 2, 1, 1]


def check_every_version(watcher: Watcher, phases: list[dict[str, PEMs]]) -> None:
    """After each change of any Secret, everybody accepts what everybody signs with, and what was signed just before."""
    now = dict(phases[0])
    both = phases[2]["cluster1"]["root-cert.pem"]
    living = {cluster: {leaf_of(pems, cluster)} for cluster, pems in now.items()}
    for cluster, pems in watcher.versions:
        if pems["root-cert.pem"] != both and pems["ca-cert.pem"] == phases[-1][cluster]["ca-cert.pem"]:
            # Retired: the plan waited until what was signed before `switch` had ended.
            living = {name: {leaf_of(phases[2][name], name)} for name in CLUSTERS}
        now[cluster] = pems
        living[cluster].add(leaf_of(pems, cluster))
        assert strangers(now, living) == []
    assert {cluster for cluster, _ in watcher.versions} == set(CLUSTERS)
    assert now == phases[-1]


def check_every_order(phases: list[dict[str, PEMs]]) -> None:
    """The Secrets as they were on the servers, in any order in which three clusters may get them."""
    for before, after in pairwise(phases):
        for order in permutations(CLUSTERS):
            for count in range(len(order) + 1):
                now = {name: (after if name in order[:count] else before)[name] for name in CLUSTERS}
                assert strangers(now, {name: {leaf_of(pems, name)} for name, pems in now.items()}) == []


def test_an_intermediate_is_replaced_in_place(project: Project, lab3: RealLab) -> None:
    before = carried(lab3)
    watcher = Watcher(lab3)
    document = project.document
    try:
        document["trust"] = {**document["trust"], "intermediateSerials": {"cluster2": 2}}
        project.write(document)
        ops = [(row["op"], row["name"]) for row in project.changes()]
        assert sorted(ops) == sorted(
            [("update", "mesh-cluster2-trust-cacerts")]
            + [("create", f"mesh-trust.2-cluster2.2{part}") for part in ("", "-key", "-request")]
            + [("delete", f"mesh-trust.2-cluster2{part}") for part in ("", "-key", "-request")]
        )
        project.done("up", "--yes")
        after = carried(lab3)
    finally:
        watcher.stop()
    assert watcher.gone == []
    assert [cluster for cluster, _ in watcher.versions] == ["cluster2"]
    assert after["cluster2"]["ca-key.pem"] != before["cluster2"]["ca-key.pem"]
    assert {name: pems for name, pems in after.items() if name != "cluster2"} == {
        name: pems for name, pems in before.items() if name != "cluster2"
    }
    # What the old one has signed is accepted still.
    leaves = {name: {leaf_of(before[name], name), leaf_of(after[name], name)} for name in CLUSTERS}
    assert strangers(after, leaves) == []


def test_no_key_is_in_clear_anywhere(project: Project, lab3: RealLab) -> None:
    keys = [pems["ca-key.pem"].splitlines()[1] for pems in carried(lab3).values()]
    document = project.document
    document["trust"] = {**document["trust"], "rotation": {"phase": "switch"}}
    project.write(document)
    seen = {
        "state": "".join(path.read_text() for path in project.state.parent.iterdir()),
        "refusal": refused(project),
    }
    document["trust"].pop("rotation")
    project.write(document)
    seen["preview"] = project.done("preview", "--json")
    for place, text in seen.items():
        assert "PRIVATE KEY" not in text, place
        assert not [key for key in keys if key in text], place
