"""Which roots there are in a phase: whatever two neighbouring phases say, clusters in either trust each other."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.topology.rotation import PHASES, Generations, generations

SERIALS = st.integers(min_value=1, max_value=50)


def way(serial: int) -> list[Generations]:
    return [*(generations(serial, phase) for phase in PHASES), generations(serial + 1)]


@given(SERIALS)
def test_neighbours_trust_what_the_other_signs_with(serial: int) -> None:
    for one, other in pairwise(way(serial)):
        assert one.signer in other.trusted
        assert other.signer in one.trusted


@given(SERIALS)
def test_a_skipped_phase_would_break_trust(serial: int) -> None:
    """So that refusing it is no formality: of two that are not neighbours, some do not trust each other."""
    steps = way(serial)
    for here, there in ((0, 2), (0, 3), (1, 3), (0, 4), (1, 4)):
        one, other = steps[here], steps[there]
        assert one.signer not in other.trusted or other.signer not in one.trusted


@given(SERIALS)
def test_istiod_loads_each_bundle_after_the_one_before(serial: int) -> None:
    """It ignores a bundle that is neither part of the old one nor has it as a part (istio#50420)."""
    for one, other in pairwise(way(serial)):
        assert set(one.trusted) <= set(other.trusted) or set(one.trusted) >= set(other.trusted)


@given(SERIALS)
def test_what_signs_is_trusted_and_protected(serial: int) -> None:
    for step in way(serial):
        assert step.signer in step.trusted
        assert step.signer in step.protected
        assert {*step.trusted, *step.protected} <= set(step.made)


@pytest.mark.parametrize(("here", "there"), [(0, 1), (1, 2), (2, 3), (3, 4), (1, 0), (2, 1), (3, 2)])
def test_only_an_unprotected_root_goes(here: int, there: int) -> None:
    """Both ways: the engine would refuse a step that takes a protected one away."""
    one, other = way(1)[here], way(1)[there]
    assert not (set(one.made) - set(other.made)) & set(one.protected)
