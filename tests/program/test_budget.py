"""How much there is in a mesh: what a cluster costs stays the same, however large the mesh."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.bench.grown import grown
from tests.bench.parts import Made, own
from tests.support.graph import Graph
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
def test_own_objects_per_cluster_are_twenty_or_fewer(name: str, size: int) -> None:
    """Without what the charts hold and without the edges, which grow with the mesh and not with the cluster."""
    wanted = grown(document(name), size) | {"discovery": {"secrets": "bundled"}}  # fewer edges, which do not count
    names = [cluster["name"] for cluster in wanted["clusters"]]
    graph = federation(wanted, preview=True)
    _, objects = own(made(graph), names)
    assert set(objects) == set(names)
    # The external control plane's cluster has most: its gateway is a small mesh of its own.
    assert max(objects.values()) <= BUDGET


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
