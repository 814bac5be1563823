"""What a picture shows follows from the document, for any mesh one may draw."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from mesh_components.settings import parse
from mesh_components.topology.plan import plan
from mesh_components.topology.revisions import Revision
from meshctl.graph import jsontext, sharing, words
from meshctl.graph.model import Graph, graph
from tests.support.drawings import MESHES, drawing, stack


def pairs(found: Graph) -> set[tuple[str, str, str, int, tuple[str, ...]]]:
    return {(link.caller, link.target, link.plane, link.port, link.through) for link in found.calls}


@given(MESHES)
def test_every_link_joins_clusters_of_the_picture(document: dict[str, Any]) -> None:
    topology = plan(parse(document))
    found = graph(topology)
    clusters = {cluster.name: cluster for cluster in found.clusters()}
    assert set(clusters) == {cluster["name"] for cluster in document["clusters"]}
    assert {(link.reader, link.source) for link in found.discovery} == {(e.reader, e.source) for e in topology.edges}
    assert all(clusters[name].istiods for name in found.signs)
    for link in found.control:
        assert clusters[link.cluster].control_plane == link.server
        assert clusters[link.server].gateway(link.gateway)
    for call in found.calls:
        assert call.caller != call.target
        same = clusters[call.caller].network == clusters[call.target].network
        assert same == (call.port == 0) == (not call.through)
        assert all(clusters[name].network == clusters[call.target].network for name in call.through)


@given(MESHES)
def test_where_every_istiod_reads_all_everyone_calls_everyone(document: dict[str, Any]) -> None:
    found = drawing({**document, "discovery": {}})
    members = {cluster.name for network in found.networks for cluster in network.clusters}
    assert {(link.caller, link.target) for link in found.calls} == {
        (one, other) for one in members for other in members if one != other
    }


class TestCalls:
    """A workload calls what its istiod knows, by the way that its data plane has."""

    def test_through_every_gateway_of_the_target_s_network(self) -> None:
        found = pairs(stack("several-primaries-and-remotes"))
        both = ("cluster1", "cluster3")
        assert ("cluster2", "cluster1", "sidecar", 15443, both) in found
        assert ("cluster2", "cluster3", "sidecar", 15443, both) in found
        assert ("cluster3", "cluster1", "sidecar", 0, ()) in found

    def test_by_both_planes_where_they_are_mixed(self) -> None:
        ways = {way[2:4] for way in pairs(stack("mixed-data-planes"))}
        assert ways == {("sidecar", 15443), ("ambient", 15008)}

    def test_only_as_far_as_discovery_reaches(self) -> None:
        edges = [{"source": "cluster2", "reader": "cluster1"}]
        document = {
            "id": "mesh1",
            "discovery": {"reach": "edges", "edges": edges},
            "clusters": [{"name": f"cluster{n}", "network": f"network{n}"} for n in (1, 2)],
        }
        assert [(link.caller, link.target) for link in drawing(document).calls] == [("cluster1", "cluster2")]

    def test_a_remote_calls_what_its_server_knows(self) -> None:
        found = stack("primary-remote-multi-network")
        assert {(link.caller, link.target) for link in found.calls} == {
            ("cluster1", "cluster2"),
            ("cluster2", "cluster1"),
        }


class TestSharing:
    """One line from many to many must not say that someone is reached who is not."""

    @given(MESHES)
    def test_a_shared_line_says_nothing_that_is_not_so(self, document: dict[str, Any]) -> None:
        found = drawing(document)
        networks = {cluster.name: cluster.network for cluster in found.clusters()}
        for plane in ("sidecar", "ambient"):
            lines = sharing.between(found, plane)
            links = {(link.caller, name) for link in found.calls if link.plane == plane for name in link.through}
            assert {pair for line in lines for pair in line} == links
            assert all(sharing.complete(line, networks) for line in lines)

    def test_spokes_do_not_share_a_line_with_their_hub(self) -> None:
        clusters = [{"name": f"cluster{n}", "network": f"network{n}"} for n in (1, 2, 3)]
        document = {"id": "mesh1", "discovery": {"reach": "hub-and-spoke", "hubs": ["cluster1"]}, "clusters": clusters}
        assert sharing.between(drawing(document), "sidecar") == [
            [("cluster1", "cluster2"), ("cluster1", "cluster3")],
            [("cluster2", "cluster1"), ("cluster3", "cluster1")],
        ]

    def test_nor_within_a_network(self) -> None:
        clusters = [{"name": f"cluster{n}", "network": "network1"} for n in (1, 2, 3)]
        document = {"id": "mesh1", "discovery": {"reach": "hub-and-spoke", "hubs": ["cluster1"]}, "clusters": clusters}
        assert len(sharing.direct(drawing(document), "network1")) == 2
        assert len(sharing.direct(drawing({"id": "mesh1", "clusters": clusters}), "network1")) == 1


class TestControl:
    @pytest.mark.parametrize(
        ("name", "served", "gateway"),
        [
            ("primary-remote-single-network", {("cluster2", "cluster1")}, "east-west"),
            ("several-primaries-and-remotes", {("cluster3", "cluster1"), ("cluster4", "cluster2")}, "east-west"),
            ("external-control-plane", {("cluster1", "control"), ("cluster2", "control")}, "external"),
            ("multi-primary-multi-network", set(), ""),
        ],
    )
    def test_remotes_reach_their_istiod_through_a_gateway(
        self, name: str, served: set[tuple[str, str]], gateway: str
    ) -> None:
        found = stack(name).control
        assert {(link.cluster, link.server) for link in found} == served
        assert all((link.gateway, link.ports) == (gateway, (15012, 15017)) for link in found)

    def test_an_external_control_plane_is_in_no_network(self) -> None:
        found = stack("external-control-plane")
        assert [cluster.name for cluster in found.outside] == ["control"]
        assert [network.name for network in found.networks] == ["network1", "network2"]
        assert {(link.source, link.secret, link.config) for link in found.discovery} == {
            ("cluster1", "istio-kubeconfig", True),
            ("cluster2", "istio-remote-secret-cluster2", False),
        }


class TestJson:
    """For programs: everything that the model has, and nothing that only a picture needs."""

    def test_keys_are_those_of_documents(self) -> None:
        found = json.loads(jsontext.write(stack("external-control-plane")))
        assert found["trustDomain"] == "cluster.local"
        (network, _) = found["networks"]
        assert network["clusters"][0]["controlPlane"] == "control"
        assert {"reader": "control", "source": "cluster1", "secret": "istio-kubeconfig", "config": True} in found[
            "discovery"
        ]


class TestWords:
    """For those who cannot see the picture."""

    def test_all_of_it_is_told(self) -> None:
        assert words.description(stack("several-primaries-and-remotes")) == (
            "The root CA signs an intermediate for cluster1 and cluster2. "
            "network1 has cluster1 (primary) and cluster3 (remote). network2 has cluster2 (primary). "
            "network3 has cluster4 (remote). The istiod of cluster2 reads cluster1, cluster3 and cluster4. "
            "The istiod of cluster1 reads cluster2, cluster3 and cluster4. "
            "cluster3 is served by the istiod of cluster1. cluster4 is served by the istiod of cluster2. "
            "Within a network pods reach each other directly. "
            "Requests between networks go through the east-west gateways of cluster2, cluster4, cluster1 and cluster3, "
            "port 15443."
        )

    @pytest.mark.parametrize(
        ("name", "version", "text"),
        [
            ("", "1.30.3", "istiod 1.30.3"),
            ("1-30-3", "1.30.3", "istiod-1-30-3"),
            ("blue", "1.30.3", "istiod-blue 1.30.3"),
            ("", "", "istiod"),
        ],
    )
    def test_a_version_is_told_once(self, name: str, version: str, text: str) -> None:
        assert words.istiod(Revision(name, version)) == text

    def test_a_version_that_something_else_decides_is_not_told(self) -> None:
        found = stack("local")
        assert {item.version for cluster in found.clusters() for item in cluster.istiods} == {""}
        assert words.facts(found) == "Istio installed by something else · trust domain cluster.local"

    def test_a_long_list_is_counted(self) -> None:
        clusters = [{"name": f"cluster{n}", "network": "network1"} for n in range(1, 9)]
        text = words.description(drawing({"id": "mesh1", "clusters": clusters}))
        assert "for cluster1, cluster2, cluster3, cluster4, cluster5 and 3 more." in text
