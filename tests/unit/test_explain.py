"""`mesh explain`: why something is there, by the document; for any name that a person may have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mesh_components.settings import parse
from mesh_components.topology.plan import plan
from mesh_components.topology.reasons import reason
from mesh_components.topology.resources import resources
from meshctl.cli import main
from tests.support.drawings import STACKS
from tests.support.drawings import stack as drawn
from tests.support.graph import ROOT

STACK = "several-primaries-and-remotes"


def explain(what: str, *words: str, stack: str = STACK) -> Result:
    return CliRunner().invoke(main, ["explain", what, "--cwd", str(ROOT), "--stack", stack, *words])


def told(what: str, stack: str = STACK) -> dict[str, Any]:
    found: list[dict[str, Any]] = json.loads(explain(what, "--json", stack=stack).stdout)
    return found[0]


class TestResources:
    """By the name in Pulumi, by that in Kubernetes, and by the URN."""

    def test_a_gateway_is_there_since_there_are_networks(self) -> None:
        found = told("mesh-cluster1-eastwest")
        assert found["why"] == "the mesh has 3 networks, so requests from other networks come in here"
        assert found["document"] == ["clusters[0].network"]
        assert "mesh-cluster1-eastwest-service (v1/Service)" in found["consists_of"]
        assert any("mesh-cluster1-istiod" in item for item in found["needs"])

    def test_an_object_by_its_name_in_kubernetes(self) -> None:
        found = told("istio-remote-secret-cluster2", "multi-primary-multi-network")
        assert found["what"] == "mesh-cluster2-to-cluster1-secret"
        assert found["part_of"][0] == "mesh-cluster2-to-cluster1 (mesh:RemoteSecret)"
        assert "mesh-cluster2-reader-secret (v1/Secret)" in found["needs"]

    def test_what_hangs_on_the_root_s_key(self) -> None:
        found = told("mesh-trust-root-key")
        assert "mesh-trust-root (tls:SelfSignedCert)" in found["needed_by"]
        assert found["document"] == ["trust"]


class TestEdgesAndClusters:
    def test_an_edge_by_what_asks_for_it(self) -> None:
        served = told("cluster3 -> cluster1")
        assert served["why"] == "cluster1 serves cluster3, so its istiod reads services and endpoints there"
        assert "clusters[2].controlPlane" in served["document"]
        assert "discovery.reach is full" in told("cluster1->cluster2")["why"]

    def test_a_cluster_with_its_edges(self) -> None:
        found = told("cluster1")
        assert found["kind"] == "cluster"
        assert "cluster3 -> cluster1 (edge)" in found["needed_by"]

    def test_an_edge_that_is_not_there_is_told_with_why(self) -> None:
        found = explain("cluster1 -> cluster3")
        assert found.exit_code == 1
        assert "the istiod of cluster3 does not read cluster1: discovery.reach is full, and remotes" in found.stderr
        assert "the mesh has no cluster 'cluster9'; did you mean" in explain("cluster1 -> cluster9").stderr


class TestFindings:
    def test_one_with_its_page(self) -> None:
        found = explain("mesh201")
        assert "Address ranges of two clusters of one network overlap" in found.stdout
        assert "docs/findings/MESH201.md" in found.stdout

    def test_a_number_that_is_not_there(self) -> None:
        found = explain("MESH299")
        assert (found.exit_code, found.stdout) == (1, "")
        assert "there is no finding MESH299; did you mean" in found.stderr


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    found = explain("mesh-cluster1-eastwst")
    assert found.exit_code == 1
    assert "did you mean mesh-cluster1-eastwest" in found.stderr


def test_the_page_shows_what_is_printed() -> None:
    found = explain("cluster2 -> cluster1", stack="multi-primary-multi-network")
    call = '$ mesh explain "cluster2 -> cluster1" --stack prod'
    assert f"{call}\n{found.stdout}```\n" in (ROOT / "docs/explain.md").read_text()


def test_as_text() -> None:
    lines = explain("mesh-cluster1-eastwest").stdout.splitlines()
    assert lines[0] == "mesh-cluster1-eastwest  mesh:EastWestGateway"
    assert "  asked for at:" in lines


@pytest.mark.parametrize("name", STACKS)
def test_every_component_of_every_recipe_has_a_reason_of_its_own(name: str) -> None:
    import yaml

    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text())["config"]["mesh:mesh"]
    topology = plan(parse(document))
    assert drawn(name)
    for item in resources(topology):
        why, places = reason(topology, item.type.rpartition(":")[2], *([item.cluster] if item.cluster else []))
        assert why
        assert places
