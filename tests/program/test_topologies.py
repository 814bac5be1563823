"""Every topology as a graph: what waits for what, what is where, and what a further cluster changes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mesh_components.settings import Severity, parse
from mesh_components.topology.findings import findings
from tests.support.graph import Graph
from tests.support.meshes import document, federation
from tests.support.order import after, awaited, under
from tests.support.recipes import TOPOLOGIES
from tests.support.recipes import document as recipe

GRAPHS: dict[str, Graph] = {}


def graph(name: str) -> Graph:
    """The graph of a recipe, made once."""
    if name not in GRAPHS:
        GRAPHS[name] = federation(recipe(name))
    return GRAPHS[name]


@pytest.mark.parametrize("name", TOPOLOGIES)
class TestEvery:
    """What holds in all of them."""

    def test_every_object_is_in_the_cluster_of_its_name(self, name: str) -> None:
        clusters = [member["name"] for member in recipe(name)["clusters"]]
        for item in graph(name).kubernetes():
            within = item.name.removeprefix("mesh-")
            reader = within.partition("-to-")[2]
            assert graph(name).cluster(item) == next(c for c in clusters if (reader or within).startswith(c))

    def test_preview_shows_what_up_makes(self, name: str) -> None:
        assert federation(recipe(name), preview=True).drawing() == graph(name).drawing()

    def test_no_secret_is_in_clear(self, name: str) -> None:
        for item in graph(name).of_type("kubernetes:core/v1:Secret"):
            if "data" in item.inputs and "data" not in item.secret:
                # What is for everyone to see, such as the root's certificate.
                shown = "".join(base64.b64decode(value).decode() for value in item.inputs["data"].values())
                assert "PRIVATE KEY" not in shown
                assert "token" not in shown

    def test_istiod_comes_after_its_certificate_and_its_crds(self, name: str) -> None:
        made = graph(name)
        for istiod in made.of_type("mesh:index:Istiod"):
            prefix = istiod.name.removesuffix("-istiod")
            assert after(made, istiod.name, f"{prefix}-trust")
            assert after(made, istiod.name, f"{prefix.removesuffix('-gateway')}-base")

    def test_namespaces_come_first(self, name: str) -> None:
        made = graph(name)
        spaces = {
            (made.cluster(item), item.kubernetes_name): item.name
            for item in made.of_type("kubernetes:core/v1:Namespace")
        }
        for item in made.kubernetes():
            namespace = item.inputs.get("metadata", item.inputs).get("namespace")
            if namespace is not None:
                assert spaces[made.cluster(item), namespace] in awaited(made, item), item.name

    def test_crds_come_before_all_that_is_made_of_them(self, name: str) -> None:
        made = graph(name)
        crds = {made.cluster(item): item.name for item in made.of_type("kubernetes:helm.sh/v3:Release")}
        assert set(crds) == {member["name"] for member in recipe(name)["clusters"]}
        kinds = ("kubernetes:networking.istio.io/", "kubernetes:gateway.networking.k8s.io/")
        for item in made.kubernetes():
            if item.type.startswith(kinds):
                assert crds[made.cluster(item)] in awaited(made, item), item.name

    def test_gateways_and_node_agents_come_after_the_istiod_that_serves_them(self, name: str) -> None:
        made = graph(name)
        for suffix in ("eastwest", "ambient-gateway", "cni", "ztunnel"):
            for member in recipe(name)["clusters"]:
                if f"mesh-{member['name']}-{suffix}" in made.resources_by_name:
                    assert after(made, f"mesh-{member['name']}-{suffix}", f"mesh-{member['name']}-istiod")

    def test_istio_s_resources_come_after_whoever_validates_them(self, name: str) -> None:
        """The webhook of a cluster refuses them while nobody answers; that of a config cluster asks outside."""
        made = graph(name)
        hooks = {
            (made.cluster(item), item.name)
            for item in made.kubernetes()
            if item.type.endswith(":ValidatingWebhookConfiguration")
        }
        for item in made.kubernetes():
            if item.type.startswith("kubernetes:networking.istio.io/"):
                # The validator of a primary and of the config cluster; before it, istiod itself.
                mine = {hook for cluster, hook in hooks if cluster == made.cluster(item)}
                assert mine & awaited(made, item), item.name
                assert [n for n in awaited(made, item) if made.resources_by_name[n].type.endswith(":Deployment")]

    def test_istiods_are_told_of_clusters_last(self, name: str) -> None:
        """A Secret that comes before its istiod would hold up its start."""
        made = graph(name)
        for kind in ("RemoteSecret", "RemoteSecretBundle"):
            for secret in made.of_type(f"mesh:index:{kind}"):
                (item,) = under(made, secret.name)
                assert after(made, secret.name, f"mesh-{made.cluster(item)}-istiod")

    def test_the_validator_comes_after_whoever_answers_it(self, name: str) -> None:
        """Without an answer it refuses every Istio resource; a remote holds none that anybody reads."""
        made = graph(name)
        behind = {c["name"]: f"mesh-{c['name']}-istiod" for c in recipe(name)["clusters"] if c.get("role") != "remote"}
        if "control" in behind:
            behind = {"cluster1": "mesh-control-expose"}
        found = {item.name: item for item in made.of_type("mesh:index:DefaultValidator")}
        assert found.keys() == {f"mesh-{cluster}-validator" for cluster in behind}
        for cluster, answering in behind.items():
            assert after(made, f"mesh-{cluster}-validator", answering)
            assert after(made, f"mesh-{cluster}-validator", f"mesh-{cluster}-base")


@pytest.mark.parametrize("name", ["primary-remote-single-network", "primary-remote-multi-network"])
class TestRemote:
    """A remote needs its primary's gateway first, and injects only once its primary knows it."""

    def test_the_webhook_leads_to_the_gateway_of_the_primary(self, name: str) -> None:
        made = graph(name)
        rendered = [o for o in made.rendered if o["values"].get("profile") == "remote" and o["chart"] == "istiod"]
        (options,) = rendered
        network = recipe(name)["clusters"][1]["network"]
        assert options["values"]["istiodRemote"]["injectionPath"] == f"/inject/cluster/cluster2/net/{network}"
        assert options["values"]["global"]["remotePilotAddress"] == "192.0.2.251"

    def test_the_primary_serves_others(self, name: str) -> None:
        first = next(o for o in graph(name).rendered if o["chart"] == "istiod")
        assert first["values"]["global"]["externalIstiod"] is True

    def test_the_remote_signs_nothing(self, name: str) -> None:
        assert [r.name for r in graph(name).of_type("mesh:index:CaCerts")] == ["mesh-cluster1-trust"]

    def test_the_primary_reads_the_remote_and_not_the_other_way_round(self, name: str) -> None:
        assert [r.name for r in graph(name).of_type("mesh:index:RemoteSecret")] == ["mesh-cluster2-to-cluster1"]


