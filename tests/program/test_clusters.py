"""Clusters that a mesh makes, or takes up, whole programs: which provider, what comes after what, what is secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support import meshes
from tests.support.graph import STACK_OUTPUTS, Graph, Registered
from tests.support.meshes import document, exported, federation, kubeconfig
from tests.support.recipes import document as recipe

MADE = ["gke-gke", "gke-ibm", "gke-ibm-created"]
NODES = {"gke": "-pool-default", "ibm": "-cluster"}
"""What brings the nodes of a cluster, by its kind: on IBM Cloud the cluster does."""


def gke(**settings: Any) -> dict[str, Any]:
    return {"create": {"gke": {"project": "my-project", "location": "europe-west3", **settings}}}


def two(east: dict[str, Any], west: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Two clusters in one network."""
    wanted = document("east", "west", **rest)
    for cluster, patch in zip(wanted["clusters"], (east, west), strict=True):
        cluster |= {"network": "mesh-vpc", **patch}
        if "kubeconfig" not in patch and ("create" in patch or "stackReference" in patch):
            del cluster["kubeconfig"]
    return wanted


def made_in(graph: Graph, cluster: str) -> list[Registered]:
    """What is in a cluster: all that goes through its provider."""
    return [item for item in graph.kubernetes() if item.provider == f"mesh-{cluster}-kubernetes"]


def by_name(graph: Graph, name: str) -> Registered:
    return graph.resources_by_name[name]


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("name", MADE)
class TestInside:
    """What is in a cluster that is made here."""

    def test_it_goes_to_its_own_cluster_after_the_nodes_and_with_the_cluster(self, name: str, preview: bool) -> None:
        graph = federation(recipe(name), preview=preview)
        made = {
            cluster["name"]: next(iter(cluster["create"]))
            for cluster in recipe(name)["clusters"]
            if "create" in cluster
        }
        for cluster, kind in made.items():
            inside = made_in(graph, cluster)
            assert len(inside) > 10
            nodes = f"mesh-{cluster}{NODES[kind]}"
            for item in inside:
                assert nodes in item.depends_on, item.name
                assert item.deleted_with == f"mesh-{cluster}-cluster", item.name
            provider = by_name(graph, f"mesh-{cluster}-kubernetes")
            assert nodes in provider.depends_on
            assert provider.inputs["clusterIdentifier"].startswith(f"{kind}/")
        known = {f"mesh-{cluster['name']}-kubernetes" for cluster in recipe(name)["clusters"]}
        assert {item.provider for item in graph.kubernetes()} - {"mesh-charts"} == known

    def test_attached_clusters_stay(self, name: str, preview: bool) -> None:
        graph = federation(recipe(name), preview=preview)
        attached = [cluster["name"] for cluster in recipe(name)["clusters"] if "create" not in cluster]
        assert not any(item.deleted_with for cluster in attached for item in made_in(graph, cluster))

    def test_no_kubeconfig_and_no_token_is_in_clear(self, name: str, preview: bool) -> None:
        graph = federation(recipe(name), preview=preview)
        for item in graph.resources_by_name.values():
            shown = json.dumps({k: v for k, v in item.inputs.items() if k not in item.secret}, default=str)
            assert "gke-gcloud-auth-plugin" not in shown, item.name
            assert "token of" not in shown
            assert "api-key of" not in shown
            assert "client-key-data" not in shown
            assert "PRIVATE KEY" not in shown
        for provider in graph.of_type("pulumi:providers:kubernetes"):
            assert "kubeconfig" in provider.secret or provider.name == "mesh-charts"


