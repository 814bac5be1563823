"""Each rule of the policies has a program that breaks it and one that does not; and no recipe breaks one by default."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pulumi_tls as tls
import pytest
from click.testing import CliRunner

from mesh_components import RootCA, RootCAArgs
from mesh_components.policy import RULES, Resource, Violation, violations
from meshctl.cli import main
from meshctl.local import policy as local
from tests.support.drawings import STACKS
from tests.support.graph import ROOT, Graph, run
from tests.support.meshes import document, federation

TOKEN = "kubernetes.io/service-account-token"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
META: Any = {"name": "istio-remote-secret-east", "labels": {"istio/multiCluster": "true"}}
READER = {"apiGroups": [""], "resources": ["services"], "verbs": ["get", "list", "watch"]}
GATEWAY = {"istio": "eastwestgateway", "topology.istio.io/network": "n1"}
INTERNAL = {"networking.gke.io/load-balancer-type": "Internal"}


def secret(type: str = "Opaque", string_data: Any = None) -> None:  # noqa: A002 (Pulumi's name)
    k8s.core.v1.Secret("it", metadata=META, type=type, string_data=string_data)


def config_map(text: str) -> None:
    k8s.core.v1.ConfigMap("it", metadata={"name": "it"}, data={"file": text})


def reader(*rules: dict[str, Any]) -> None:
    given: Any = list(rules)
    k8s.rbac.v1.ClusterRole("it", metadata={"name": "mesh-reader"}, rules=given)


def object_(kind: str, name: str = "it", **spec: Any) -> None:
    k8s.apiextensions.CustomResource(
        "it", api_version="security.istio.io/v1", kind=kind, metadata={"name": name}, spec=spec
    )


def service(labels: dict[str, str], **rest: Any) -> None:
    annotations = rest.pop("annotations", {})
    metadata: Any = {"name": "istio-eastwestgateway", "labels": labels, "annotations": annotations}
    spec: Any = {"type": "LoadBalancer", **rest}
    k8s.core.v1.Service("it", metadata=metadata, spec=spec)


def crd(*, kept: bool) -> None:
    k8s.apiextensions.v1.CustomResourceDefinition(
        "it",
        metadata={"name": "gateways.networking.istio.io"},
        spec={"group": "x", "names": {"kind": "X", "plural": "x"}, "scope": "Namespaced", "versions": []},
        opts=pulumi.ResourceOptions(retain_on_delete=kept),
    )


class Old(pulumi.ComponentResource):
    def __init__(self, version: str) -> None:
        super().__init__("mesh:index:Istiod", "it", {"version": version})


def istiod(version: str) -> None:
    Old(version)


def roots(count: int) -> None:
    for number in range(count):
        RootCA(f"root{number}", RootCAArgs(clusters=(), organization="mesh1", protect=True))


def root(*, protect: bool) -> None:
    RootCA("root", RootCAArgs(clusters=(), organization="mesh1", protect=protect))


PROGRAMS: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
    "no-secret-in-clear": (
        lambda: config_map(f"token: {JWT}"),
        lambda: secret(string_data={"token": JWT}),
    ),
    "reader-only-reads": (lambda: reader({**READER, "verbs": ["get", "delete"]}), lambda: reader(READER)),
    "tokens-end": (lambda: secret(type="kubernetes.io/service-account-token"), lambda: secret(type="Opaque")),
    "mtls-is-strict": (
        lambda: object_("PeerAuthentication", mtls={"mode": "PERMISSIVE"}),
        lambda: object_("PeerAuthentication", mtls={"mode": "STRICT"}),
    ),
    "gateways-are-not-public": (
        lambda: service(GATEWAY),
        lambda: service(GATEWAY, loadBalancerSourceRanges=["203.0.113.0/24"]),
    ),
    "one-root": (lambda: roots(2), lambda: roots(1)),
    "names-are-valid": (lambda: object_("Telemetry", name="Not_A_Name"), lambda: object_("Telemetry", name="a-name")),
    "labels-are-there": (lambda: service({"istio": "eastwestgateway"}), lambda: service(GATEWAY)),
    "versions-are-supported": (lambda: istiod("1.20.0"), lambda: istiod("1.30.3")),
    "root-is-protected": (lambda: root(protect=False), lambda: root(protect=True)),
    "crds-are-kept": (lambda: crd(kept=False), lambda: crd(kept=True)),
}


def resources(graph: Graph, *, told: bool = True) -> list[Resource]:
    """As the local engine knows them; as a policy pack does when `told` is false."""
    return [
        Resource(
            item.urn,
            item.type,
            item.name,
            item.inputs,
            item.secret if told else None,
            protect=item.protect,
            retain=item.retained if told else None,
        )
        for item in graph.resources_by_name.values()
    ]


def broken(program: Callable[[], None], *, told: bool = True) -> set[str]:
    return {item.rule for item in violations(resources(run(program), told=told))}


def test_every_rule_has_its_programs() -> None:
    assert set(PROGRAMS) == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_breaks_the_rule_and_another_does_not(name: str) -> None:
    breaks, keeps = PROGRAMS[name]
    assert name in broken(breaks)
    assert name not in broken(keeps)


class TestBeyond:
    """What a rule must see, and what it must not take for a breach."""

    @pytest.mark.parametrize("told", [True, False])
    def test_a_token_in_a_config_map_is_in_clear_for_everyone(self, told: bool) -> None:
        assert broken(lambda: config_map(f"token: {JWT}"), told=told) == {"no-secret-in-clear"}
        assert broken(lambda: config_map("token: none"), told=told) == set()

    def test_a_secret_that_is_not_marked_is_in_clear_in_the_state(self) -> None:
        it = Resource("u", "kubernetes:core/v1:Secret", "it", {"stringData": {"a": "b"}}, secret=frozenset())
        assert [item.rule for item in violations([it])] == ["no-secret-in-clear"]

    def test_a_message_never_quotes_what_it_found(self) -> None:
        found = violations([Resource("u", "kubernetes:core/v1:ConfigMap", "it", {"data": {"a": JWT}})])
        assert len(found) == 1
        assert JWT not in str(found[0])
        assert "data.a" in str(found[0])

    def test_base64_hides_nothing(self) -> None:
        key = "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCg=="
        found = violations([Resource("u", "kubernetes:core/v1:ConfigMap", "it", {"binaryData": {"a": key}})])
        assert [item.rule for item in found] == ["no-secret-in-clear"]

    def test_a_pack_is_not_told_what_is_secret_and_says_nothing_of_it(self) -> None:
        assert broken(lambda: secret(string_data={"token": JWT}), told=False) == set()

    def test_what_istiod_asks_for_beside_reading_is_granted_and_no_more(self) -> None:
        review = {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]}
        exports = {
            "apiGroups": ["multicluster.x-k8s.io"],
            "resources": ["serviceexports"],
            "verbs": ["get", "list", "watch", "create", "delete"],
        }
        both = {**exports, "resources": ["serviceexports", "services"]}
        everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get"]}
        assert broken(lambda: reader(READER, review, exports)) == set()
        assert broken(lambda: reader(both)) == {"reader-only-reads"}
        assert broken(lambda: reader(everything)) == {"reader-only-reads"}

    def test_a_port_in_clear_is_found_and_an_internal_load_balancer_is_not_public(self) -> None:
        ports = {"8080": {"mode": "DISABLE"}}
        assert broken(lambda: object_("PeerAuthentication", portLevelMtls=ports)) == {"mtls-is-strict"}
        assert broken(lambda: service(GATEWAY, annotations=INTERNAL)) == set()

    def test_a_server_s_certificate_is_no_root(self) -> None:
        def program() -> None:
            key = tls.PrivateKey("key", algorithm="ECDSA")
            uses = ["server_auth"]
            whose = tls.SelfSignedCertSubjectArgs(organization="x")
            tls.SelfSignedCert(
                "it", allowed_uses=uses, validity_period_hours=1, private_key_pem=key.private_key_pem, subject=whose
            )

        assert broken(program) == set()


def test_a_mesh_of_this_library_keeps_every_mandatory_rule() -> None:
    found = violations(resources(federation(document("east", "west"))))
    assert {item.rule for item in found} == {"tokens-end", "gateways-are-not-public"}
    wanted = document("east", "west", discovery={"tokens": {"kind": "requested"}, "account": "own"})
    for cluster in wanted["clusters"]:
        cluster["eastWest"] = {"loadBalancerSourceRanges": ["203.0.113.0/24"]}
    assert violations(resources(federation(wanted))) == []


class TestCommand:
    """`mesh policy`."""

    def policy(self, *words: str, cwd: Path = ROOT) -> Any:
        return CliRunner().invoke(main, ["policy", "--cwd", str(cwd), *words])

    def test_it_ends_with_1_where_a_mandatory_rule_is_broken(self) -> None:
        assert "local" in STACKS
        found = self.policy("--stack", "local")
        assert found.exit_code == 1
        assert "✗ root-is-protected (mandatory)" in found.stdout
        assert self.policy("--stack", "local", "--allow", "root-is-protected").exit_code == 0

    def test_the_page_shows_what_is_printed(self) -> None:
        found = self.policy("--stack", "multi-primary-multi-network")
        assert f"$ mesh policy --stack prod\n{found.stdout}```\n" in (ROOT / "docs/policy.md").read_text()

    def test_as_json(self) -> None:
        found = json.loads(self.policy("--stack", "multi-primary-multi-network", "--json").stdout)
        assert {item["rule"] for item in found} == {"tokens-end", "gateways-are-not-public"}
        assert set(found[0]) == {"rule", "level", "resource", "urn", "reason", "fix"}

    def test_a_rule_that_is_not_there_is_told(self) -> None:
        found = self.policy("--stack", "local", "--allow", "all")
        assert found.exit_code == 1
        assert "there is no rule 'all'; there are no-secret-in-clear" in found.stderr


def test_a_summary_names_each_rule_once() -> None:
    found = violations([Resource(f"u{n}", "kubernetes:core/v1:Secret", f"s{n}", {"type": TOKEN}) for n in range(5)])
    assert local.summary(found) == "tokens-end 5 times"
    assert local.summary([]) == ""
    assert local.summary([Violation("root-is-protected", "u", "root", "why", "fix")]) == "root-is-protected (mandatory)"
