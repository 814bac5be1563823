"""Two meshes trust exactly the domains that they declared, and a third, undeclared one is refused.

Real certificates and whole TLS handshakes, with the roots and names that the two programs hand to istiod.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.settings.facts import MeshFacts, parse
from mesh_components.settings.meshes import ExportPort, ExportSettings, OtherMesh
from mesh_components.topology.meshes import sni
from mesh_components.trust import between
from tests.program.test_program import program
from tests.support.graph import Graph, authority
from tests.support.mesh_authority import MeshAuthority
from tests.support.meshes import document, kubeconfig
from tests.support.sidecar import RefusedError, Sidecar, call, denied

HELLO, REVIEWS = "helloworld.sample.svc.cluster.local", "reviews.bookinfo.svc.cluster.local"
HTTP = {"number": 5000, "name": "http", "protocol": "HTTP"}


@dataclass(frozen=True)
class Mesh:
    """One of the two that trust each other, as its program has made it."""

    graph: Graph
    authority: MeshAuthority
    domain: str

    @property
    def config(self) -> dict[str, Any]:
        (found,) = [
            item for item in self.graph.of_type("kubernetes:core/v1:ConfigMap") if item.kubernetes_name == "values"
        ]
        config: dict[str, Any] = json.loads(found.inputs["data"]["original-values"])["meshConfig"]
        return config

    def spec(self, kind: str) -> dict[str, Any]:
        (found,) = [item for item in self.graph.kubernetes() if item.type.endswith(f":{kind}")]
        spec: dict[str, Any] = found.inputs["spec"]
        return spec

    def workload(self, account: str, signer: MeshAuthority | None = None, domain: str | None = None) -> Sidecar:
        namespace, name = account.split("/")
        identity = f"spiffe://{domain or self.domain}/ns/{namespace}/sa/{name}"
        imported = tuple(self.spec("ServiceEntry")["subjectAltNames"])
        return Sidecar((signer or self.authority).leaf(identity), self.config, self.authority.pem, names=imported)


def settings(own: str, other: str, exported: str, imported: str, said: MeshFacts | None) -> dict[str, Any]:
    trusted = {
        "name": other,
        "trustDomain": f"{other}.example",
        "facts": {"file": f"{other}.json"},
        "digest": said.digest if said else None,
        "imports": [{"host": imported}],
    }
    service, namespace = exported.split(".")
    export = {"host": exported, "ports": [HTTP], "accounts": [f"{namespace}/{service}"], "meshes": [other]}
    return document(
        "east",
        id=own,
        trustDomain=f"{own}.example",
        istio={"install": "charts"},
        trust={"multiRoot": True},
        meshes=[trusted] if said else [],
        exports=[export],
    )


@pytest.fixture(scope="module")
def meshes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mesh, Mesh]:
    """As two administrators do it: both export, then each signs off what the other says."""
    folder = tmp_path_factory.mktemp("meshes")
    (folder / "east").write_text(kubeconfig("east"))
    sides = {
        "mesh1": ("mesh2", "reviews.bookinfo", "helloworld.sample"),
        "mesh2": ("mesh1", "helloworld.sample", "reviews.bookinfo"),
    }
    said: dict[str, MeshFacts] = {}
    for own, side in sides.items():
        said[own] = parse(program(folder, settings(own, *side, None), {}).stack_outputs["publicFacts"])
        (folder / f"{own}.json").write_text(json.dumps(said[own].document()))
    made = [
        Mesh(
            program(folder, settings(own, *side, said[side[0]]), {}),
            authority(own, "mesh-trust-root"),
            f"{own}.example",
        )
        for own, side in sides.items()
    ]
    return made[0], made[1]


UNDECLARED = MeshAuthority("Root CA of mesh3")
STRICT = pytest.mark.parametrize("by_domain", [False, True], ids=["as a sidecar", "root by trust domain"])


def strict(sidecar: Sidecar, by_domain: bool) -> Sidecar:
    return replace(sidecar, by_domain=by_domain)


@STRICT
def test_each_calls_what_the_other_exports(meshes: tuple[Mesh, Mesh], by_domain: bool) -> None:
    mesh1, mesh2 = meshes
    caller, service = mesh1.workload("shop/till"), mesh2.workload("sample/helloworld")
    assert call(strict(caller, by_domain), strict(service, by_domain)) == "spiffe://mesh1.example/ns/shop/sa/till"
    caller, service = mesh2.workload("a/b"), mesh1.workload("bookinfo/reviews")
    assert call(strict(caller, by_domain), strict(service, by_domain)) == "spiffe://mesh2.example/ns/a/sa/b"


@STRICT
@pytest.mark.parametrize("domain", ["mesh3.example", "mesh2.example", "mesh1.example", "cluster.local"])
def test_what_the_third_mesh_signs_is_refused(meshes: tuple[Mesh, Mesh], by_domain: bool, domain: str) -> None:
    """Whatever name it writes into its certificates, also those of the two. It calls, and is called."""
    for mesh in meshes:
        account = mesh.spec("ServiceEntry")["subjectAltNames"][0].split("/ns/")[1].replace("/sa/", "/")
        forged = mesh.workload(account, UNDECLARED, domain)
        trusting = replace(forged, names=(mesh.workload("x/y").identity,), mesh_config=_trusts_all(mesh))
        with pytest.raises(RefusedError):
            call(trusting, strict(mesh.workload("x/y"), by_domain))
        with pytest.raises(RefusedError):
            call(strict(mesh.workload("x/y"), by_domain), trusting)


def _trusts_all(mesh: Mesh) -> dict[str, Any]:
    """The third mesh may trust whom it likes; that must change nothing."""
    domains = ["mesh1.example", "mesh2.example", "mesh3.example", "cluster.local"]
    return {"trustDomain": "mesh3.example", "caCertificates": [{"pem": mesh.authority.pem, "trustDomains": domains}]}


@STRICT
def test_a_domain_that_is_not_declared_is_refused_under_a_root_that_is(
    meshes: tuple[Mesh, Mesh], by_domain: bool
) -> None:
    mesh1, mesh2 = meshes
    other = mesh2.workload("shop/till", domain="mesh3.example")
    with pytest.raises(RefusedError, match=r"mesh3\.example"):
        call(replace(other, names=(mesh1.workload("x/y").identity,)), strict(mesh1.workload("x/y"), by_domain))


@STRICT
def test_a_root_that_is_trusted_is_trusted_for_every_domain_by_sidecars(
    meshes: tuple[Mesh, Mesh], by_domain: bool
) -> None:
    """The limit that docs/mesh-trust.md states: istiod hands all roots to proxies as one bundle. If Istio ever ties
    roots to domains in proxies too, the page has to change."""
    mesh1, mesh2 = meshes
    forged = mesh1.workload("shop/till", mesh2.authority)
    caller = replace(forged, names=(mesh1.workload("x/y").identity,))
    server = strict(mesh1.workload("x/y"), by_domain)
    if by_domain:
        with pytest.raises(RefusedError):
            call(caller, server)
    else:
        assert call(caller, server) == "spiffe://mesh1.example/ns/shop/sa/till"


@STRICT
def test_another_service_of_the_other_mesh_is_not_taken_for_the_one_called(
    meshes: tuple[Mesh, Mesh], by_domain: bool
) -> None:
    mesh1, mesh2 = meshes
    with pytest.raises(RefusedError, match="the caller wanted"):
        call(strict(mesh1.workload("shop/till"), by_domain), strict(mesh2.workload("sample/other"), by_domain))


def test_before_facts_are_signed_off_nobody_is_let_in(meshes: tuple[Mesh, Mesh]) -> None:
    mesh1, mesh2 = meshes
    alone = replace(mesh1.workload("bookinfo/reviews"), mesh_config={"trustDomain": "mesh1.example"})
    with pytest.raises(RefusedError):
        call(mesh2.workload("shop/till"), alone)


def test_the_other_mesh_reaches_what_is_exported_and_nothing_else(meshes: tuple[Mesh, Mesh]) -> None:
    mesh1, _ = meshes
    policy = mesh1.spec("AuthorizationPolicy")
    accounts = ["ns/shop/sa/till", "ns/kube-system/sa/default"]
    hosts = [REVIEWS, HELLO, "reviews.other.svc.cluster.local", "istiod.istio-system.svc.cluster.local"]
    for account, host, port in product(accounts, hosts, (5000, 15012)):
        let_in = (host, port) == (REVIEWS, 5000)
        assert denied(policy, f"mesh2.example/{account}", sni(port, host)) is not let_in
        assert not denied(policy, f"mesh1.example/{account}", sni(port, host)), "our own are not touched"
        assert not denied(policy, "", ""), "nor is plaintext, which a PeerAuthentication decides about"


label = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
names = st.sampled_from(["a", "b", "c"])
exports = st.lists(
    st.fixed_dictionaries(
        {
            "host": st.tuples(names, names).map(".".join),
            "ports": st.lists(st.integers(1, 9), min_size=1, max_size=2, unique=True),
            "meshes": st.lists(st.sampled_from(["mesh2", "mesh3"]), min_size=1, max_size=2, unique=True),
            "callers": st.lists(st.tuples(names, names).map("/".join), max_size=2),
        }
    ),
    max_size=4,
    unique_by=lambda export: export["host"],
)


@given(exports, st.tuples(names, names), st.tuples(names, names), st.integers(1, 9))
def test_a_policy_lets_in_exactly_what_the_document_says(
    wanted: list[dict[str, Any]], caller: tuple[str, str], service: tuple[str, str], port: int
) -> None:
    known = [
        ExportSettings(
            host=item["host"],
            ports=tuple(ExportPort(number=number, name=f"p{number}") for number in item["ports"]),
            accounts=("x/y",),
            meshes=tuple(item["meshes"]),
            callers=tuple(item["callers"]),
        )
        for item in wanted
    ]
    other = OtherMesh(name="mesh2", trust_domain="mesh2.example")
    mine = [export for export in known if "mesh2" in export.meshes]
    policy = between.policy("istio-system", other, mine)["spec"]
    host, account = ".".join(service), "/".join(caller)
    let_in = any(
        item["host"] == host
        and port in item["ports"]
        and "mesh2" in item["meshes"]
        and (not item["callers"] or account in item["callers"])
        for item in wanted
    )
    principal = f"mesh2.example/ns/{caller[0]}/sa/{caller[1]}"
    assert denied(policy, principal, sni(port, f"{host}.svc.cluster.local")) is not let_in