class TestChanges:
    """What a change of the document does to resources: replacing is what Google does for fields it cannot change."""

    def test_a_node_count_changes_the_autoscaler_and_replaces_nothing(self) -> None:
        """The number that a pool begins with cannot be changed without a new pool, so a change of it is ignored."""
        few = federation(two(gke(), gke(location="europe-west10")))
        many = federation(two(gke(nodePools=[{"minNodes": 2, "maxNodes": 9}]), gke(location="europe-west10")))
        assert few.drawing() == many.drawing()
        changed = {
            (name, key)
            for name, item in few.resources_by_name.items()
            for key, value in item.inputs.items()
            if many.resources_by_name[name].inputs[key] != value and key not in item.ignored
        }
        assert changed == {("mesh-east-pool-default", "autoscaling")}

    def test_another_kubeconfig_of_an_attached_cluster_is_the_same_provider(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another server and other credentials. With the same plain identifier, Pulumi updates the provider and
        replaces nothing in the cluster; tests/lab has the same on API servers."""
        before = federation(document("east", "west"))
        monkeypatch.setattr(meshes, "kubeconfig", lambda name: kubeconfig(f"moved-{name}"))
        after = federation(document("east", "west"))
        assert before.drawing() == after.drawing()
        changed = {
            (name, key)
            for name, item in before.resources_by_name.items()
            for key, value in item.inputs.items()
            if after.resources_by_name[name].inputs[key] != value
        }
        assert changed == {
            *((f"mesh-{name}-kubernetes", key) for name in ("east", "west") for key in ("kubeconfig", "context")),
            ("mesh-east-to-west-secret", "data"),
            ("mesh-west-to-east-secret", "data"),
        }
        for graph in (before, after):
            assert by_name(graph, "mesh-east-kubernetes").inputs["clusterIdentifier"] == "attached/east"

    def test_the_number_of_nodes_on_ibm_cloud_changes_one_property_of_one_resource(self) -> None:
        wanted = recipe("gke-ibm-created")
        few = federation(wanted)
        wanted["clusters"][1]["create"]["ibm"]["workerPools"][0]["workers"] = 5
        many = federation(wanted)
        assert few.drawing() == many.drawing()
        changed = {
            (name, key)
            for name, item in few.resources_by_name.items()
            for key, value in item.inputs.items()
            if many.resources_by_name[name].inputs[key] != value
        }
        assert changed == {("mesh-ibm-cluster", "workerPools")}

    def test_who_goes_leaves_the_others_where_they_are(self) -> None:
        wanted = two(gke(), gke(location="europe-west10"))
        both = federation(wanted)
        alone = federation({**wanted, "clusters": wanted["clusters"][:1]})
        for name in ("mesh-east-subnet", "mesh-east-cluster", "mesh-east-pool-default", "mesh-mesh-vpc-vpc-network"):
            assert by_name(alone, name).inputs == by_name(both, name).inputs


class TestNetworks:
    """A network of the mesh is a VPC."""

    def test_two_clusters_of_one_network_share_a_vpc_in_which_pods_meet(self) -> None:
        graph = federation(two(gke(), gke(location="europe-west10")))
        (vpc,) = graph.of_type("gcp:compute/network:Network")
        assert len(graph.of_type("gcp:compute/routerNat:RouterNat")) == 2
        pods = by_name(graph, "mesh-mesh-vpc-vpc-pods").inputs
        subnets = [by_name(graph, f"mesh-{name}-subnet").inputs for name in ("east", "west")]
        assert sorted(subnet["secondaryIpRanges"][0]["ipCidrRange"] for subnet in subnets) == pods["sourceRanges"]
        assert pods["targetTags"] == ["east", "west"]
        assert {subnet["network"] for subnet in subnets} == {f"{vpc.name}-id"}

    def test_two_networks_are_two_vpcs_and_meet_at_gateways(self) -> None:
        graph = federation(two(gke(), {**gke(), "network": "other-vpc"}))
        assert len(graph.of_type("gcp:compute/network:Network")) == 2
        assert not [item for item in graph.resources_by_name if item.endswith("-vpc-pods")]
        ports = by_name(graph, "mesh-east-east-west").inputs["allows"][0]["ports"]
        assert ports == ["15021", "15443", "15012", "15017"]

    def test_the_control_plane_reaches_the_webhook(self) -> None:
        graph = federation(two(gke(controlPlaneRange="172.16.0.0/28"), gke()))
        rule = by_name(graph, "mesh-east-webhooks").inputs
        cluster = by_name(graph, "mesh-east-cluster").inputs["privateClusterConfig"]
        assert rule["sourceRanges"] == [cluster["masterIpv4CidrBlock"]] == ["172.16.0.0/28"]
        assert rule["allows"] == [{"protocol": "tcp", "ports": ["15017"]}]

    def test_an_existing_vpc_and_subnet_are_used_as_they_are(self) -> None:
        vpc = {
            "network": "projects/host/global/networks/n",
            "subnetwork": "projects/host/regions/europe-west3/subnetworks/s",
            "podRangeName": "p",
            "serviceRangeName": "s",
        }
        graph = federation(two({**gke(vpc=vpc), "podRanges": ["10.1.0.0/16"]}, {"kubeconfig": {"file": "west"}}))
        types = {item.type for item in graph.resources_by_name.values()}
        assert not types & {"gcp:compute/network:Network", "gcp:compute/subnetwork:Subnetwork"}
        cluster = by_name(graph, "mesh-east-cluster").inputs
        assert (cluster["network"], cluster["subnetwork"]) == (vpc["network"], vpc["subnetwork"])

    def test_peers_are_let_in_by_the_address_of_their_nat(self) -> None:
        office = {"cidr": "198.51.100.0/24", "name": "office"}
        graph = federation(two(gke(authorizedNetworks=[office]), gke()))
        blocks = by_name(graph, "mesh-east-cluster").inputs["masterAuthorizedNetworksConfig"]["cidrBlocks"]
        assert [block["displayName"] for block in blocks] == ["office", "west"]
        assert blocks[1]["cidrBlock"].endswith("/32")


class TestAccess:
    """How this program comes in, and how peers do."""

    def test_by_ip_with_google_s_plugin_and_peers_with_the_reader_s_token(self) -> None:
        graph = federation(two(gke(), gke(location="europe-west10")))
        own = json.loads(by_name(graph, "mesh-east-kubernetes").inputs["kubeconfig"])
        assert own["users"][0]["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
        server = own["clusters"][0]["cluster"]["server"]
        handed = str(by_name(graph, "mesh-east-to-west-secret").inputs["data"])
        assert server.startswith("https://203.0.113.")
        assert "exec" not in handed

    def test_by_the_dns_endpoint(self) -> None:
        graph = federation(two(gke(endpoint="dns"), gke()))
        own = json.loads(by_name(graph, "mesh-east-kubernetes").inputs["kubeconfig"])["clusters"][0]["cluster"]
        assert own == {"server": "https://gke-mesh-east-cluster.example.goog"}

    def test_k3s_s_own_kubeconfig_gets_the_server_s_address(self) -> None:
        wanted = recipe("k3s-home-lab")
        graph = federation(wanted)
        assert by_name(graph, "mesh-cellar-eastwest-service").inputs["spec"]["externalIPs"] == ["192.168.1.20"]
        assert graph.of_type("mesh:index:K3sCluster")

    def test_a_cluster_of_another_stack(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(STACK_OUTPUTS, "clusters", {"east": exported("east"), "west": exported("west")})
        graph = federation(recipe("gke-stacks"))
        provider = by_name(graph, "mesh-east-kubernetes")
        assert provider.inputs["kubeconfig"] == kubeconfig("east")
        assert "kubeconfig" in provider.secret
        assert provider.inputs["clusterIdentifier"] == "stack/organization/gke-clusters/dev/east"

    def test_a_cluster_that_the_other_stack_does_not_have_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(STACK_OUTPUTS, "clusters", {"east": exported("east")})
        with pytest.raises(Exception, match='no cluster "west" in its output `clusters`; export'):
            federation(recipe("gke-stacks"))
