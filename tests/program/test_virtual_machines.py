"""Virtual machines: whole programs, by topology."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import parse
from mesh_components.topology.plan import plan
from mesh_components.topology.resources import resources
from tests.support.graph import Graph, Registered
from tests.support.meshes import federation
from tests.support.recipes import document

HTTP = {"number": 8080, "name": "http", "protocol": "HTTP"}
LEDGER = {"name": "ledger", "namespace": "accounting", "cluster": "cluster1", "ports": [HTTP]}
EAST_WEST = "mesh:index:EastWestGateway"


def with_machines(recipe: str, *machines: dict[str, Any], **top: Any) -> dict[str, Any]:
    wanted = document(recipe)
    return {**wanted, **top, "virtualMachines": [{**LEDGER, **machine} for machine in machines]}


def where(graph: Graph, kind: str, namespace: str = "accounting") -> set[tuple[str, str]]:
    """Cluster and name of the objects of a kind that lie in, or are, that namespace."""
    return {
        (graph.cluster(item), item.kubernetes_name)
        for item in graph.kubernetes()
        if item.type.endswith(f":{kind}")
        and namespace in (item.inputs["metadata"].get("namespace"), item.kubernetes_name)
    }


def spec(graph: Graph, kind: str, cluster: str, name: str) -> dict[str, Any]:
    (found,) = [
        item.inputs["spec"]
        for item in graph.kubernetes()
        if item.type.endswith(f":{kind}") and (graph.cluster(item), item.kubernetes_name) == (cluster, name)
    ]
    return dict(found)


def routes(graph: Graph, cluster: str) -> set[str]:
    """What leads to istiods through a cluster's gateway."""
    found = (item for item in graph.kubernetes() if item.type.endswith(":VirtualService"))
    return {item.kubernetes_name for item in found if graph.cluster(item) == cluster}


def named(graph: Graph, name: str) -> list[Registered]:
    """Objects of that name; a Helm release is none."""
    return [item for item in graph.kubernetes() if item.inputs.get("metadata", {}).get("name") == name]


def gateways(graph: Graph) -> set[str]:
    made = (item.name for item in graph.of_type(EAST_WEST))
    return {name.removeprefix("mesh-").removesuffix("-eastwest") for name in made}


@pytest.mark.parametrize("recipe", ["multi-primary-multi-network", "primary-remote-multi-network", "virtual-machines"])
def test_preview_shows_what_up_makes(recipe: str) -> None:
    wanted = document(recipe) if recipe == "virtual-machines" else with_machines(recipe, {})
    up = federation(wanted)
    assert up.drawing() == federation(wanted, preview=True).drawing()
    listed = {(item.type, item.name) for item in resources(plan(parse(wanted))) if "achine" in item.type}
    made = {(item.type, item.name) for item in up.resources_by_name.values() if "achine" in item.type}
    assert made == listed


def test_nothing_is_made_where_there_are_none() -> None:
    graph = federation(document("multi-primary-multi-network"))
    assert not [item for item in graph.resources_by_name.values() if "achine" in item.type]
    assert "rootCertificates" not in graph.stack_outputs
    assert routes(graph, "cluster1") == set()


def test_on_one_network_a_gateway_is_made_for_the_machine_alone() -> None:
    """As Istio's guide has it: istiod is reached through the gateway, on one network too."""
    recipe = "multi-primary-single-network"
    assert gateways(federation(document(recipe))) == set()
    graph = federation(with_machines(recipe, {}))
    assert gateways(graph) == {"cluster1"}
    assert routes(graph, "cluster1") == {"istiod-vs"}
    exposed = named(graph, "cross-network-gateway")
    assert exposed == [], "no other network comes in"


def test_what_lies_where_between_primaries() -> None:
    """The service is wherever an istiod reads configuration; the machine's own are in its cluster."""
    graph = federation(with_machines("multi-primary-multi-network", {}))
    assert where(graph, "WorkloadGroup") == {("cluster1", "ledger")}
    assert where(graph, "ServiceAccount") == {("cluster1", "ledger")}
    assert where(graph, "ServiceEntry") == {("cluster1", "ledger"), ("cluster2", "ledger")}
    assert where(graph, "Namespace") == {("cluster1", "accounting"), ("cluster2", "accounting")}
    assert routes(graph, "cluster1") == {"istiod-vs"}
    assert routes(graph, "cluster2") == set()


def test_a_machine_of_a_remote_comes_in_at_the_primary() -> None:
    graph = federation(with_machines("primary-remote-multi-network", {"cluster": "cluster2"}))
    assert where(graph, "WorkloadGroup") == {("cluster1", "ledger")}, "istiod reads configuration in the primary"
    assert where(graph, "ServiceAccount") == {("cluster2", "ledger")}, "and asks the remote whose token it is"
    assert where(graph, "ServiceEntry") == {("cluster1", "ledger")}
    assert where(graph, "Namespace") == {("cluster1", "accounting"), ("cluster2", "accounting")}
    assert spec(graph, "WorkloadGroup", "cluster1", "ledger")["template"]["network"] == "network2"


