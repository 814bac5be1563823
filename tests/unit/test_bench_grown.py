"""Recipes at another size: still meshes without errors, of the same shape."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.settings import MeshSettings, Severity, parse
from mesh_components.topology.findings import findings
from mesh_components.topology.plan import plan
from tests.bench.grown import grown
from tests.bench.recipes import cases
from tests.support.meshes import kubeconfigs
from tests.support.recipes import TOPOLOGIES, document

RECIPES = st.sampled_from(TOPOLOGIES)
SIZES = st.integers(2, 20)


def mesh(recipe: str, size: int) -> MeshSettings:
    return parse(grown(document(recipe), size))


@given(RECIPES, SIZES, st.sampled_from(["separate", "bundled"]))
def test_every_grown_recipe_is_a_mesh_without_errors(recipe: str, size: int, secrets: str) -> None:
    wanted = parse({**grown(document(recipe), size), "discovery": {"secrets": secrets}})
    assert len({cluster.name for cluster in wanted.clusters}) == size
    assert [str(f) for f in findings(wanted, kubeconfigs(wanted)) if f.severity is Severity.ERROR] == []


@given(RECIPES, SIZES)
def test_the_recipes_own_clusters_come_first_and_are_left_alone(recipe: str, size: int) -> None:
    before = document(recipe)
    given_ = copy.deepcopy(before)
    first = grown(given_, size)["clusters"][: len(before["clusters"])]
    assert first == before["clusters"][:size]
    assert given_ == before


@given(RECIPES, SIZES)
def test_a_single_network_stays_one_and_otherwise_every_copy_has_its_own(recipe: str, size: int) -> None:
    networks = {cluster["network"] for cluster in document(recipe)["clusters"]}
    found = {cluster.network for cluster in mesh(recipe, size).clusters}
    if len(networks) == 1:
        assert found == networks
    elif recipe != "several-primaries-and-remotes":
        assert len(found) == size


@pytest.mark.parametrize(
    ("recipe", "roles"),
    [
        ("multi-primary-multi-network", {"primary": 10}),
        ("primary-remote-multi-network", {"primary": 1, "remote": 9}),
        ("external-control-plane", {"external": 1, "config": 1, "remote": 8}),
        ("several-primaries-and-remotes", {"primary": 6, "remote": 4}),
    ],
)
def test_what_there_are_more_of(recipe: str, roles: dict[str, int]) -> None:
    found = [str(cluster.role) for cluster in mesh(recipe, 10).clusters]
    assert {role: found.count(role) for role in roles} == roles
    assert len(found) == sum(roles.values())


def test_copies_of_remotes_are_served_by_copies_of_their_primaries() -> None:
    clusters = {cluster.name: cluster for cluster in mesh("several-primaries-and-remotes", 8).clusters}
    assert clusters["cluster7"].control_plane == "cluster5"
    assert clusters["cluster7"].network == clusters["cluster5"].network != clusters["cluster3"].network
    assert clusters["cluster8"].control_plane == "cluster6"
    assert clusters["cluster8"].network != clusters["cluster6"].network


@given(st.sampled_from(["multi-primary-single-network", "multi-primary-multi-network"]), SIZES)
def test_primaries_have_an_edge_for_every_pair(recipe: str, size: int) -> None:
    assert len(plan(mesh(recipe, size)).edges) == size * (size - 1)


def test_both_kinds_of_secret_are_measured_where_several_istiods_read_several_clusters() -> None:
    found = [(case.clusters, case.secrets) for case in cases(["several-primaries-and-remotes"], [2, 5])]
    assert found == [(2, "bundled"), (4, "separate"), (4, "bundled"), (5, "separate"), (5, "bundled")]
    assert [case.secrets for case in cases(["primary-remote-multi-network"], [2, 5])] == ["separate"] * 2
