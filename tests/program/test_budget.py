"""How much there is in a mesh: what a cluster costs stays the same, however large the mesh."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.bench.grown import grown
from tests.bench.parts import Made, own
from tests.support.graph import ROOT, Graph
from tests.support.meshes import federation
from tests.support.recipes import TOPOLOGIES, document

BUDGET = 20
MESHES = [(name, size) for name in TOPOLOGIES for size in sorted({len(document(name)["clusters"]), 2, 5, 10})]


@pytest.fixture(autouse=True)
def _deep() -> Iterator[None]:
    """A registration under mocks runs what else is ready inside of itself: with ten clusters, hundreds of frames."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(limit)


def made(graph: Graph) -> list[Made]:
    return [Made(item.name, tuple(graph.components(item))) for item in graph.resources_by_name.values()]


@pytest.mark.parametrize(("name", "size"), MESHES)
def test_own_resources_per_cluster_are_twenty_or_fewer(name: str, size: int) -> None:
    """Components, provider, keys and certificates included; without what the charts hold and without the edges, which
    grow with the mesh and not with the cluster.

    The cluster of an external control plane holds two meshes, the one it serves and the one of the gateway in front of
    it: there it is counted for each of them.
    """
    wanted = grown(document(name), size) | {"discovery": {"secrets": "bundled"}}  # fewer edges, which do not count
    clusters = {cluster["name"]: cluster.get("role", "primary") for cluster in wanted["clusters"]}
    found = made(federation(wanted, preview=True))
    resources, objects = own(found, clusters)
    assert set(objects) == set(clusters)
    assert max(objects.values()) <= BUDGET
    assert max(count for cluster, count in resources.items() if clusters.get(cluster) != "external") <= BUDGET
    for cluster in (cluster for cluster, role in clusters.items() if role == "external"):
        gateway = [item for item in found if item.part == "own" and item.name.startswith(f"mesh-{cluster}-gateway")]
        assert 0 < len(gateway) <= BUDGET
        assert 0 < resources[cluster] - len(gateway) <= BUDGET


def test_the_provider_of_crds_that_are_kept_fits_too() -> None:
    """The recipe with most, with all that the choice of its CRDs adds."""
    wanted = document("mixed-data-planes")
    wanted["istio"]["crds"] = "objects"
    found = made(federation(wanted, preview=True))
    adopting = [item for item in found if item.name.endswith("-kubernetes-adopting")]
    assert len(adopting) == len(wanted["clusters"])
    resources, _ = own(found, [cluster["name"] for cluster in wanted["clusters"]])
    assert max(resources.values()) <= BUDGET


def test_the_parts_of_an_external_control_plane_s_cluster_are_those_of_the_page() -> None:
    """docs/performance.md says why it holds more than other clusters, part by part."""
    wanted = document("external-control-plane")
    found = [item for item in made(federation(wanted, preview=True)) if item.part == "own"]
    counted = Counter(item.types[1].rpartition(":")[2] for item in found if item.home(["control"]))
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", (ROOT / "docs/performance.md").read_text(), re.MULTILINE)
    assert {part: int(count) for part, count in rows} == counted


def test_a_resource_counts_for_the_cluster_that_it_is_there_for() -> None:
    names = ["cluster1", "cluster10"]
    found = {
        "mesh-cluster1": "cluster1",
        "mesh-cluster10-trust-cacerts": "cluster10",
        "mesh-trust-cluster10-key": "cluster10",
        "mesh-trust-root-key": "",
        "mesh": "",
    }
    assert {name: Made(name, ("x",)).home(names) for name in found} == found