def test_a_network_of_machines_opens_every_gateway() -> None:
    """From there, pods are reached through gateways, so clusters that share a network need them as well."""
    recipe = "multi-primary-single-network"
    graph = federation(with_machines(recipe, {"network": "machine-room"}))
    assert gateways(graph) == {"cluster1", "cluster2"}
    exposed = {graph.cluster(item) for item in named(graph, "cross-network-gateway")}
    assert exposed == {"cluster1", "cluster2"}


def test_a_group_says_what_istiod_makes_entries_from() -> None:
    machine = {
        "account": "books",
        "network": "machine-room",
        "labels": {"version": "v1"},
        "locality": {"region": "europe-west3", "zone": "rack1"},
        "ports": [{**HTTP, "number": 80, "targetPort": 8080}],
        "probe": {"tcpSocket": {"port": 8080}, "periodSeconds": 5},
        "createNamespace": False,
    }
    graph = federation(with_machines("multi-primary-multi-network", machine))
    assert spec(graph, "WorkloadGroup", "cluster1", "ledger") == {
        "metadata": {"labels": {"app": "ledger", "version": "v1"}},
        "template": {
            "serviceAccount": "books",
            "network": "machine-room",
            "ports": {"http": 8080},
            "locality": "europe-west3/rack1",
        },
        "probe": {"tcpSocket": {"port": 8080}, "periodSeconds": 5},
    }
    assert spec(graph, "ServiceEntry", "cluster2", "ledger") == {
        "hosts": ["ledger.accounting.svc.cluster.local"],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP", "targetPort": 8080}],
        "workloadSelector": {"labels": {"app": "ledger"}},
    }
    assert where(graph, "Namespace") == set()


def test_without_auto_registration_every_address_is_an_entry() -> None:
    machine = {"autoRegistration": False, "addresses": ["192.0.2.31", "2001:db8::31"], "account": "default"}
    graph = federation(with_machines("multi-primary-multi-network", machine))
    names = {"ledger-192.0.2.31", "ledger-2001-db8--31"}
    assert where(graph, "WorkloadEntry") == {("cluster1", name) for name in names}
    assert spec(graph, "WorkloadEntry", "cluster1", "ledger-192.0.2.31") == {
        "address": "192.0.2.31",
        "labels": {"app": "ledger"},
        "serviceAccount": "default",
        "network": "network1",
        "ports": {"http": 8080},
    }
    assert where(graph, "ServiceAccount") == set(), "Kubernetes makes the account `default`"


def test_machines_share_a_namespace_and_may_share_an_account() -> None:
    graph = federation(
        with_machines(
            "multi-primary-multi-network",
            {"account": "books", "namespaceLabels": {"team": "money"}},
            {"name": "ledger-v2", "account": "books", "service": False, "labels": {"app": "ledger", "version": "v2"}},
        )
    )
    assert where(graph, "ServiceAccount") == {("cluster1", "books")}
    assert where(graph, "WorkloadGroup") == {("cluster1", "ledger"), ("cluster1", "ledger-v2")}
    assert where(graph, "ServiceEntry") == {("cluster1", "ledger"), ("cluster2", "ledger")}
    labels = [item.inputs["metadata"]["labels"] for item in named(graph, "accounting")]
    assert labels == [{"team": "money"}] * 2


def test_every_revision_is_reached_by_its_own_name() -> None:
    istio = {"version": "1.30.3", "revision": "1-30-3", "revisions": [{"name": "1-30-3"}, {"name": "next"}]}
    graph = federation(with_machines("multi-primary-multi-network", {"revision": "next"}, istio=istio))
    assert routes(graph, "cluster1") == {"istiod-vs-1-30-3", "istiod-vs-next"}
    (route,) = named(graph, "istiod-vs-next")
    hosts = route.inputs["spec"]["tls"][0]["match"][0]["sniHosts"]
    assert hosts == ["istiod-next.istio-system.svc", "istiod-next.istio-system.svc.cluster.local"]


def test_what_a_machine_is_made_of_comes_after_what_accepts_it() -> None:
    """The webhook of istiod, and the namespace."""
    graph = federation(with_machines("multi-primary-multi-network", {}))
    group = graph.resources_by_name["mesh-cluster1-machine-ledger-group"]
    after = group.depends_on
    assert "mesh-cluster1-machines-accounting-namespace" in after
    assert any(name.startswith("mesh-cluster1-istiod") for name in after)


def test_the_roots_are_no_secret() -> None:
    graph = federation(with_machines("multi-primary-multi-network", {}))
    assert graph.stack_outputs["rootCertificates"].startswith("-----BEGIN CERTIFICATE-----")
