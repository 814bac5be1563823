"""Rotations as rows of documents: from wherever a mesh is, by steps that the gates let through."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import FindingsError, parse
from mesh_components.topology.rotate import explain, rotation_plan
from mesh_components.topology.rotation import PHASES, Position, generations, position, refusal
from mesh_components.topology.steps import PlanError, Step
from tests.support.recipes import TOPOLOGIES
from tests.support.recipes import document as recipe

DOCUMENT: dict[str, Any] = {
    "id": "mesh1",
    "clusters": [
        {"name": "east", "network": "network1"},
        {"name": "west", "network": "network2"},
        {"name": "far", "network": "network2", "role": "remote", "controlPlane": "west"},
    ],
}


def with_trust(**trust: Any) -> dict[str, Any]:
    return {**DOCUMENT, "trust": trust}


def root(document: dict[str, Any]) -> tuple[Step, ...]:
    return rotation_plan(document, "root")


class TestRoot:
    """The five steps, and what is left of them later on."""

    @pytest.mark.parametrize("name", TOPOLOGIES)
    def test_the_gate_lets_every_step_of_every_topology_through(self, name: str) -> None:
        start = recipe(name)
        at = position(parse(start).trust)
        for step in root(start):
            after = position(parse(step.document).trust)
            # The gate begins with the document that speaks of several roots.
            assert refusal(at if at.multi_root else None, after) == ""
            at = after
        assert (at.serial, at.phase) == (2, "steady")

    def test_the_titles(self) -> None:
        assert [(step.kind, step.title) for step in root(DOCUMENT)] == [
            ("multi-root", "istiods and proxies take more than one root"),
            ("add", "add: everybody trusts root 2 too"),
            ("switch", "switch: root 2 signs"),
            ("retire", "retire: nobody trusts root 1 any more"),
            ("finish", "the end: root 1 goes"),
        ]

    def test_a_plan_from_the_middle_is_the_rest(self) -> None:
        steps = root(DOCUMENT)
        for number, step in enumerate(steps[:-1], 1):
            assert root(dict(step.document)) == steps[number:]

    def test_after_the_end_another_one_begins(self) -> None:
        again = root(dict(root(DOCUMENT)[-1].document))
        assert [step.title for step in again][-1] == "the end: root 2 goes"
        assert again[-1].document["trust"] == {"rootSerial": 3, "multiRoot": True}

    def test_each_but_the_last_has_a_way_back_that_the_gate_lets_through(self) -> None:
        *steps, last = root(DOCUMENT)
        for step in steps[1:]:
            here, back = (position(parse(item).trust) for item in (step.document, step.rollback.document))
            assert refusal(here, back) == ""
            assert step.rollback.commands
        assert last.rollback.closed
        assert "There is none" in last.rollback.why

    def test_proxies_are_restarted_once(self) -> None:
        assert [step.kind for step in root(DOCUMENT) if "mesh restart" in step.commands] == ["multi-root"]

    def test_who_installs_istio_must_do_it_where_that_is(self) -> None:
        elsewhere = root({**DOCUMENT, "istio": {"install": "none"}})
        assert "somebody else's here" in elsewhere[0].watch[0]
        assert [finding.code for finding in elsewhere[0].findings] == ["MESH306"]

    def test_ambient_is_warned_where_it_begins(self) -> None:
        steps = root(recipe("ambient-multi-network"))
        assert [[finding.code for finding in step.findings] for step in steps] == [[], ["MESH305"], [], [], []]

    def test_the_rest_of_the_document_stays(self) -> None:
        start = with_trust(algorithm="RSA-4096", intermediateSerials={"east": 3})
        last = root(start)[-1].document
        kept = {"algorithm": "RSA-4096", "rootSerial": 2, "intermediateSerials": {"east": 3}, "multiRoot": True}
        assert {**last, "trust": None} == {**start, "trust": None}
        assert list(last["trust"].items()) == list(kept.items()), "in the usual order"

    def test_where_the_old_root_has_a_source_the_new_one_is_to_be_named(self) -> None:
        source = {"root": {"certificate": {"file": "root.pem"}, "key": {"secret": "rootKey"}}}
        _, add, *_, last = root(with_trust(source=source))
        assert add.document["trust"]["rotation"] == {"phase": "add", "source": source}
        assert "put the names of the new root there" in add.why
        other = {"root": {"certificate": {"file": "new.pem"}, "key": {"secret": "newKey"}}}
        named = {**add.document, "trust": {**add.document["trust"], "rotation": {"phase": "add", "source": other}}}
        *_, last = root(named)
        assert last.document["trust"] == {"source": other, "rootSerial": 2, "multiRoot": True}
        generated = {**add.document, "trust": {**add.document["trust"], "rotation": {"phase": "add"}}}
        *_, last = root(generated)
        assert "source" not in last.document["trust"]

    def test_a_document_with_errors_has_no_plan(self) -> None:
        with pytest.raises(FindingsError, match="MESH303"):
            root(with_trust(rotation={"phase": "add"}))


class TestIntermediate:
    """One cluster after the other, each a number."""

    def test_all(self) -> None:
        steps = rotation_plan(with_trust(intermediateSerials={"west": 4}), "intermediate")
        assert [step.clusters for step in steps] == [("east",), ("west",)]
        assert steps[-1].document["trust"]["intermediateSerials"] == {"west": 5, "east": 2}

    def test_one(self) -> None:
        (step,) = rotation_plan(DOCUMENT, "intermediate", ("west",))
        assert step.document["trust"] == {"intermediateSerials": {"west": 2}}
        assert step.watch[0].startswith("in west: istiod logs")

    @pytest.mark.parametrize("name", ["far", "south"])
    def test_who_does_not_sign(self, name: str) -> None:
        with pytest.raises(PlanError, match=f'no istiod runs in a cluster "{name}".*name one of east, west'):
            rotation_plan(DOCUMENT, "intermediate", (name,))

    def test_in_front_of_an_external_istiod(self) -> None:
        (step,) = rotation_plan(recipe("external-control-plane"), "intermediate")
        assert "gateway in front of istiod is made anew too" in step.why


@pytest.mark.parametrize("phase", PHASES[1:])
def test_a_preview_says_what_the_phase_does_what_to_wait_for_and_what_is_next(phase: Any) -> None:
    at = Position(4, phase)
    text = explain(at)
    assert text.startswith(f"trust, phase {phase} of root 4 to 5: every cluster trusts ")
    assert f"root {generations(4, phase).signer} signs" in text
    assert f"Before going on to {at.next}, see that:" in text
    assert "{" not in text


class TestTokens:
    """New ones beside the old ones; then without them."""

    def test_two_steps(self) -> None:
        first, second = rotation_plan(DOCUMENT, "tokens")
        assert first.document["discovery"] == {
            "tokens": {"serials": {"east": 2, "west": 2, "far": 2}, "keepPrevious": True}
        }
        assert second.document["discovery"] == {"tokens": {"serials": {"east": 2, "west": 2, "far": 2}}}
        assert second.rollback.closed

    def test_the_rest_of_it(self) -> None:
        first, second = rotation_plan(DOCUMENT, "tokens")
        assert rotation_plan(first.document, "tokens") == (second,)

    def test_one_cluster(self) -> None:
        first, _ = rotation_plan(DOCUMENT, "tokens", ("far",))
        assert first.document["discovery"]["tokens"]["serials"] == {"far": 2}
        assert set(first.clusters) == {"far", "east", "west"}

    @pytest.mark.parametrize("name", ["south", "handed"])
    def test_who_is_not_read_with_a_token_of_ours(self, name: str) -> None:
        handed = {"name": "handed", "network": "network1", "peerKubeconfig": {"secret": "x"}}
        wanted = {**DOCUMENT, "clusters": [*DOCUMENT["clusters"], handed]}
        with pytest.raises(PlanError, match=f'no istiod reads "{name}".*name one of east, west, far'):
            rotation_plan(wanted, "tokens", (name,))

    def test_nobody_is_read(self) -> None:
        assert rotation_plan({**DOCUMENT, "clusters": DOCUMENT["clusters"][:1]}, "tokens") == ()

    @pytest.mark.parametrize(("version", "restarted"), [("1.30.3", True), ("1.31.1", False)])
    def test_istiods_with_the_known_bugs_are_restarted(self, version: str, restarted: bool) -> None:
        first, second = rotation_plan({**DOCUMENT, "istio": {"version": version, "revision": "a"}}, "tokens")
        found = [command for command in first.commands if "rollout restart" in command]
        wanted = [
            f"kubectl -n istio-system rollout restart deployment/istiod-a  # in {reader}" for reader in ("west", "east")
        ]
        assert sorted(found) == (sorted(wanted) if restarted else [])
        assert ("istio#60920" in first.why) is restarted
        assert all(command in first.rollback.commands for command in found)
        assert not [command for command in second.commands if "restart" in command]


WITH_KIALI = {
    **DOCUMENT,
    "addons": {"cluster": "east", "prometheus": {"federation": {}}, "kiali": {"auth": "openid"}},
}


class TestKialiTokens:
    """The same for Kiali, which is restarted by the change itself."""

    def test_two_steps(self) -> None:
        first, second = rotation_plan(WITH_KIALI, "kiali-tokens")
        home, *read = (cluster["name"] for cluster in DOCUMENT["clusters"])
        assert home == "east"
        serials = dict.fromkeys(read, 2)
        assert first.document["addons"]["kiali"]["tokens"] == {"serials": serials, "keepPrevious": True}
        assert second.document["addons"]["kiali"] == {"auth": "openid", "tokens": {"serials": serials}}
        assert {**second.document, "addons": None} == {**WITH_KIALI, "addons": None}
        assert set(first.clusters) == {home, *read}
        assert second.rollback.closed
        assert rotation_plan(first.document, "kiali-tokens") == (second,)

    def test_one_cluster(self) -> None:
        first, _ = rotation_plan(WITH_KIALI, "kiali-tokens", ("west",))
        assert first.document["addons"]["kiali"]["tokens"]["serials"] == {"west": 2}
        with pytest.raises(PlanError, match='Kiali does not read "east"'):
            rotation_plan(WITH_KIALI, "kiali-tokens", ("east",))

    def test_without_kiali(self) -> None:
        with pytest.raises(PlanError, match="there is no Kiali"):
            rotation_plan(DOCUMENT, "kiali-tokens")