def test_a_remotes_gateway_waits_until_its_primary_knows_the_remote() -> None:
    made = graph("primary-remote-multi-network")
    assert after(made, "mesh-cluster2-eastwest", "mesh-cluster2-to-cluster1")


class TestExternal:
    """Each part of an external control plane needs what another cluster makes."""

    def test_istiod_comes_after_the_way_to_its_configuration(self) -> None:
        made = graph("external-control-plane")
        assert after(made, "mesh-control-istiod", "mesh-cluster1-to-control")
        assert after(made, "mesh-cluster1-to-control", "mesh-cluster1-istiod-token")

    def test_it_is_exposed_after_it_serves_and_the_gateways_of_the_mesh_come_after_that(self) -> None:
        made = graph("external-control-plane")
        assert after(made, "mesh-control-expose", "mesh-control-istiod")
        for cluster in ("cluster1", "cluster2"):
            assert after(made, f"mesh-{cluster}-eastwest", "mesh-control-expose")

    def test_only_the_control_planes_cluster_signs(self) -> None:
        made = graph("external-control-plane")
        secrets = {made.cluster(r) for r in made.kubernetes() if r.inputs.get("metadata", {}).get("name") == "cacerts"}
        assert secrets == {"control"}


class TestDiscovery:
    """Who reads whom, and in how many Secrets."""

    def test_bundled_needs_one_secret_per_reader(self) -> None:
        made = graph("several-primaries-and-remotes")
        bundles = [r.name for r in made.of_type("mesh:index:RemoteSecretBundle")]
        assert {name: set(secret.inputs["data"]) for name in bundles for secret in under(made, name)} == {
            "mesh-cluster1-sources": {"cluster2", "cluster3", "cluster4"},
            "mesh-cluster2-sources": {"cluster1", "cluster3", "cluster4"},
        }

    def test_spokes_do_not_read_each_other(self) -> None:
        wanted = document("hub", "east", "west", discovery={"reach": "hub-and-spoke", "hubs": ["hub"]})
        edges = federation(wanted).stack_outputs["edges"]
        assert set(edges) == {"hub -> east", "east -> hub", "hub -> west", "west -> hub"}

    def test_a_reader_has_an_address_of_its_own(self) -> None:
        wanted = document("a", "b", "c")
        wanted["clusters"][0]["apiServer"] = {"addressFor": {"b": "https://10.1.2.3:6443"}}
        made = federation(wanted)
        servers = {}
        for reader in "bc":
            (secret,) = under(made, f"mesh-a-to-{reader}")
            servers[reader] = base64.b64decode(secret.inputs["data"]["a"]).decode()
        assert "server: https://10.1.2.3:6443" in servers["b"]
        assert "server: https://a.example.com:6443" in servers["c"]


