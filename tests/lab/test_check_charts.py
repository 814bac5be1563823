"""`mesh check` where the program installs istiod itself, of charts that stand in for Istio's: green on a fresh mesh,
and what `mesh up` puts right of webhooks and control planes is named before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshctl.check.report import GREEN
from tests.lab.conftest import RealLab
from tests.support.faults import Fault, Mesh
from tests.support.seeds import CHART_FAULTS

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def mesh(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    made = Mesh(lab, tmp_path_factory.mktemp("check-charts"), charts=True)
    try:
        yield made
    finally:
        made.close()


def test_a_fresh_mesh_is_green_and_says_what_only_istiod_could_tell(mesh: Mesh) -> None:
    mesh.up_once()
    found = mesh.look()
    assert (found.exit_code, found.problems) == (GREEN, ())
    known = ("CHECK302", "CHECK304", "CHECK308", "CHECK309", "CHECK310", "CHECK311", "CHECK701", "CHECK702", "CHECK704")
    assert {found.state(code) for code in known} == {"ok"}
    assert found.state("CHECK801") == "unknown"
    assert {one.why for one in found.unknown if one.code == "CHECK801"} == {
        "its pod is one that the lab pretends, in which nothing runs"
    }


@pytest.mark.parametrize("fault", CHART_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_named_once_and_mesh_up_puts_it_right(mesh: Mesh, fault: Fault) -> None:
    fault.check(mesh)
