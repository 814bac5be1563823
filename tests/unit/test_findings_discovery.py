"""Discovery: who reads whom, at which address, and through which gateway."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from mesh_components.settings import MeshSettings, Severity
from mesh_components.topology.findings import findings
from tests.support.findings import (
    CONFIG,
    ERROR,
    EXTERNAL,
    NO_GATEWAY,
    OUTSIDE,
    PRIMARY,
    REMOTE,
    WARNING,
    Patch,
    clusters,
    codes,
    istio,
    kubeconfig,
    mesh,
    one,
)

HUB: Patch = {"reach": "hub-and-spoke"}
EDGES: Patch = {"reach": "edges"}


def edge(source: str, reader: str) -> Patch:
    return {"source": source, "reader": reader}


def discovery(*members: Patch, **keys: Any) -> MeshSettings:
    return clusters(*(members or (PRIMARY, PRIMARY)), discovery=keys)


def networks(name: str = "network1", **entry: Any) -> MeshSettings:
    gateways = {"gateways": [{"address": "203.0.113.9"}]}
    return istio(meshNetworks={name: {**gateways, **entry}})


def address_for(name: str, url: str, **more: Any) -> MeshSettings:
    return mesh(west={"apiServer": {"addressFor": {name: url}, **more}})


@pytest.mark.parametrize(
    ("code", "severity", "place", "settings"),
    [
        ("MESH701", ERROR, "discovery.hubs[1]", discovery(**HUB, hubs=["c0", "nowhere"])),
        ("MESH701", ERROR, "discovery.edges[1].source", discovery(**EDGES, edges=[edge("c0", "c1"), edge("x", "c1")])),
        ("MESH701", ERROR, "discovery.edges[1].reader", discovery(**EDGES, edges=[edge("c0", "c1"), edge("c0", "x")])),
        ("MESH702", ERROR, "discovery.hubs[1]", discovery(PRIMARY, REMOTE, **HUB, hubs=["c0", "c1"])),
        ("MESH702", ERROR, "discovery.edges[1]", discovery(**EDGES, edges=[edge("c0", "c1"), edge("c0", "c0")])),
        ("MESH702", ERROR, "discovery.edges[0].reader", discovery(PRIMARY, REMOTE, **EDGES, edges=[edge("c0", "c1")])),
        (
            "MESH702",
            ERROR,
            "discovery.edges[0].source",
            clusters(
                EXTERNAL, CONFIG, PRIMARY, discovery={**EDGES, "edges": [edge("c0", "c2"), edge("c1", "c2")]}, **OUTSIDE
            ),
        ),
        ("MESH703", ERROR, "discovery.hubs", discovery(**HUB)),
        ("MESH703", WARNING, "discovery.edges", discovery(**EDGES)),
        ("MESH704", WARNING, "discovery.hubs", discovery(hubs=["c0"])),
        ("MESH704", WARNING, "discovery.edges", discovery(edges=[edge("c0", "c1")])),
        (
            "MESH705",
            WARNING,
            "clusters[2].name",
            discovery(PRIMARY, PRIMARY, PRIMARY, **EDGES, edges=[edge("c0", "c1")]),
        ),
        (
            "MESH211",
            ERROR,
            "istio.meshNetworks.network1.endpoints[0].fromRegistry",
            networks(endpoints=[{"fromRegistry": "x"}]),
        ),
        (
            "MESH211",
            ERROR,
            "istio.meshNetworks.network1.endpoints[0].fromRegistry",
            networks(endpoints=[{"fromRegistry": "west"}]),
        ),
        ("MESH211", ERROR, "istio.meshNetworks.network9", networks("network9")),
        ("MESH212", ERROR, "istio.meshNetworks.network1.endpoints[0]", networks(endpoints=[{}])),
        (
            "MESH212",
            ERROR,
            "istio.meshNetworks.network1.endpoints[0]",
            networks(endpoints=[{"fromRegistry": "east", "fromCidr": "10.0.0.0/8"}]),
        ),
        ("MESH212", ERROR, "istio.meshNetworks.network1.gateways[0]", networks(gateways=[{"port": 443}])),
        (
            "MESH212",
            ERROR,
            "istio.meshNetworks.network1.gateways[1]",
            networks(gateways=[{"address": "203.0.113.9"}, {"address": "203.0.113.9", "registryServiceName": "a.b"}]),
        ),
        (
            "MESH210",
            ERROR,
            "istio.meshNetworks.network1.gateways[0].address",
            networks(gateways=[{"address": "203.0.113.9:15443"}]),
        ),
        (
            "MESH210",
            ERROR,
            "istio.meshNetworks.network1.gateways[0].registryServiceName",
            networks(gateways=[{"registryServiceName": "istio-eastwestgateway"}]),
        ),
        (
            "MESH203",
            ERROR,
            "istio.meshNetworks.network1.endpoints[0].fromCidr",
            networks(endpoints=[{"fromCidr": "ten"}]),
        ),
        ("MESH213", ERROR, "clusters[1].apiServer.addressFor.nowhere", address_for("nowhere", "https://203.0.113.9")),
        ("MESH213", WARNING, "clusters[1].apiServer.addressFor.west", address_for("west", "https://203.0.113.9")),
        ("MESH204", ERROR, "clusters[1].apiServer.addressFor.east", address_for("east", "https://127.0.0.1")),
        ("MESH206", ERROR, "clusters[1].apiServer.addressFor.east", address_for("east", "203.0.113.9:6443")),
    ],
)
def test_the_document_provokes(code: str, severity: Severity, place: str, settings: MeshSettings) -> None:
    assert one(findings(settings), code, severity, place).fix


@pytest.mark.parametrize(
    "settings",
    [
        discovery(PRIMARY, PRIMARY, PRIMARY, **HUB, hubs=["c0"]),
        discovery(**EDGES, edges=[edge("c0", "c1")]),
        discovery(PRIMARY, REMOTE, **EDGES),  # a remote is always read by whom it is served
        discovery(secrets="bundled"),
        networks(endpoints=[{"fromRegistry": "east"}, {"fromCidr": "10.0.0.0/8"}]),
        networks("virtual-machines", endpoints=[{"fromCidr": "192.168.0.0/16"}]),
        networks(gateways=[{"registryServiceName": "istio-eastwestgateway.istio-system.svc.cluster.local"}]),
        address_for("east", "https://10.1.2.3"),  # whoever writes it for one reader knows the way
        address_for("east", "https://203.0.113.9", address="https://localhost"),  # nobody uses the other one
    ],
)
def test_what_fits_together_passes(settings: MeshSettings) -> None:
    assert findings(settings) == ()


class TestPerReader:
    """Each reader asks at its own address, and each address is looked at once."""

    def test_the_address_of_the_rest_is_still_checked_for_the_rest(self) -> None:
        address = {"address": "https://localhost", "addressFor": {"c0": "https://203.0.113.9"}}
        found = findings(clusters({}, {}, {"apiServer": address}))
        reason = one(found, "MESH204", ERROR, "clusters[2].apiServer.address").reason
        assert '"c1"' in reason
        assert '"c0"' not in reason

    def test_a_ready_made_kubeconfig_is_handed_on_as_it_is(self) -> None:
        peer = {"peerKubeconfig": {"file": "p"}, "apiServer": {"addressFor": {"east": "https://203.0.113.9"}}}
        found = findings(mesh(west=peer), {}, {1: kubeconfig("https://127.0.0.1")})
        one(found, "MESH204", ERROR, "clusters[1].peerKubeconfig")

    @pytest.mark.parametrize(("other", "same"), [("c0", True), ("c1", False)])
    def test_one_address_for_one_reader_is_one_cluster(self, other: str, same: bool) -> None:
        """Two readers may use one private address for two clusters."""
        address = "https://10.0.0.1"
        found = findings(
            clusters(
                {},
                {},
                {"apiServer": {"addressFor": {"c0": address}}},
                {"apiServer": {"addressFor": {other: address}}},
            )
        )
        assert codes(found) == (["MESH504"] if same else [])


class TestGatewaysOfWhatIsRead:
    """istiod knows the gateways of the clusters it reads, and calls the pods of other networks directly."""

    SHARED: ClassVar[Patch] = {"network": "shared"}
    WITHOUT: ClassVar[Patch] = {**SHARED, **NO_GATEWAY}

    def test_a_gateway_that_the_reader_does_not_read_is_no_gateway(self) -> None:
        settings = discovery(PRIMARY, self.SHARED, self.WITHOUT, **EDGES, edges=[edge("c2", "c0"), edge("c1", "c2")])
        found = one(findings(settings), "MESH207", ERROR, "clusters[2].eastWest.enabled")
        assert '"c0"' in found.reason
        assert '"c1" too' in found.fix

    @pytest.mark.parametrize(
        "pairs",
        [
            [("c2", "c0"), ("c1", "c0")],  # reads the gateway too
            [("c2", "c1"), ("c0", "c1")],  # is in the network itself
        ],
    )
    def test_a_reader_that_knows_the_gateway_or_is_there_itself_passes(self, pairs: list[tuple[str, str]]) -> None:
        settings = discovery(PRIMARY, self.SHARED, self.WITHOUT, **EDGES, edges=[edge(*pair) for pair in pairs])
        one(findings(settings), "MESH207", WARNING, "clusters[2].eastWest.enabled")

    def test_a_network_without_any_gateway_is_told_once(self) -> None:
        settings = discovery(PRIMARY, {**PRIMARY, **NO_GATEWAY}, **EDGES, edges=[edge("c1", "c0")])
        assert codes(findings(settings)) == ["MESH207"]


class TestPairs:
    def test_two_pairs_may_not_have_one_name(self) -> None:
        named = [{"name": name} for name in ("a", "a-to-b", "b-to-c", "c")]
        found = [f for f in findings(clusters(*named)) if f.place == "clusters[1].name"]
        assert '"mesh-a-to-b-to-c"' in one(tuple(found), "MESH109", ERROR, "clusters[1].name").reason
        assert findings(clusters(*named[:2], {"name": "c"})) == ()
        assert findings(clusters(*named, discovery={"secrets": "bundled"})) == ()
