"""What a document about certificates over time makes: what is new, what stays, what comes before what, what is said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from tests.support.graph import ANSWERS, Graph, Registered
from tests.support.meshes import document, federation
from tests.support.recipes import TOPOLOGIES
from tests.support.recipes import document as recipe

CLUSTERS = ("cluster1", "cluster2")
GATE = "pulumi-python:dynamic/trust:RotationGate"


def mesh(phase: str = "steady", serial: int = 1, preview: bool = False, **trust: Any) -> Graph:
    given: dict[str, Any] = {"multiRoot": True, "rootSerial": serial, **trust}
    if phase != "steady":
        given["rotation"] = {"phase": phase}
    return federation(document(*CLUSTERS, istio={}, trust=given), preview=preview)


def inputs(graph: Graph) -> dict[str, dict[str, Any]]:
    return {name: item.inputs for name, item in graph.resources_by_name.items()}


def changed(before: Graph, after: Graph) -> tuple[set[str], set[str], set[str]]:
    """Names of what is created, updated and deleted. As an engine sees it: by name and inputs."""
    old, new = inputs(before), inputs(after)
    both = old.keys() & new.keys()
    return set(new) - set(old), {name for name in both if old[name] != new[name]}, set(old) - set(new)


def signing(prefix: str, *clusters: str) -> set[str]:
    return {f"{prefix}-{cluster}{part}" for cluster in clusters for part in ("", "-key", "-request")}


CACERTS = {f"mesh-{cluster}-trust-cacerts" for cluster in CLUSTERS}
GATES = {"mesh-trust-entered", "mesh-trust-reached"}
NEW_ROOT = {"mesh-trust.2-root", "mesh-trust.2-root-key"}
OLD_ROOT = {"mesh-trust-root", "mesh-trust-root-key"}


def webhooks(graph: Graph) -> set[str]:
    """Everything beside `cacerts` that carries the bundle."""
    hooks = {item.name for item in graph.kubernetes() if item.type.endswith("WebhookConfiguration")}
    return hooks | {item.name for item in graph.kubernetes() if item.name.endswith("configmap-values")}


class TestIntermediate:
    """One number, one cluster."""

    def test_one_cluster_gets_another_key_and_its_secret_is_updated_in_place(self) -> None:
        before = federation(document(*CLUSTERS, istio={}))
        after = federation(document(*CLUSTERS, istio={}, trust={"intermediateSerials": {"cluster2": 2}}))
        created, updated, deleted = changed(before, after)
        assert created == {"mesh-trust-cluster2.2", "mesh-trust-cluster2.2-key", "mesh-trust-cluster2.2-request"}
        assert updated == {"mesh-cluster2-trust-cacerts"}
        assert deleted == signing("mesh-trust", "cluster2")
        secret = after.resources_by_name["mesh-cluster2-trust-cacerts"]
        assert secret.kubernetes_name == "cacerts"
        assert after.resources_by_name[secret.provider].inputs["enableSecretMutable"] in (True, "true")

    def test_names_of_numbers_and_of_clusters_do_not_meet(self) -> None:
        trust = {"intermediateSerials": {"a": 2, "a-2": 2}, "multiRoot": True, "rotation": {"phase": "switch"}}
        graph = federation(document("a", "a-2", "2", trust=trust))
        assert {"mesh-trust.2-a.2", "mesh-trust.2-a-2.2", "mesh-trust.2-2"} <= set(graph.resources_by_name)

    def test_with_an_external_istiod_the_certificate_in_front_of_it_too(self) -> None:
        wanted = recipe("external-control-plane")
        before = federation(wanted)
        after = federation({**wanted, "trust": {"intermediateSerials": {"control": 2}}})
        created, updated, _ = changed(before, after)
        assert "mesh-control-certificate.2-certificate" in created
        assert updated == {
            *("mesh-control-trust-cacerts", "mesh-control-gateway-trust-cacerts", "mesh-control-certificate-secret")
        }


class TestPhases:
    """Each step is new certificates, and updates in place of what carries them; nothing in a cluster is deleted."""

    def test_to_several_roots(self) -> None:
        created, updated, deleted = changed(federation(document(*CLUSTERS, istio={})), mesh())
        assert (created, deleted) == (GATES, set())
        assert not updated & CACERTS

    def test_add(self) -> None:
        before, after = mesh(), mesh("add")
        created, updated, deleted = changed(before, after)
        assert (created, deleted) == (NEW_ROOT, set())
        assert updated == CACERTS | GATES | webhooks(after)

    def test_switch(self) -> None:
        created, updated, deleted = changed(mesh("add"), mesh("switch"))
        assert created == signing("mesh-trust.2", *CLUSTERS)
        assert updated == CACERTS | GATES
        assert deleted == signing("mesh-trust", *CLUSTERS)

    def test_retire(self) -> None:
        after = mesh("retire")
        created, updated, deleted = changed(mesh("switch"), after)
        assert (created, deleted) == (set(), set())
        assert updated == CACERTS | GATES | webhooks(after)

    def test_the_end(self) -> None:
        created, updated, deleted = changed(mesh("retire"), mesh(serial=2))
        assert (created, updated, deleted) == (set(), GATES, OLD_ROOT)

    @pytest.mark.parametrize(
        ("phase", "protected"),
        [("steady", OLD_ROOT), ("add", OLD_ROOT), ("switch", OLD_ROOT | NEW_ROOT), ("retire", NEW_ROOT)],
    )
    def test_what_is_protected(self, phase: str, protected: set[str]) -> None:
        assert {item.name for item in mesh(phase).resources_by_name.values() if item.protect} == protected

    @pytest.mark.parametrize("phase", ["steady", "add", "switch", "retire"])
    def test_preview_and_up_have_one_graph(self, phase: str) -> None:
        assert mesh(phase, preview=True).drawing() == mesh(phase).drawing()


class TestGates:
    """The phase is kept before anything that changes with it, and after all of it."""

    def gates(self, graph: Graph) -> tuple[Registered, Registered]:
        entered, reached = (graph.resources_by_name[f"mesh-trust-{name}"] for name in ("entered", "reached"))
        assert graph.of_type(GATE) == sorted([entered, reached], key=lambda item: item.order)
        return entered, reached

    def test_without_phases_there_are_none(self) -> None:
        assert federation(document(*CLUSTERS)).of_type(GATE) == []

    @pytest.mark.parametrize("trust", [{"multiRoot": True}, {"rootSerial": 2}])
    def test_as_soon_as_there_could_be(self, trust: Mapping[str, Any]) -> None:
        self.gates(federation(document(*CLUSTERS, trust=trust)))

    @pytest.mark.parametrize("name", TOPOLOGIES)
    def test_order(self, name: str) -> None:
        graph = federation({**recipe(name), "trust": {"multiRoot": True, "rotation": {"phase": "add"}}})
        entered, reached = self.gates(graph)
        secrets = [
            item
            for item in graph.of_type("kubernetes:core/v1:Secret")
            if {"ca-cert.pem", "tls.crt"} & set(item.inputs.get("data", ()))
        ]
        hooks = [item for item in graph.kubernetes() if item.type.endswith("WebhookConfiguration")]
        assert secrets
        assert hooks
        for item in (*secrets, *hooks):
            assert entered.name in item.depends_on
            assert item.name in reached.depends_on

    def test_they_say_where_the_mesh_is_and_nothing_secret(self) -> None:
        entered, reached = self.gates(mesh("switch", serial=3))
        for gate in (entered, reached):
            kept = {key: value for key, value in gate.inputs.items() if key not in ("__provider", "entry")}
            assert kept == {"serial": 3, "phase": "switch", "multiRoot": True}
            assert not gate.secret

    def test_the_provider_is_the_same_text_in_every_run(self) -> None:
        """It is an input: if it changed by itself, every update would."""
        one, other = (mesh().resources_by_name["mesh-trust-entered"].inputs["__provider"] for _ in range(2))
        assert one == other


class TestSeveralRoots:
    """Without it istiod ignores a second root, and a proxy trusts its own certificate's alone."""

    @pytest.mark.parametrize("name", ["primary-remote-multi-network", "external-control-plane"])
    @pytest.mark.parametrize("on", [False, True])
    def test_every_istiod_and_every_proxy(self, name: str, on: bool) -> None:
        graph = federation({**recipe(name), **({"trust": {"multiRoot": True}} if on else {})})
        values = [options["values"] for options in graph.rendered if options["chart"] == "istiod"]
        assert values
        for one in values:
            metadata = one["meshConfig"]["defaultConfig"]["proxyMetadata"]
            assert ("ISTIO_MULTIROOT_MESH" in one.get("env", {})) is on
            assert ("PROXY_CONFIG_XDS_AGENT" in metadata) is on
            assert metadata["ISTIO_META_DNS_CAPTURE"] == "true"


