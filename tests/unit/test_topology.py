"""What follows from a document, for any mesh one may write."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.topology import names
from mesh_components.topology.edges import Edge, readers
from mesh_components.topology.findings import findings
from mesh_components.topology.plan import ClusterPlan, Topology, needs_east_west, networks, plan

MANY = 30


def cluster(number: int, network: str, **more: Any) -> ClusterSettings:
    return ClusterSettings(name=f"cluster{number}", network=network, **more)


def mesh(*clusters: ClusterSettings, **more: Any) -> MeshSettings:
    return MeshSettings(id="mesh1", clusters=clusters, **more)


NETWORKS = st.sampled_from(["network1", "network2", "network3"])
ROLES = st.sampled_from(["primary", "primary", "remote"])


@st.composite
def meshes(draw: st.DrawFn, roles: st.SearchStrategy[str] = ROLES, least: int = 0) -> MeshSettings:
    """Up to thirty clusters in up to three networks."""
    count = draw(st.integers(least, MANY))
    return mesh(*(cluster(number, draw(NETWORKS), role=draw(roles)) for number in range(count)))


ALL_PRIMARY = meshes(st.just("primary"))


class TestEdges:
    """istiod of each primary reads every other cluster
    (https://istio.io/latest/docs/setup/install/multicluster/multi-primary/)."""

    @given(ALL_PRIMARY)
    def test_primaries_read_each_other(self, wanted: MeshSettings) -> None:
        count = len(wanted.clusters)
        edges = plan(wanted).edges
        assert len(edges) == len(set(edges)) == count * (count - 1)

    @given(meshes())
    def test_every_primary_reads_all_others_and_a_remote_reads_none(self, wanted: MeshSettings) -> None:
        edges = plan(wanted).edges
        for reader in wanted.clusters:
            read = {edge.source for edge in edges if edge.reader == reader.name}
            others = {c.name for c in wanted.clusters} - {reader.name}
            assert read == (others if reader.role == "primary" else set())

    @given(meshes())
    def test_no_cluster_reads_itself_and_edges_are_sorted(self, wanted: MeshSettings) -> None:
        edges = plan(wanted).edges
        assert all(edge.source != edge.reader for edge in edges)
        assert list(edges) == sorted(edges)

    @given(meshes())
    def test_a_source_is_what_somebody_reads(self, wanted: MeshSettings) -> None:
        topology = plan(wanted)
        assert {c.name for c in topology.clusters if c.source} == {edge.source for edge in topology.edges}

    @given(meshes())
    def test_edges_join_clusters_of_the_mesh(self, wanted: MeshSettings) -> None:
        topology = plan(wanted)
        for edge in topology.edges:
            assert topology.cluster(edge.source).name == edge.source
            assert topology.cluster(edge.reader).settings in readers(wanted, topology.cluster(edge.source).settings)


class TestOrder:
    """The order in which clusters are written is taste, not meaning."""

    @given(meshes(), st.randoms(use_true_random=False))
    def test_another_order_is_the_same_mesh(self, wanted: MeshSettings, shuffler: random.Random) -> None:
        shuffled = list(wanted.clusters)
        shuffler.shuffle(shuffled)
        one, other = plan(wanted), plan(mesh(*shuffled))
        assert one.edges == other.edges
        assert set_of_plans(one) == set_of_plans(other)

    @given(meshes(), st.randoms(use_true_random=False))
    def test_another_order_has_the_same_findings_about_roles(
        self, wanted: MeshSettings, shuffler: random.Random
    ) -> None:
        shuffled = list(wanted.clusters)
        shuffler.shuffle(shuffled)
        one, other = findings(wanted), findings(mesh(*shuffled))
        assert sorted(f.code for f in one) == sorted(f.code for f in other)


class TestGrowth:
    """Adding a cluster adds it and its edges, and leaves the others alone."""

    @given(meshes(st.just("primary"), least=2), NETWORKS)
    def test_a_new_cluster_changes_no_plan_once_there_are_two_networks(
        self, wanted: MeshSettings, network: str
    ) -> None:
        before, after = plan(wanted), plan(mesh(*wanted.clusters, cluster(99, network)))
        joined = len(networks(wanted)) > 1 or network in networks(wanted)
        changed = set_of_plans(before) - set_of_plans(after)
        assert (changed == set()) == joined

    @given(meshes(least=1), ROLES, NETWORKS)
    def test_a_new_cluster_has_its_own_edges_and_changes_no_other(
        self, wanted: MeshSettings, role: str, network: str
    ) -> None:
        added = cluster(99, network, role=role)
        before, after = set(plan(wanted).edges), set(plan(mesh(*wanted.clusters, added)).edges)
        assert before <= after
        assert all(added.name in (edge.source, edge.reader) for edge in after - before)
        primaries = sum(c.role == "primary" for c in wanted.clusters)
        assert len(after - before) == primaries + (len(wanted.clusters) if role == "primary" else 0)

    @given(meshes(least=1))
    def test_taking_the_last_cluster_away_is_the_reverse(self, wanted: MeshSettings) -> None:
        gone = wanted.clusters[-1].name
        rest = plan(mesh(*wanted.clusters[:-1]))
        assert rest.edges == tuple(e for e in plan(wanted).edges if gone not in (e.source, e.reader))


class TestGateways:
    @given(ALL_PRIMARY)
    def test_gateways_exist_where_there_are_several_networks(self, wanted: MeshSettings) -> None:
        several = len({c.network for c in wanted.clusters}) > 1
        assert all(c.east_west is several for c in plan(wanted).clusters)

    @pytest.mark.parametrize("enabled", [True, False])
    @pytest.mark.parametrize("network", ["network1", "network2"])
    def test_the_document_decides_when_it_says_so(self, enabled: bool, network: str) -> None:
        told = ClusterSettings.model_validate({"name": "a", "network": "network1", "eastWest": {"enabled": enabled}})
        assert needs_east_west(mesh(told, cluster(2, network)), told) is enabled

    def test_networks_come_once_in_the_order_of_the_document(self) -> None:
        assert networks(mesh(cluster(1, "b"), cluster(2, "a"), cluster(3, "b"))) == ("b", "a")


class TestPlugin:
    @pytest.mark.parametrize(
        ("data_plane", "cni", "platform", "role", "expected"),
        [
            ("sidecar", None, "generic", "primary", False),
            ("sidecar", None, "openshift", "primary", True),
            ("sidecar", None, "openshift", "external", False),
            ("sidecar", True, "generic", "remote", True),
            ("sidecar", False, "openshift", "primary", False),
            ("ambient", None, "generic", "primary", True),
            ("mixed", None, "generic", "primary", True),
        ],
    )
    def test_where_the_cni_plugin_runs(
        self, data_plane: str, cni: bool | None, platform: str, role: str, expected: bool
    ) -> None:
        told = {"name": "a", "network": "n", "platform": platform, "role": role}
        istio = {"dataPlane": data_plane, "cni": cni}
        wanted = MeshSettings.model_validate({"id": "m", "istio": istio, "clusters": [told]})
        assert plan(wanted).clusters[0].cni is expected

    @pytest.mark.parametrize("role", ["primary", "external"])
    def test_clusters_of_one_istiod_have_the_cni_plugin_together(self, role: str) -> None:
        """The istiod that injects leaves the init container out of all pods that it serves, or of none."""
        clusters = [
            {"name": "serves", "network": "n", "role": role},
            {"name": "a", "network": "n", "role": "config" if role == "external" else "remote"},
            {"name": "b", "network": "n", "role": "remote", "platform": "openshift"},
            {"name": "other", "network": "n"},
        ]
        for cluster in clusters[1:3]:
            cluster["controlPlane"] = "serves"
        found = plan(MeshSettings.model_validate({"id": "m", "clusters": clusters}))
        have = {cluster.name for cluster in found.clusters if cluster.cni}
        assert have == {"a", "b"} | ({"serves"} if role == "primary" else set())


class TestNamespace:
    @pytest.mark.parametrize(
        ("install", "namespace", "creates"),
        [
            ("charts", None, True),
            ("none", None, False),
            ("charts", "patch", False),
            ("none", "create", True),
        ],
    )
    def test_who_makes_the_root_namespace(self, install: str, namespace: str | None, creates: bool) -> None:
        wanted = MeshSettings.model_validate(
            {
                "id": "m",
                "istio": {"install": install},
                "clusters": [{"name": "a", "network": "n", "namespace": namespace}],
            }
        )
        assert plan(wanted).clusters[0].creates_namespace is creates


class TestFindingsOfRandomMeshes:
    @given(meshes(st.just("primary"), least=2))
    def test_well_formed_meshes_of_any_size_lack_nothing_but_kubeconfigs_and_a_newer_istio(
        self, wanted: MeshSettings
    ) -> None:
        found = findings(wanted.model_copy(update={"istio": wanted.istio.model_copy(update={"version": "1.30.5"})}))
        assert [f.code for f in found] == ["MESH501"] * len(wanted.clusters)

    TEXT = st.text(max_size=70) | st.sampled_from(
        ["10.0.0.0/8", "::/0", "https://[::1", "https://localhost", "x:y", "1.2.3"]
    )

    @given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, st.booleans()), max_size=6), TEXT, TEXT)
    def test_rules_speak_about_any_text_and_never_fail(
        self, clusters: list[tuple[str, str, str, str, bool]], identity: str, version: str
    ) -> None:
        wanted = MeshSettings.model_validate(
            {
                "id": identity,
                "trustDomain": version,
                "istio": {"version": version, "revision": identity, "namespace": version},
                "clusters": [
                    {
                        "name": name,
                        "network": network,
                        "podRanges": [range_],
                        "serviceRanges": [range_, address],
                        "apiServer": {"address": address},
                        "role": "primary" if primary else "remote",
                    }
                    for name, network, range_, address, primary in clusters
                ],
            }
        )
        found = findings(wanted)
        assert all(f.code and f.place and f.reason and f.fix for f in found)
        assert findings(wanted) == found


class TestNames:
    """Names that istioctl and the charts give; tools look for them."""

    def test_as_istioctl_names_them(self) -> None:
        assert names.remote_secret("east") == "istio-remote-secret-east"
        assert (names.istiod(""), names.istiod("1-30-5")) == ("istiod", "istiod-1-30-5")

    def test_an_edge_reads_like_an_arrow(self) -> None:
        assert str(Edge("east", "west")) == "east -> west"

    def test_a_cluster_that_is_not_there_is_a_key_error(self) -> None:
        with pytest.raises(KeyError, match="nowhere"):
            plan(mesh(cluster(1, "n"))).cluster("nowhere")


def test_the_core_knows_nothing_of_pulumi() -> None:
    """A thousand meshes are checked in a second because nothing here starts an engine."""
    program = "import sys, mesh_components.topology.findings; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def set_of_plans(topology: Topology) -> set[tuple[str, bool, bool, bool]]:
    """What was decided for each cluster; a lone cluster's `source` may change, since a reader joins it."""
    return {decided(item) for item in topology.clusters}


def decided(item: ClusterPlan) -> tuple[str, bool, bool, bool]:
    return item.name, item.creates_namespace, item.east_west, item.source
