"""Meshes that trust each other: two whole programs, each with what the other says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mesh_components.settings.facts import MeshFacts, parse
from tests.program.test_program import program as run_program
from tests.support.graph import Graph
from tests.support.mesh_authority import MeshAuthority, facts
from tests.support.meshes import document, kubeconfig

ROOT = MeshAuthority("Root CA of mesh2")
MESH2 = facts(ROOT)
SNI = "outbound_.9080_._.reviews.bookinfo.svc.cluster.local"
EXPORT = {
    "host": "reviews.bookinfo",
    "ports": [{"number": 9080, "name": "http", "protocol": "HTTP"}],
    "accounts": ["bookinfo/reviews"],
    "meshes": ["mesh2"],
    "callers": ["shop/till"],
}


def mesh1(said: MeshFacts = MESH2, *, mesh2: Mapping[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    other = {
        "name": "mesh2",
        "trustDomain": "mesh2.example",
        "facts": {"file": "mesh2.json"},
        "digest": said.digest,
        "imports": [
            {"host": "helloworld.sample"},
            {"host": "helloworld.sample", "called": "helloworld.mesh2.global", "clusters": ["east"]},
        ],
        **(mesh2 or {}),
    }
    whole = {
        "trustDomain": "mesh1.example",
        "istio": {"install": "charts"},
        "trust": {"multiRoot": True},
        "meshes": [other],
        "exports": [EXPORT],
    }
    return document("east", "west", **{**whole, **top})


def program(folder: Path, wanted: dict[str, Any], said: MeshFacts = MESH2, **rest: Any) -> Graph:
    (folder / "mesh2.json").write_text(json.dumps(said.document()))
    for name in ("east", "west"):
        (folder / name).write_text(kubeconfig(name))
    return run_program(folder, wanted, {}, **rest)


def spec(graph: Graph, kind: str, cluster: str) -> dict[str, Any]:
    """Specs of a kind in a cluster, by name."""
    found = [item for item in graph.kubernetes() if item.type.endswith(f":{kind}") and graph.cluster(item) == cluster]
    return {item.kubernetes_name: item.inputs["spec"] for item in found}


def test_preview_shows_what_up_makes(tmp_path: Path) -> None:
    up, preview = program(tmp_path, mesh1()), program(tmp_path, mesh1(), preview=True)
    assert up.drawing() == preview.drawing()
    assert spec(preview, "ServiceEntry", "east") == spec(up, "ServiceEntry", "east"), "facts in a file are known"


def test_nothing_is_made_for_a_mesh_of_its_own(tmp_path: Path) -> None:
    alone = program(tmp_path, mesh1(meshes=[], exports=[], trust={}))
    kinds = {item.type.rsplit(":", 1)[-1] for item in alone.resources_by_name.values()}
    assert kinds.isdisjoint({"MeshTrust", "CrossMeshGateway", "ServiceEntry", "AuthorizationPolicy"})
    assert set(alone.stack_outputs).isdisjoint({"publicFacts", "caCertificates"})


def test_no_credential_crosses_over(tmp_path: Path) -> None:
    """The only clusters that anything is written to are ours, and remote secrets name no other."""
    graph = program(tmp_path, mesh1())
    assert {graph.cluster(item) for item in graph.kubernetes()} == {"east", "west"}
    assert {item.name for item in graph.of_type("mesh:index:RemoteSecret")} == {
        "mesh-east-to-west",
        "mesh-west-to-east",
    }


def test_imported_services(tmp_path: Path) -> None:
    graph = program(tmp_path, mesh1())
    same, named = "helloworld.sample.svc.cluster.local", "helloworld.mesh2.global"
    entry = {
        "hosts": [same],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        "ports": [{"number": 5000, "name": "http", "protocol": "HTTP"}],
        "endpoints": [
            {
                "address": "203.0.113.7",
                "ports": {"http": 15443},
                "labels": {"security.istio.io/tlsMode": "istio"},
            }
        ],
        "subjectAltNames": ["spiffe://mesh2.example/ns/sample/sa/helloworld"],
    }
    assert spec(graph, "ServiceEntry", "east") == {same: entry, named: {**entry, "hosts": [named]}}
    assert spec(graph, "ServiceEntry", "west") == {same: entry}
    tls = {
        "mode": "ISTIO_MUTUAL",
        "sni": "outbound_.5000_._.helloworld.sample.svc.cluster.local",
        "subjectAltNames": ["spiffe://mesh2.example/ns/sample/sa/helloworld"],
    }
    rule = {"host": named, "trafficPolicy": {"portLevelSettings": [{"port": {"number": 5000}, "tls": tls}]}}
    assert spec(graph, "DestinationRule", "east") == {named: rule}
    assert spec(graph, "DestinationRule", "west") == {}


def test_host_names_are_resolved(tmp_path: Path) -> None:
    named = facts(ROOT, gateways=(*MESH2.gateways, MESH2.gateways[0].model_copy(update={"address": "lb.example.com"})))
    (entry, *_) = spec(program(tmp_path, mesh1(named), named), "ServiceEntry", "west").values()
    assert entry["resolution"] == "DNS"
    assert [endpoint["address"] for endpoint in entry["endpoints"]] == ["203.0.113.7", "lb.example.com"]


def test_exported_services(tmp_path: Path) -> None:
    graph = program(tmp_path, mesh1())
    for cluster in ("east", "west"):
        doors = spec(graph, "Gateway", cluster)
        assert doors["crossmeshgateway"]["servers"][0]["hosts"] == ["reviews.bookinfo.svc.cluster.local"]
        assert doors["crossmeshgateway"]["selector"] == {"istio": "crossmeshgateway"}
        assert doors["cross-network-gateway"]["servers"][0]["hosts"] == ["*.local"], "of our own networks, as before"
        everyone = ["mesh2.example/*"]
        assert spec(graph, "AuthorizationPolicy", cluster)["exports-to-mesh2"] == {
            "action": "DENY",
            "rules": [
                {
                    "from": [{"source": {"principals": everyone}}],
                    "when": [{"key": "connection.sni", "notValues": [SNI]}],
                },
                {
                    "from": [{"source": {"principals": everyone, "notPrincipals": ["mesh2.example/ns/shop/sa/till"]}}],
                    "when": [{"key": "connection.sni", "values": [SNI]}],
                },
            ],
        }
    door = next(item for item in graph.of_type("kubernetes:core/v1:Service") if "crossmesh" in item.name)
    assert "topology.istio.io/network" not in door.inputs["metadata"]["labels"]


def test_what_exports_nothing_is_shut(tmp_path: Path) -> None:
    graph = program(tmp_path, mesh1(exports=[]))
    assert spec(graph, "AuthorizationPolicy", "east")["exports-to-mesh2"] == {
        "action": "DENY",
        "rules": [{"from": [{"source": {"principals": ["mesh2.example/*"]}}]}],
    }
    assert "crossmeshgateway" not in spec(graph, "Gateway", "east")


def test_an_alias_has_no_policy_that_would_shut_us_out(tmp_path: Path) -> None:
    graph = program(tmp_path, mesh1(mesh2={"alias": True}))
    assert spec(graph, "AuthorizationPolicy", "east") == {}
    assert values(graph)["meshConfig"]["trustDomainAliases"] == ["mesh2.example"]


def values(graph: Graph) -> dict[str, Any]:
    (config,) = [
        item for item in graph.of_type("kubernetes:core/v1:ConfigMap")
        if item.kubernetes_name == "values" and graph.cluster(item) == "east"
    ]  # fmt: skip
    found: dict[str, Any] = json.loads(config.inputs["data"]["original-values"])
    return found


def test_istiod_is_told_the_roots_and_passes_them_on(tmp_path: Path) -> None:
    told = values(program(tmp_path, mesh1()))
    assert told["meshConfig"]["caCertificates"] == [{"pem": MESH2.bundle, "trustDomains": ["mesh2.example"]}]
    assert "trustDomainAliases" not in told["meshConfig"]
    assert told["env"]["ISTIO_MULTIROOT_MESH"] == "true"
    assert told["meshConfig"]["defaultConfig"]["proxyMetadata"] == {
        "ISTIO_META_DNS_CAPTURE": "true",
        "PROXY_CONFIG_XDS_AGENT": "true",
    }


def test_all_of_it_comes_after_istiod(tmp_path: Path) -> None:
    graph = program(tmp_path, mesh1())
    for item in graph.kubernetes():
        if item.type.endswith((":ServiceEntry", ":DestinationRule", ":AuthorizationPolicy")):
            assert any("istiod" in name for name in item.depends_on), item.name


def test_what_a_mesh_says_of_itself_is_what_the_other_reads(tmp_path: Path) -> None:
    graph = program(tmp_path, mesh1())
    said = parse(graph.stack_outputs["publicFacts"])
    assert (said.mesh, said.trust_domain) == ("mesh1", "mesh1.example")
    assert {gateway.cluster for gateway in said.gateways} == {"east", "west"}
    (export,) = said.exports
    assert (export.host, export.meshes) == ("reviews.bookinfo.svc.cluster.local", ("mesh2",))
    (root,) = graph.of_type("tls:index/selfSignedCert:SelfSignedCert")
    assert said.bundle.startswith("-----BEGIN CERTIFICATE-----"), root.name
    assert "PRIVATE KEY" not in json.dumps(graph.stack_outputs["publicFacts"])
    assert program(tmp_path, mesh1(), preview=True).drawing() == graph.drawing()


class TestStacks:
    """Facts of another stack, known while the program runs."""

    SOURCE: Mapping[str, Any] = {"facts": {"stack": "org/mesh/mesh2"}}

    def stacks(self, said: Any) -> dict[str, Any]:
        return {"org/mesh/mesh2": {"publicFacts": said}}

    @pytest.mark.parametrize("preview", [False, True])
    def test_the_same_as_from_a_file(self, tmp_path: Path, preview: bool) -> None:
        file = program(tmp_path, mesh1(), preview=preview)
        known = self.stacks(MESH2.document())
        stack = program(tmp_path, mesh1(mesh2=self.SOURCE), preview=preview, stacks=known)
        assert stack.drawing() == file.drawing()
        for kind in ("ServiceEntry", "DestinationRule", "AuthorizationPolicy"):
            assert spec(stack, kind, "east") == spec(file, kind, "east")

    @pytest.mark.parametrize("preview", [False, True])
    def test_a_changed_document_is_refused(self, tmp_path: Path, preview: bool) -> None:
        other = facts(ROOT, gateways=())
        with pytest.raises(pulumi.RunError) as caught:
            program(tmp_path, mesh1(mesh2=self.SOURCE), preview=preview, stacks=self.stacks(other.document()))
        assert "MESH804" in str(caught.value)
        assert MESH2.digest in str(caught.value)
        assert other.digest in str(caught.value)

    def test_a_stack_without_facts_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(pulumi.RunError, match='the facts of the mesh "mesh2" cannot be used'):
            program(tmp_path, mesh1(mesh2=self.SOURCE), stacks=self.stacks(None))


@pytest.mark.parametrize("contents", [None, "", "{}", "-----BEGIN PRIVATE KEY-----"])
def test_a_file_without_facts_is_refused(tmp_path: Path, contents: str | None) -> None:
    wanted = mesh1(mesh2={"facts": {"file": "other.json"}})
    if contents is not None:
        (tmp_path / "other.json").write_text(contents)
    with pytest.raises(pulumi.RunError, match=r"MESH801 error at meshes\[0\]\.facts\.file") as caught:
        program(tmp_path, wanted)
    assert "PRIVATE" not in str(caught.value)
