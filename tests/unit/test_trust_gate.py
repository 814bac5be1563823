"""The gates of a rotation: no phase is skipped, whatever was interrupted, and every refusal says what to do."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.topology.rotation import PHASES, Position, generations
from mesh_components.trust.gate import GateProvider

WAY = [Position(serial, phase) for serial in (1, 2, 3) for phase in PHASES]
CLUSTERS = 3


class Stack:
    """The state of both gates, and of clusters that are updated in between, as the engine drives them."""

    def __init__(self) -> None:
        self.gates: dict[str, dict[str, Any]] = {"entered": {}, "reached": {}}
        self.clusters: list[Position | None] = [None] * CLUSTERS
        self.provider = GateProvider()

    def check(self, gate: str, at: Position, entry: int | None = None) -> tuple[dict[str, Any], str]:
        # As the engine hands them over: numbers are floats, and the provider itself is among the inputs.
        news: dict[str, Any] = {"serial": float(at.serial), "phase": at.phase, "multiRoot": at.multi_root}
        given = {"__provider": "x", **news, **({} if entry is None else {"entry": float(entry)})}
        result = self.provider.check(self.gates[gate], given)
        return result.inputs, "; ".join(failure.reason for failure in result.failures)

    def refused(self, at: Position) -> str:
        """What a preview says; empty where it lets the phase through."""
        inputs, why = self.check("entered", at)
        return why or self.check("reached", at, int(inputs["entry"]))[1]

    def up(self, at: Position, updated: list[int] | None = None) -> str:
        """Preview, then apply; interrupted after the given clusters, unless none are given. Returns the refusal."""
        why = self.refused(at)
        if why:
            return why
        entered, _ = self.check("entered", at)
        self.gates["entered"] = entered
        for cluster in range(CLUSTERS) if updated is None else updated:
            self.clusters[cluster] = at
        if updated is None:
            self.gates["reached"], _ = self.check("reached", at, int(entered["entry"]))
        return ""

    def trusts(self) -> bool:
        there = [generations(at.serial, at.phase) for at in self.clusters if at]
        return all(one.signer in other.trusted for one in there for other in there)


class TestWay:
    """From the first root to the next, and further."""

    def test_step_by_step(self) -> None:
        stack = Stack()
        for at in WAY:
            assert stack.up(at) == ""
            assert stack.refused(at) == ""

    @pytest.mark.parametrize("here", range(len(WAY)))
    @pytest.mark.parametrize("there", range(len(WAY)))
    def test_nothing_else(self, here: int, there: int) -> None:
        stack = Stack()
        for at in WAY[: here + 1]:
            stack.up(at)
        one_back = there == here - 1 and WAY[here].phase != "steady"
        why = stack.refused(WAY[there])
        assert (why == "") == (there in (here, here + 1) or one_back)
        if why:
            assert f"the mesh is at {WAY[here]}, and the document says {WAY[there]}" in why
            assert f"it goes on to {WAY[here].next}" in why

    @pytest.mark.parametrize("at", WAY[1:], ids=str)
    def test_a_stack_that_never_took_two_roots_begins_at_the_beginning(self, at: Position) -> None:
        assert "say `multiRoot: true` and nothing of a rotation" in Stack().refused(at)

    def test_several_roots_come_before_the_second_root(self) -> None:
        stack = Stack()
        assert stack.up(Position(1, "steady", multi_root=False)) == ""
        assert "trust.multiRoot was off until now" in stack.refused(Position(1, "add"))
        assert stack.up(Position(1, "steady")) == ""
        assert stack.up(Position(1, "add")) == ""
        assert "must stay on" in stack.refused(Position(1, "switch", multi_root=False))

    def test_nor_may_it_have_been_interrupted(self) -> None:
        stack = Stack()
        stack.up(Position(1, "steady", multi_root=False))
        stack.up(Position(1, "steady"), updated=[0])
        assert "was off until now" in stack.refused(Position(1, "add"))
        stack.up(Position(1, "steady"))
        assert stack.refused(Position(1, "add")) == ""


class TestInterrupted:
    """An `up` that ended in the middle left some clusters behind, and the next phase would leave them alone."""

    def test_a_phase_that_was_not_finished_is_finished_first(self) -> None:
        stack = Stack()
        stack.up(WAY[0])
        stack.up(WAY[1], updated=[0])
        assert "the mesh is at root 1, and the document says phase switch" in stack.refused(WAY[2])
        assert stack.up(WAY[1]) == ""
        assert stack.up(WAY[2]) == ""

    def test_turning_back_twice_needs_the_phase_between(self) -> None:
        stack = Stack()
        for at in WAY[:2]:
            stack.up(at)
        stack.up(WAY[2], updated=[0])
        stack.up(WAY[1], updated=[1])
        assert "did not reach them all; go back to phase add of root 1 to 2" in stack.refused(WAY[0])
        assert stack.up(WAY[1]) == ""
        assert stack.up(WAY[0]) == ""

    @given(
        st.lists(
            st.tuples(st.sampled_from(WAY), st.none() | st.lists(st.integers(0, CLUSTERS - 1), unique=True)),
            max_size=25,
        )
    )
    def test_whatever_is_tried_and_wherever_it_ends(self, tries: list[tuple[Position, list[int] | None]]) -> None:
        """Trust holds after any number of documents in any order, each applied to any of the clusters."""
        stack = Stack()
        stack.up(WAY[0])
        for at, updated in tries:
            stack.up(at, updated)
            assert stack.trusts(), [str(cluster) for cluster in stack.clusters]

    @pytest.mark.parametrize("start", range(len(PHASES) + 1))
    def test_nor_when_it_wanders(self, start: int) -> None:
        """Every way of four steps forth and back, each in no cluster, in one of them, or in all."""
        steps = list(product((-1, 1), ([], [0], [1], None)))
        for way in product(steps, repeat=4):
            stack = Stack()
            for at in WAY[: start + 1]:
                stack.up(at)
            here = start
            for step, updated in way:
                there = here + step
                if there >= 0 and not stack.up(WAY[there], updated):
                    here = there
                assert stack.trusts(), (way, [str(cluster) for cluster in stack.clusters])


class TestProvider:
    """What the engine needs of it."""

    def test_a_change_is_an_update_and_never_a_replacement(self) -> None:
        stack = Stack()
        stack.up(WAY[0])
        inputs, _ = stack.check("entered", WAY[1])
        diff = stack.provider.diff("phase", stack.gates["entered"], inputs)
        assert (diff.changes, diff.replaces) == (True, [])
        assert stack.provider.diff("phase", inputs, inputs).changes is False

    def test_an_entry_that_is_not_known_yet_is_left_to_the_update(self) -> None:
        stack = Stack()
        for at in WAY[:2]:
            stack.up(at)
        news = {"serial": 1, "phase": "switch", "multiRoot": True, "entry": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
        assert stack.provider.check(stack.gates["reached"], news).failures == []

    def test_nothing_of_the_provider_is_kept(self) -> None:
        props = {"serial": 1, "phase": "steady", "multiRoot": True, "entry": 1, "__provider": "x"}
        assert "__provider" not in (GateProvider().create(props).outs or {})
        assert "__provider" not in (GateProvider().update("phase", {}, props).outs or {})
