"""What is behind the parts of a picture: from a document, from a preview, from clusters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from mesh_components.settings import parse
from mesh_components.topology.plan import plan
from mesh_components.topology.resources import resources
from meshctl.graph import changes, jsontext, live, mermaid, page, svg
from meshctl.graph.live import Seen
from meshctl.graph.scene import MARKS, Scene, Thing
from meshctl.local.project import ProjectError
from meshctl.rows import Field, Row
from tests.support.drawings import MESHES
from tests.support.pages import document, scene

CONFIG = "urn:pulumi:dev::mesh::pulumi:pulumi:Stack::mesh-dev"


def row(
    name: str, op: str, *, type_: str = "mesh:index:X", parent: str = CONFIG, cluster: str = "", **rest: Any
) -> Row:
    return Row(f"urn:pulumi:dev::mesh::{type_}::{name}", type_, name, parent, cluster, op, **rest)


@given(MESHES)
def test_every_component_is_behind_one_part_and_every_part_is_of_the_mesh(wanted: dict[str, Any]) -> None:
    found = scene(wanted)
    things = [thing.name for part in found.parts() for thing in part.things]
    assert sorted(things) == sorted(item.name for item in resources(plan(parse(wanted))))
    assert found.gone == ()
    assert set(found.pairs) == {(link.reader, link.source) for link in found.graph.discovery}


def test_a_finding_is_behind_what_it_is_about() -> None:
    wanted = document(2)
    wanted["clusters"][0]["platform"] = "eks"
    wanted["clusters"][1]["eastWest"] = {"address": "192.0.2.1", "addressType": "hostname"}
    found = scene(wanted)
    assert [item.code for item in found.clusters["us-east-1-a"].findings] == ["MESH210"]


class TestPreview:
    """Each row is behind the cluster or the pair that it is about, also where that has left the document."""

    @pytest.fixture
    def found(self) -> Scene:
        secret = row("mesh-us-east-1-a-to-europe-west1-a", "create", type_="mesh:index:RemoteSecret")
        service = "kubernetes:core/v1:Service"
        fields = (Field("spec.ports", 1, 2),)
        rows = (
            row("mesh-dev", "same", type_="pulumi:pulumi:Stack", parent=""),
            row("mesh-europe-west1-a-eastwest", "same"),
            row("x", "update", type_=service, parent=row("mesh-europe-west1-a-eastwest", "").urn, fields=fields),
            secret,
            row("s", "create", type_="kubernetes:core/v1:Secret", parent=secret.urn, cluster="europe-west1-a"),
            row("mesh-old-namespace", "delete"),
            row("n", "delete", type_="kubernetes:core/v1:Namespace", cluster="old"),
            row("mesh-old-to-us-east-1-a", "delete", type_="mesh:index:RemoteSecret"),
            row("mesh-trust-root-key", "same", type_="tls:index/privateKey:PrivateKey"),
        )
        return changes.with_changes(scene(document(2)), rows, "from a preview of mesh/dev")

    def test_states(self, found: Scene) -> None:
        assert found.clusters["europe-west1-a"].state == "update"
        assert found.clusters["europe-west1-a"].note == "1 to update, 1 unchanged"
        assert found.clusters["us-east-1-a"].state == ""
        assert found.clusters["old"].state == "delete"
        assert found.gone == ("old",)
        assert found.pairs["europe-west1-a", "us-east-1-a"].state == "create"
        assert found.pairs["us-east-1-a", "old"].state == "delete"
        assert found.mesh.state == ""
        assert found.states() == ("create", "update", "delete")
        assert found.about == "from a preview of mesh/dev: 2 to create, 1 to update, 3 to delete, 3 unchanged"

    def test_fields_that_differ_are_told(self, found: Scene) -> None:
        told = {thing.name: thing.fields for thing in found.clusters["europe-west1-a"].things}
        assert told["x"] == ("spec.ports: 1 -> 2",)

    def test_every_writer_says_it_by_sign_and_word(self, found: Scene) -> None:
        parts = found.owned()
        assert '"~ europe-west1-a (primary): changes"' in mermaid.write(found.graph, parts)
        assert '["− old: is deleted"]' in mermaid.write(found.graph, parts)  # noqa: RUF001 (the sign itself)
        drawn = svg.write(found.graph, parts)
        assert '<circle class="state update"' in drawn
        assert MARKS["update"][1] in drawn
        told = json.loads(jsontext.write(found.graph, parts))["states"]
        assert {"cluster": "old", "state": "delete"}.items() <= next(
            i for i in told if i.get("cluster") == "old"
        ).items()
        assert "not in the document" in page.write(found)

    def test_rows_are_read_back(self) -> None:
        wanted = row("x", "update", fields=(Field("a", None, 1),))
        assert changes.read(json.dumps([wanted.data()])) == (wanted,)
        for wrong in ("", "{}x", '[{"urn": 1}]', "[1]", '{"resources": []}'):
            with pytest.raises(ProjectError, match="mesh preview --json"):
                changes.read(wrong)


class TestGatewaysInPreview:
    """Gateways in their clusters, and the ways through them to istiod; from there to here nothing else has a state."""

    @pytest.fixture
    def wanted(self) -> dict[str, Any]:
        """The second cluster is served by the first."""
        wanted = document(2)
        server, served = wanted["clusters"]
        server["ingress"] = [{"name": "istio-one"}, {"name": "istio-two"}]
        served |= {"role": "remote", "controlPlane": server["name"]}
        return wanted

    def changed(self, wanted: dict[str, Any], *rows: Row) -> Scene:
        return changes.with_changes(scene(wanted), rows, "from a preview")

    def under(self, component: str, name: str, op: str) -> tuple[Row, Row]:
        above = row(component, "same")
        return above, row(f"{component}-{name}", op, type_="kubernetes:core/v1:Service", parent=above.urn)

    def states(self, found: Scene, cluster: str) -> dict[str, str]:
        return {gateway.name: state for gateway, state in found.clusters[cluster].gateways.items()}

    def test_each_gateway_has_its_own(self, wanted: dict[str, Any]) -> None:
        server, served = (cluster["name"] for cluster in wanted["clusters"])
        found = self.changed(
            wanted,
            *self.under(f"mesh-{server}-two", "service", "create"),
            *self.under(f"mesh-{server}-one", "service", "same"),
            *self.under(f"mesh-{served}-eastwest", "service", "update"),
            *self.under(f"mesh-{served}-trust", "cacerts", "update"),
        )
        assert self.states(found, server) == {"istio-two": "create"}
        assert self.states(found, served) == {"istio-eastwestgateway": "update"}
        assert found.states() == ("create", "update")

    @pytest.mark.parametrize(
        ("component", "name", "op", "state"),
        [
            ("{served}-istiod", "webhook", "create", "create"),
            ("{served}-istiod", "webhook", "same", ""),
            ("{served}-namespace", "patch", "update", ""),
            ("{server}-eastwest", "expose-istiod", "create", "update"),
            ("{server}-eastwest", "route-istiod", "delete", "update"),
            ("{server}-eastwest", "service", "update", ""),
            ("{server}-istiod", "deployment", "update", ""),
        ],
    )
    def test_the_way_to_istiod(self, wanted: dict[str, Any], component: str, name: str, op: str, state: str) -> None:
        server, served = (cluster["name"] for cluster in wanted["clusters"])
        component = component.format(server=server, served=served)
        found = self.changed(wanted, *self.under(f"mesh-{component}", name, op))
        assert found.pairs[served, server].control == state if state else (served, server) not in found.pairs

    def test_one_that_has_left_the_document_is_in_its_cluster_still(self, wanted: dict[str, Any]) -> None:
        server, served = (cluster["name"] for cluster in wanted["clusters"])
        gone = row(f"mesh-{served}-egressgateway", "delete", type_="mesh:index:EgressGateway")
        below = row("x", "delete", type_="kubernetes:core/v1:Service", parent=gone.urn, cluster=served)
        found = self.changed(wanted, gone, below)
        assert (self.states(found, server), self.states(found, served)) == ({}, {"egressgateway": "delete"})
        parts = found.owned()
        chart, drawn, shown = mermaid.write(found.graph, parts), svg.write(found.graph, parts), page.write(found)
        assert 'c1_gateway_egress_1["− egress gateway"]:::outside' in chart  # noqa: RUF001 (the sign itself)
        assert "outside -->" not in "".join(line for line in chart.splitlines() if "egress" in line)
        assert drawn.count('<rect class="state delete"') == 2
        assert "data-state='delete' title='is deleted'>− egress</i>" in shown  # noqa: RUF001
        assert [item.kind for item in found.graph.clusters()[1].gateways] == ["east-west"]

    def test_every_writer_says_it(self, wanted: dict[str, Any]) -> None:
        server, served = (cluster["name"] for cluster in wanted["clusters"])
        found = self.changed(
            wanted,
            *self.under(f"mesh-{server}-two", "service", "create"),
            *self.under(f"mesh-{served}-istiod", "webhook", "update"),
        )
        parts = found.owned()
        chart = mermaid.write(found.graph, parts)
        assert 'c0_gateway_ingress_2["+ istio-two"]:::outside' in chart
        assert f"  style c0_gateway_ingress_2 {mermaid.STATES['create']}" in chart
        assert '-->|"~ 15012, 15017"|' in chart
        numbered = [line for line in chart.splitlines() if "-->" in line or "-.->" in line or "==>" in line]
        (coloured,) = (line.split() for line in chart.splitlines() if "linkStyle" in line)
        assert '"~ 15012, 15017"' in numbered[int(coloured[1])]
        told = json.loads(jsontext.write(found.graph, parts))["states"]
        assert {"served": served, "server": server, "state": "update"} in told
        assert [item["gateways"] for item in told if "gateways" in item] == [{"istio-two": "create"}]
        assert [item["reader"] for item in told if "reader" in item] == [server]
        drawn = svg.write(found.graph, parts)
        assert 'class="line control is-update"' in drawn
        assert '<rect class="state create"' in drawn
        shown = page.write(found)
        assert "data-state='create' title='is created'>+ istio-two</i>" in shown
        assert "istio-two is created" in shown
        assert f"<td>{server}: changes</td>" in shown


class TestLive:
    """What is there beside what is wanted; what cannot be read is not taken for missing."""

    def test_states(self) -> None:
        there = Thing("istio-system", "Namespace", "", "there")
        found = live.with_seen(
            scene(document(5)),
            {
                "europe-west1-a": Seen((there,), frozenset({"us-east-1-a", "europe-west1-b", "elsewhere"})),
                "us-east-1-a": Seen((there, Thing("cacerts", "Secret", "", "missing"))),
                "eu-de-a": Seen(trouble="eu-de-a: the API server does not answer"),
                "westus2-a": Seen((Thing("istio-system", "Namespace", "its label says otherwise", "differs"),)),
                "europe-west1-b": Seen((there,)),
            },
            "from the clusters",
        )
        states = {name: part.state for name, part in found.clusters.items()}
        assert states == {
            "europe-west1-a": "there",
            "us-east-1-a": "missing",
            "eu-de-a": "unknown",
            "westus2-a": "differs",
            "europe-west1-b": "there",
            "elsewhere": "extra",
        }
        assert found.clusters["us-east-1-a"].note == "cacerts"
        pairs = {pair: part.state for pair, part in found.pairs.items()}
        assert pairs["europe-west1-a", "us-east-1-a"] == "there"
        assert pairs["europe-west1-a", "eu-de-a"] == "missing"
        assert pairs["eu-de-a", "us-east-1-a"] == "unknown"
        assert pairs["europe-west1-a", "elsewhere"] == "extra"

    def test_gateways_and_the_way_through_them(self) -> None:
        wanted = document(2)
        server, served = (cluster["name"] for cluster in wanted["clusters"])
        wanted["clusters"][1] |= {"role": "remote", "controlPlane": server}
        istiod, door = Thing("istiod", "Deployment", "", "there"), ("istio-eastwestgateway", "Service", "")
        for things, gateways, way in (
            ((istiod, Thing(*door, "there")), {"istio-eastwestgateway": "there"}, "there"),
            ((istiod, Thing(*door, "differs")), {"istio-eastwestgateway": "differs"}, "differs"),
            ((istiod, Thing(*door, "missing")), {"istio-eastwestgateway": "missing"}, "missing"),
            ((Thing("istiod", "Deployment", "", "missing"),), {}, "missing"),
            ((), {}, "unknown"),
        ):
            seen = {server: Seen(things, trouble="" if things else "no answer"), served: Seen((istiod,))}
            found = live.with_seen(scene(wanted), seen, "from the clusters")
            assert {key.name: state for key, state in found.clusters[server].gateways.items()} == gateways
            assert found.pairs[served, server].control == way

    def test_what_something_else_mounts_is_not_called_missing(self) -> None:
        wanted = {**document(2), "discovery": {"secrets": "mounted", "mounted": {"volume": {"emptyDir": {}}}}}
        here = {name: Seen() for name in ("europe-west1-a", "us-east-1-a")}
        found = live.with_seen(scene(wanted), here, "from the clusters")
        assert {part.state for part in found.pairs.values()} == {""}