class TestSaid:
    """What a preview says beside the graph."""

    @pytest.fixture
    def said(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        heard: list[str] = []
        monkeypatch.setattr(pulumi.log, "info", heard.append)
        monkeypatch.setattr(pulumi.log, "warn", heard.append)
        return heard

    def test_the_phase_is_explained(self, said: list[str]) -> None:
        mesh("switch", preview=True)
        (line,) = said
        assert line.startswith("trust, phase switch of root 1 to 2: every cluster trusts both roots, and root 2 signs.")
        assert "Before going on to phase retire of root 1 to 2, see that:" in line

    def test_nothing_is_said_where_nothing_is_to_do(self, said: list[str]) -> None:
        mesh()
        federation(document(*CLUSTERS, istio={}))
        assert said == []

    def test_what_ends_soon_is_told_once_it_is_known(self, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        type_ = "tls:index/locallySignedCert:LocallySignedCert"
        usual, ended = ANSWERS[type_], {"validityEndTime": "2020-01-01T00:00:00Z"}
        first = "mesh-trust-cluster1"
        monkeypatch.setitem(
            ANSWERS, type_, lambda name, given: {**usual(name, given), **(ended if name == first else {})}
        )
        graph = federation(document(*CLUSTERS, istio={}))
        (line,) = said
        assert (
            "MESH307 warning at trust.intermediateSerials.cluster1: the signing certificate of cluster1 has ended"
            in line
        )
        assert graph.stack_outputs["expires"]["clusters"]["cluster1"] == "2020-01-01T00:00:00Z"

    def test_an_intermediate_that_outlives_its_root(self, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        type_ = "tls:index/selfSignedCert:SelfSignedCert"
        usual = ANSWERS[type_]
        ends = {"validityEndTime": "2035-01-01T00:00:00Z"}
        monkeypatch.setitem(ANSWERS, type_, lambda name, given: {**usual(name, given), **ends})
        federation(document(*CLUSTERS, istio={}))
        (line,) = said
        assert "MESH301 warning" in line
        assert "cluster1, cluster2 end after their root, which ends on 2035-01-01" in line

    def test_it_makes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A warning depends on dates; what is made must not."""
        before = federation(document(*CLUSTERS)).drawing()
        far = {"trust": {"warnDaysBefore": 100000}}
        heard: list[str] = []
        monkeypatch.setattr(pulumi.log, "warn", heard.append)
        after = federation(document(*CLUSTERS, **far)).drawing()
        assert after == before
        assert heard


def test_expiry_is_an_output_of_everything() -> None:
    graph = federation({**recipe("external-control-plane"), "trust": {"multiRoot": True, "rotation": {"phase": "add"}}})
    found = graph.stack_outputs["expires"]
    assert set(found["roots"]) == {"1", "2"}
    assert set(found["clusters"]) == set(found["servers"]) == {"control"}
    assert all(json.dumps(found))
