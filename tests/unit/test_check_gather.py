"""Gathering over HTTPS, from clusters that are pretended: all that is asked comes to the rules, istiods' own view
included, and one cluster that is dead or slow hides nothing of the others."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from mesh_components.settings.kubeconfig import read
from meshctl.check.facts import Unread
from meshctl.check.gather import Gathering, Limits
from meshctl.check.lanes import Lanes
from meshctl.check.matrix import Cell
from meshctl.check.report import Report, report
from meshctl.check.state import Applied
from tests.support.mesh_facts import Made, healthy
from tests.support.pretended import Temper, pretended

ELSEWHERE = Applied(True, Unread("the state is elsewhere"))
LONG = 120.0


def gathered(made: Made, folder: Path, limits: Limits, **tempers: Temper) -> Report:
    with pretended(made, folder, tempers) as texts:
        kubeconfigs = {name: read(text) for name, text in texts.items()}
        return report(Gathering(made.topology, kubeconfigs, ELSEWHERE, limits).run())


class TestAll:
    """Everything that is asked, and what is made of it."""

    def test_a_mesh_with_istiods(self, tmp_path: Path) -> None:
        found = gathered(healthy(), tmp_path, Limits(LONG, LONG))
        # Certificates of tests are of another day; nobody listens where gateways would be.
        assert {one.code for one in found.problems} <= {"CHECK403", "CHECK410", "CHECK603"}
        assert {(p.declared, p.credential, p.seen) for p in found.pairs} == {(Cell.YES, Cell.YES, Cell.YES)}

    def test_what_istiod_says_of_a_peer(self, tmp_path: Path) -> None:
        made = healthy()
        made.views["east"]["istiod-1"] = {"west": "timeout"}
        found = gathered(made, tmp_path, Limits(LONG, LONG))
        assert {(p.reader, p.source): p.seen for p in found.pairs} == {
            ("east", "west"): Cell.NO,
            ("west", "east"): Cell.YES,
        }


class TestOthers:
    """Who does not answer, or takes too long, is told of; the others are looked at all the same."""

    DOCUMENT = {  # noqa: RUF012
        "id": "mesh1",
        "clusters": [
            {"name": name, "network": f"network-{name}", "kubeconfig": {"secret": name}}
            for name in ("north", "east", "south", "west")
        ],
    }

    def test_a_silent_one(self, tmp_path: Path) -> None:
        found = gathered(healthy(self.DOCUMENT), tmp_path, Limits(LONG, 0.1), west=Temper(silent=True))
        assert [one.where for one in found.problems if one.code == "CHECK201"] == ["west"]
        assert all(pair.credential is Cell.YES for pair in found.pairs if "west" not in (pair.reader, pair.source))


class TestLanes:
    """Jobs of one cluster never wait for those of another."""

    def test_who_is_late_is_named_when_most_are_done(self) -> None:
        lanes, never = Lanes(2), threading.Event()
        done: list[str] = []
        lanes.start("slow", never.wait)
        for name in ("a", "b", "c"):
            lanes.start(name, lambda name=name: done.append(name))  # type: ignore[misc]
        assert lanes.wait(LONG, 0.1) == {"slow"}
        assert sorted(done) == ["a", "b", "c"]
        never.set()

    def test_no_more_than_so_many_at_a_time(self) -> None:
        lanes, lock = Lanes(3), threading.Lock()
        running, most = 0, 0
        gate = threading.Barrier(3, timeout=LONG)

        def job() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            gate.wait()
            with lock:
                running -= 1

        for _ in range(9):
            lanes.start("a", job)
        assert lanes.wait(LONG, LONG) == frozenset()
        assert most == 3

    def test_a_job_that_fails_is_not_silent(self) -> None:
        lanes = Lanes(1)

        def job() -> None:
            raise LookupError("a mistake of ours")

        lanes.start("a", job)
        with pytest.raises(LookupError, match="a mistake of ours"):
            lanes.wait(LONG, LONG)