SIDE_BY_SIDE: dict[str, Any] = {
    "version": "1.31.0",
    "revision": "1-30-3",
    "revisions": [{"name": "1-30-3", "version": "1.30.3"}, {"name": "1-31-0", "clusters": ["a"]}],
    "tags": {"prod": "1-30-3"},
}


class TestRevisions:
    """Control planes side by side."""

    def test_each_is_rendered_in_its_version_where_it_is(self) -> None:
        made = federation(document("a", "b", istio=SIDE_BY_SIDE))
        found = sorted(r.name for r in made.of_type("mesh:index:Istiod"))
        assert found == ["mesh-a-istiod-1-30-3", "mesh-a-istiod-1-31-0", "mesh-b-istiod-1-30-3"]
        versions = sorted(
            (o["values"].get("revision", ""), o["version"]) for o in made.rendered if o["chart"] == "istiod"
        )
        assert ("1-31-0", "1.31.0") in versions
        assert {version for revision, version in versions if revision == "1-30-3"} == {"1.30.3"}
        assert {o["version"] for o in made.rendered if o["chart"] == "base"} == {"1.31.0"}

    def test_istiods_keep_to_their_cluster_where_there_are_several(self) -> None:
        """A cluster with one alone is told nothing: what it says does not change when others get a second one."""
        made = federation(document("a", "b", istio=SIDE_BY_SIDE))
        told = {
            (o["values"]["global"]["multiCluster"]["clusterName"], o["values"]["revision"]): local["hosts"]
            for o in made.rendered
            if o["chart"] == "istiod"
            for local in o["values"]["meshConfig"].get("serviceSettings", [])
        }
        hosts = [f"istiod-{revision}.istio-system.svc.cluster.local" for revision in ("1-30-3", "1-31-0")]
        assert told == {("a", "1-30-3"): hosts, ("a", "1-31-0"): hosts}

    def test_a_tag_that_moves_keeps_its_resources(self) -> None:
        here = federation(document("a", "b", istio=SIDE_BY_SIDE))
        moved = document("a", "b", istio=SIDE_BY_SIDE)
        moved["clusters"][0]["tags"] = {"prod": "1-31-0"}
        there = federation(moved)
        assert there.drawing() == here.drawing()


def test_network_policies_are_for_all_charts_that_have_them() -> None:
    wanted = recipe("ambient-multi-network")
    wanted["istio"]["networkPolicies"] = True
    told = {o["chart"] for o in federation(wanted).rendered if o["values"]["global"].get("networkPolicy")}
    assert told == {"istiod", "cni", "ztunnel"}


@st.composite
def some_meshes(draw: st.DrawFn) -> dict[str, Any]:
    """Two to five clusters of any roles, networks and ways to be read."""
    names = draw(st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=2, max_size=5, unique=True))
    wanted = document(*names, istio=draw(st.sampled_from([{}, {"install": "none"}, {"dataPlane": "mixed"}])))
    wanted["discovery"] = {"secrets": draw(st.sampled_from(["separate", "bundled"]))}
    # Ambient has no remotes.
    roles = ["primary"] if wanted["istio"].get("dataPlane") else ["primary", "primary", "remote"]
    for number, member in enumerate(wanted["clusters"]):
        member["network"] = draw(st.sampled_from(["one", "two"]))
        if number and draw(st.sampled_from(roles)) == "remote":
            member |= {"role": "remote", "controlPlane": names[0]}
    return wanted


def _valid(wanted: dict[str, Any]) -> bool:
    return all(f.severity is not Severity.ERROR for f in findings(parse(wanted)))


class TestAny:
    """For any mesh that the rules let through."""

    @settings(max_examples=8)
    @given(some_meshes())
    def test_preview_shows_what_up_makes(self, wanted: dict[str, Any]) -> None:
        assume(_valid(wanted))
        assert federation(wanted, preview=True).drawing() == federation(wanted).drawing()

    @settings(max_examples=8)
    @given(some_meshes(), st.booleans())
    def test_a_further_cluster_changes_only_what_the_others_know_of_it(
        self, wanted: dict[str, Any], remote: bool
    ) -> None:
        first = wanted["clusters"][0]
        # In a network that is there already: the second network of a mesh brings gateways to the first.
        new = {"name": "new", "network": first["network"], "kubeconfig": {"file": "new"}}
        if remote and not wanted["istio"].get("dataPlane"):
            new |= {"role": "remote", "controlPlane": first["name"]}
        grown = {**wanted, "clusters": [*wanted["clusters"], new]}
        assume(_valid(wanted) and _valid(grown))
        before, after_ = federation(wanted).resources_by_name, federation(grown).resources_by_name
        assert before.keys() <= after_.keys()
        changed = {name for name in before if before[name].inputs != after_[name].inputs}
        # The istiod that gets its first remote is told that it serves others.
        served = f"mesh-{first['name']}-istiod" if "controlPlane" in new else "-"
        assert all(name.endswith(("-sources", "-sources-secret")) or name.startswith(served) for name in changed)
