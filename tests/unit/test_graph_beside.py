"""What a picture has beside clusters: other meshes, machines, ways in and out; and links that have a state."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from meshctl.graph import jsontext, mermaid, page, svg
from meshctl.graph.beside import Machines, OtherMesh
from meshctl.graph.model import Graph
from meshctl.graph.scene import Part
from tests.support import pages
from tests.support.drawings import drawing

DOCUMENT: dict[str, Any] = {
    "id": "shop",
    "meshes": [{"name": "partner", "trustDomain": "partner.example", "imports": [{"host": "payments.bank"}]}],
    "exports": [
        {
            "host": "orders.shop",
            "ports": [{"number": 80, "name": "http"}],
            "accounts": ["shop/orders"],
            "meshes": ["partner"],
        }
    ],
    "virtualMachines": [{"name": "ledger", "namespace": "accounting", "cluster": "west", "network": "machine-room"}],
    "clusters": [
        {"name": "east", "network": "n1", "ingress": [{}, {"name": "istio-internal"}]},
        {"name": "west", "network": "n2", "egress": {"hosts": [{"host": "api.example.com"}]}},
    ],
}


@pytest.fixture(scope="module")
def found() -> Graph:
    return drawing(DOCUMENT)


class TestModel:
    def test_machines_come_to_the_istiod_that_serves_their_cluster(self, found: Graph) -> None:
        assert found.machines == (Machines("accounting/ledger", "west", "machine-room", "west"),)

    def test_another_mesh_with_what_passes_between(self, found: Graph) -> None:
        hosts = ("payments.bank.svc.cluster.local",), ("orders.shop.svc.cluster.local",)
        assert found.meshes == (OtherMesh("partner", "partner.example", *hosts, through=("east", "west")),)

    def test_ways_in_and_out(self, found: Graph) -> None:
        east, west = found.clusters()
        assert [item.kind for item in east.gateways] == ["east-west", "ingress", "ingress", "cross-mesh"]
        assert [item.kind for item in west.gateways] == ["east-west", "egress", "cross-mesh"]
        assert west.gateways[1].namespace == "istio-egress"

    def test_where_a_gateway_of_the_gateway_api_has_its_service(self) -> None:
        ingress = [{"api": "gateway-api", "namespace": "ways-in"}]
        (cluster,) = drawing({"id": "m", "clusters": [{"name": "a", "network": "n", "ingress": ingress}]}).clusters()
        assert [(item.name, item.namespace) for item in cluster.gateways] == [("istio-ingressgateway-istio", "ways-in")]


class TestWriters:
    TOLD = ("accounting/ledger", "machine-room", "partner.example", "istio-internal", "egress gateway")

    @pytest.mark.parametrize("text", TOLD)
    def test_every_format_tells_it(self, found: Graph, text: str) -> None:
        scene = pages.scene(DOCUMENT)
        assert text in svg.write(found)
        assert text in mermaid.write(found)
        assert text in page.write(scene)
        if text != "egress gateway":
            assert text in jsontext.write(found)

    def test_svg_links_them(self, found: Graph) -> None:
        drawn = svg.write(found)
        for kind in ("foreign", "incoming", "control"):
            assert f'class="line {kind}"' in drawn

    def test_mermaid_links_them(self, found: Graph) -> None:
        lines = [line.strip() for line in mermaid.write(found).splitlines()]
        assert "root <-->|trusts| mesh0" in lines
        assert 'mesh0 ==>|"15443"| c0_gateway_cross_mesh_3' in lines
        assert 'machines0 -->|"15012"| c1_gateway_east_west' in lines
        assert "outside --> c0_gateway_ingress_1" in lines
        assert "c1_gateway_egress_1 --> outside" in lines

    def test_a_mesh_without_them_has_nothing_of_them(self) -> None:
        bare = drawing({"id": "shop", "clusters": [{"name": "east", "network": "n1"}]})
        for text in (svg.write(bare), mermaid.write(bare)):
            assert not re.search("outside|foreign|incoming|machines|meshes", text.partition("</style>")[2] or text)


class TestStates:
    """A pair that comes or goes is seen in the picture, by colour and, in words, by its sign."""

    def test_svg_draws_the_line_in_the_colour_of_the_state(self, found: Graph) -> None:
        parts = pages.scene(DOCUMENT).owned()
        parts["east", "west"] = replace(parts["east", "west"], state="delete")
        drawn = svg.write(found, parts)
        assert 'class="line discovery is-delete"' in drawn
        assert 'class="line discovery"' in drawn
        assert "is deleted" in drawn

    def test_mermaid_styles_that_very_link(self, found: Graph) -> None:
        parts = pages.scene(DOCUMENT).owned()
        parts["east", "west"] = replace(parts["east", "west"], state="missing")
        text = mermaid.write(found, parts)
        ((number, style),) = re.findall(r"linkStyle (\d+) (.+)", text)
        links = [line for line in text.splitlines() if re.match(r" *\S+ (<?-->|-\.->|==>)", line)]
        assert links[int(number)].strip() == 'c0_istiod -.->|"! remote secret"| c1_server'
        assert style == mermaid.STATES["missing"]

    def test_many_links_meet_in_the_middle_only_while_nothing_happens_to_them(self) -> None:
        wanted = pages.document(5)
        scene = pages.scene(wanted)
        parts = scene.owned()
        (pair, *_) = (pair for pair in parts if all(pair))
        assert "linkStyle" not in mermaid.write(scene.graph, parts)
        parts[pair] = replace(parts[pair], state="create")
        assert mermaid.write(scene.graph, parts).count("linkStyle") == 1

    def test_what_is_read_and_not_in_the_document_is_drawn_too(self) -> None:
        names = ["a", "b", "c"]
        clusters = [{"name": name, "network": "n"} for name in names]
        hub = {"reach": "hub-and-spoke", "hubs": ["a"]}
        scene = pages.scene({"id": "shop", "discovery": hub, "clusters": clusters})
        assert ("b", "c") not in scene.pairs
        parts = {**scene.owned(), ("b", "c"): Part(state="extra")}
        assert "is-extra" in svg.write(scene.graph, parts)
        assert 'c1_istiod -.->|"× remote secret"| c2_server' in mermaid.write(scene.graph, parts)  # noqa: RUF001

    def test_json_has_the_states(self, found: Graph) -> None:
        parts = pages.scene(DOCUMENT).owned()
        parts["east", "west"] = replace(parts["east", "west"], state="update")
        states = json.loads(jsontext.write(found, parts))["states"]
        assert [item["state"] for item in states if (item.get("reader"), item.get("source")) == ("east", "west")] == [
            "update"
        ]
