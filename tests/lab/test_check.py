"""`mesh check` on real API servers: green on a fresh mesh; then one fault after the other, each named by exactly the
check that is about it, and gone when its fix is followed.

No pod runs in the lab: what only pods can tell is said to be unknown. Where a gateway's ports matter, this test listens
on its address in the proxy's place.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from meshctl.check.report import GREEN
from tests.lab.conftest import RealLab
from tests.support.faults import Fault, Mesh
from tests.support.seeds import FAULTS

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def mesh(lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    made = Mesh(lab, tmp_path_factory.mktemp("check"))
    try:
        yield made
    finally:
        made.close()


class TestFresh:
    """Before the first `up`, and right after it."""

    def test_before(self, mesh: Mesh) -> None:
        found = mesh.look()
        assert (found.exit_code, found.problems, found.applied) == (GREEN, (), False)
        assert found.state("CHECK501") == "unknown"
        assert found.state("CHECK201") == "ok"

    def test_after(self, mesh: Mesh) -> None:
        mesh.up()
        found = mesh.look()
        assert (found.exit_code, found.problems, found.applied) == (GREEN, (), True)
        assert {(p.declared, p.credential, p.seen, p.path) for p in found.pairs} == {
            ("yes", "yes", "unknown", "unknown")
        }
        unknown = {"CHECK302", "CHECK411", "CHECK606", "CHECK701", "CHECK801"}
        assert {one.code for one in found.unknown} >= unknown
        assert found.state("CHECK508") == found.state("CHECK604") == found.state("CHECK902") == "ok"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_named_once_and_its_fix_works(mesh: Mesh, fault: Fault) -> None:
    fault.check(mesh)
