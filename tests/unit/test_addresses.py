"""The address plan over random meshes: no overlap, and nobody moves because of another."""

from __future__ import annotations

from ipaddress import ip_network
from itertools import combinations
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from mesh_components.settings import MeshSettings, Severity, parse
from mesh_components.topology.addresses import AddressPlan, addresses, slots
from mesh_components.topology.findings import findings

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,7}", fullmatch=True)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """One to eight clusters that are made here, in up to two networks, from pools of many sizes."""
    length = draw(st.integers(8, 16))
    prefix = draw(st.integers(max(length, 11), min(length + 8, 24)))
    names = draw(st.lists(NAMES, min_size=1, max_size=8, unique=True))
    clusters = []
    for name in names:
        cluster: dict[str, Any] = {
            "name": name,
            "network": draw(st.sampled_from(["net-a", "net-b"])),
            "create": {"gke": {"project": "my-project", "location": "europe-west3"}},
        }
        if draw(st.booleans()):
            cluster["slot"] = draw(st.integers(0, 2 ** (prefix - length) - 1))
        clusters.append(cluster)
    return {
        "id": "mesh1",
        "addresses": {"pool": f"10.0.0.0/{length}", "clusterPrefix": prefix},
        "clusters": clusters,
    }


def errors(mesh: MeshSettings) -> list[tuple[str, str, str]]:
    return [(f.code, f.place, f.fix) for f in findings(mesh) if f.severity is Severity.ERROR]


def planned(mesh: MeshSettings) -> dict[str, AddressPlan]:
    return {cluster.name: addresses(mesh, cluster) for cluster in mesh.clusters}


def all_ranges(plan: AddressPlan) -> list[Any]:
    return [ip_network(text) for text in (plan.pods, plan.services, plan.nodes, plan.control_plane)]


@given(documents())
def test_what_is_not_refused_does_not_overlap_and_is_in_the_pool(document: dict[str, Any]) -> None:
    mesh = parse(document)
    assume(not errors(mesh))
    pool = ip_network(mesh.addresses.pool)
    plans = planned(mesh)
    for network in {cluster.network for cluster in mesh.clusters}:
        ranges = [r for c in mesh.clusters if c.network == network for r in all_ranges(plans[c.name])]
        assert all(range_.subnet_of(pool) for range_ in ranges)
        assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))


@given(documents(), st.data())
def test_a_cluster_that_comes_or_goes_moves_no_other(document: dict[str, Any], data: st.DataObject) -> None:
    before = planned(parse(document))
    gone = data.draw(st.sampled_from(document["clusters"]))
    new = {**gone, "name": data.draw(NAMES.filter(lambda name: name not in before))}
    left = [cluster for cluster in document["clusters"] if cluster is not gone]
    at = data.draw(st.integers(0, len(left)))
    after = planned(parse({**document, "clusters": [*left[:at], new, *left[at:]]}))
    assert {name: after[name] for name in before if name != gone["name"]} == {
        name: plan for name, plan in before.items() if name != gone["name"]
    }


@given(documents())
def test_what_a_finding_proposes_ends_the_finding(document: dict[str, Any]) -> None:
    """Two clusters in one slot are always refused, and each slot that is proposed is free: no more steps than
    clusters, unless the pool is full."""
    mesh = parse(document)
    for _ in mesh.clusters:
        found = [item for item in errors(mesh) if item[0] == "MESH225"]
        if not found or "larger" in found[0][2]:
            break
        _, place, fix = found[0]
        index = int(place.partition("[")[2].partition("]")[0])
        number = int(fix.partition("slot: ")[2].partition("`")[0])
        clusters = list(mesh.clusters)
        clusters[index] = clusters[index].model_copy(update={"slot": number})
        mesh = mesh.model_copy(update={"clusters": tuple(clusters)})
    full = max(sum(c.network == n for c in mesh.clusters) for n in ("net-a", "net-b")) > slots(mesh.addresses)
    assert full or not [item for item in errors(mesh) if item[0] == "MESH225"]


def test_the_slot_of_a_name_is_for_ever() -> None:
    """It is in people's clouds: another way to count would replace their clusters."""
    mesh = parse(
        {
            "id": "m",
            "clusters": [{"name": "gke", "network": "n", "create": {"gke": {"project": "p", "location": "l"}}}],
        }
    )
    assert planned(mesh) == {"gke": AddressPlan("10.28.0.0/16", "10.29.128.0/18", "10.29.0.0/17", "10.29.192.0/28")}
