"""`mesh verify` without a cluster: answers are counted, and causes are put in their order."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.settings import Severity, parse
from mesh_components.topology.plan import plan
from meshctl.check.results import Problem, Result, Unknown
from meshctl.cli import main
from meshctl.verify.answers import Asked, Round, Target, missing, read
from meshctl.verify.asking import SCRIPT
from meshctl.verify.causes import TITLES, Cause, Known, causes
from meshctl.verify.show import show
from meshctl.verify.there import There
from meshctl.verify.verdict import FAILED, NOT_ASKED, VERIFIED, Verdict, suspects
from tests.support.meshes import document
from tests.support.scripted import hello

V1, V2 = Target("v1", "east"), Target("v2", "west")
PODS = {"one": "east", "two": "west"}


def verdict(*asked: Asked, found: tuple[Cause, ...] = ()) -> Verdict:
    return Verdict(Round("http://helloworld.sample:5000/hello", 20, (V1, V2), asked), found)


def test_a_document_without_it_is_told_how_to_have_it(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: mesh\nruntime: python\n")
    (tmp_path / "__main__.py").write_text("raise SystemExit('not run')\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(json.dumps({"config": {"mesh:mesh": document("east")}}))
    done = CliRunner().invoke(main, ["verify", "--stack", "dev", "--cwd", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "add `applications: {helloworld: {}}`, then `mesh up`" in done.stderr


class TestAnswers:
    """Every request is counted once: as an answer of a version in a cluster, or as what came instead."""

    def test_versions_are_told_apart_by_where_they_run(self) -> None:
        asked = read("east", [hello("v1", "one")] * 3 + [hello("v1", "two")], PODS, [V1])
        assert asked.counts == {V1: 3, Target("v1", "west"): 1}
        assert asked.share(V1) == 75

    def test_a_pod_that_is_gone_was_where_its_version_is_placed(self) -> None:
        assert read("east", [hello("v2", "gone")], PODS, [V1, V2]).counts == {V2: 1}
        two_homes = [V1, Target("v1", "west")]
        assert read("east", [hello("v1", "gone")], PODS, two_homes).counts == {Target("v1", "?"): 1}

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("no healthy upstream [503]", "no healthy upstream"),
            ("curl: (28) Connection timed out  [000]", "curl: (28) Connection timed out"),
            ("[404]", "status 404"),
            ("Hello version: v1, instance: one [500]", "Hello version: v1, instance: one"),
            ("sh: curl: not found", "sh: curl: not found"),
        ],
    )  # fmt: skip
    def test_what_is_no_answer_is_told_with_its_words(self, line: str, reason: str) -> None:
        asked = read("east", [line], PODS, [V1])
        assert (asked.counts, asked.failed) == ({}, {reason: 1})

    @given(st.lists(st.text(max_size=40) | st.sampled_from([hello("v1", "one"), hello("v2", "x")]), max_size=30))
    def test_nothing_is_lost(self, lines: list[str]) -> None:
        assert read("east", lines, PODS, [V1, V2]).total == sum(1 for line in lines if line.strip())

    def test_who_could_not_be_asked_misses_nothing(self) -> None:
        assert missing([Asked("east", {V1: 1}), Asked("west", unasked="why")], [V1, V2]) == [("east", V2)]


def test_the_script_prints_a_line_a_request(tmp_path: Path) -> None:
    """In a real shell, with a curl that answers as HelloWorld does, fails, and answers in several lines."""
    curl = tmp_path / "curl"
    curl.write_text(
        "#!/bin/sh\n"
        'n=$(cat "$0.n" 2>/dev/null || echo 0); echo $((n+1)) > "$0.n"\n'
        'test "$2 $3 $4" = "-m 5 -w" || exit 9\n'
        "case $n in\n"
        "0) echo 'Hello version: v1, instance: one'; printf ' [200]';;\n"
        "1) echo 'curl: (7) Failed to connect' >&2; printf ' [000]';;\n"
        "2) printf 'no healthy\\nupstream [503]';;\n"
        "esac\n"
    )
    curl.chmod(0o755)
    made = subprocess.run(
        ["/bin/sh", "-c", SCRIPT, "sh", "3", "5", "http://helloworld.sample:5000/hello"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    asked = read("east", made.stdout.splitlines(), PODS, [V1])
    assert asked.counts == {V1: 1}
    assert asked.failed == {"curl: (7) Failed to connect": 1, "no healthy upstream": 1}


class TestVerdict:
    """The exit code says whether the mesh was seen to work."""

    def test_verified_is_every_version_from_everywhere(self) -> None:
        both = {V1: 11, V2: 9}
        good = verdict(Asked("east", both), Asked("west", both))
        assert good.exit_code == VERIFIED
        assert good.data()["verified"] is True

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            (Asked("east", {V1: 20}), FAILED),
            (Asked("east", {V1: 10, V2: 9}, {"no healthy upstream": 1}), FAILED),
            (Asked("east", unasked="forbidden"), FAILED),
            (Asked("east", unasked="the lab", pretended=True), NOT_ASKED),
        ],
    )
    def test_anything_less_is_not(self, asked: Asked, code: int) -> None:
        assert verdict(asked).exit_code == code

    def test_a_cause_that_is_wrong_counts_where_nobody_was_asked(self) -> None:
        pretended = Asked("east", unasked="the lab", pretended=True)
        wrong = Cause(1, "east", "west", "wrong", ("gone",))
        assert verdict(pretended, found=(wrong,)).exit_code == FAILED

    def test_only_local_is_said_of_those_who_hear_nobody_else(self) -> None:
        found = verdict(Asked("east", {V1: 20}), Asked("west", {V1: 3, V2: 17}))
        assert found.only_local == ["east"]

    def test_all_pairs_are_suspects_where_nobody_was_asked(self) -> None:
        assert suspects([Asked("east", {V1: 1}), Asked("west", unasked="why")], [V1, V2]) == [
            ("east", "west"),
            ("west", "east"),
            ("west", "west"),
        ]

    def test_it_is_told_as_text(self, capsys: pytest.CaptureFixture[str]) -> None:
        wrong = Cause(1, "east", "west", "wrong", ("CHECK501: west -> east: no Secret; mesh up",))
        show(
            verdict(
                Asked("east", {V1: 20}), Asked("west", {V1: 8, V2: 11}, {"reset": 1}), found=(wrong, *ok(2, 3, 4, 5))
            )
        )
        text = capsys.readouterr().out
        for line in (
            "from   v1 in east   v2 in west   failed",
            "east   20 (100 %)   none",
            "west   8 (40 %)     11 (55 %)    1 (reset)",
            "only the local version answers in east",
            "1 remote secret: CHECK501: west -> east: no Secret; mesh up",
            "not verified: east gets no answer of v2 in west",
        ):
            assert line in text


def ok(*numbers: int) -> list[Cause]:
    return [Cause(number, "east", "west", "ok") for number in numbers]


def known(*checks: Result, **over: Any) -> Known:
    """Two clusters in two networks, all well but for what is said."""
    there = {
        "east": There("east", service=True, pods={"one": "v1"}, endpoints=1),
        "west": There("west", service=True, pods={"two": "v2"}, endpoints=1),
        **over,
    }
    return Known(plan(parse(document("east", "west"))), checks, there, (V1, V2), sidecars=True)


def wrong(code: str, where: str, severity: Severity = Severity.ERROR) -> Problem:
    return Problem(code, severity, where, "cause", "fix")


class TestCauses:
    """Each is told by its number, for who misses whom; what is about others is not."""

    @pytest.mark.parametrize(
        ("check", "number"),
        [
            (wrong("CHECK501", "west -> east"), 1),
            (wrong("CHECK506", "west -> east"), 1),
            (wrong("CHECK801", "west -> east"), 1),
            (wrong("CHECK201", "west"), 1),
            (wrong("CHECK603", "west"), 3),
            (wrong("CHECK307", "west"), 4),
            (wrong("CHECK609", "west"), 4),
            (wrong("CHECK407", "west"), 5),
            (wrong("CHECK407", "east, other"), 5),
        ],
        ids=str,
    )
    def test_a_check_leads_to_its_cause(self, check: Problem, number: int) -> None:
        found = causes(known(check), [("east", "west")])
        assert {cause.number for cause in found if cause.state == "wrong"} == {number}
        assert [cause.number for cause in found] == list(TITLES)

    @pytest.mark.parametrize(
        "check",
        [
            wrong("CHECK501", "east -> west"),
            wrong("CHECK603", "east"),
            wrong("CHECK307", "elsewhere"),
            wrong("CHECK902", "west"),
            wrong("CHECK509", "west -> east", Severity.WARNING),
        ],
        ids=str,
    )
    def test_what_is_about_others_does_not(self, check: Problem) -> None:
        assert {cause.state for cause in causes(known(check), [("east", "west")])} == {"ok"}

    def test_what_is_unknown_everywhere_is_unknown_here_and_said_once(self) -> None:
        unseen = [Unknown(code, "", "nothing has been applied yet") for code in ("CHECK501", "CHECK502", "CHECK503")]
        found = causes(known(*unseen, Unknown("CHECK801", "", "nothing has been applied yet")), [("east", "west")])
        assert {cause.number: cause.says for cause in found if cause.state == "unknown"} == {
            1: ("CHECK501 to CHECK503, CHECK801: nothing has been applied yet",)
        }

    def test_what_could_not_be_seen_is_not_well(self) -> None:
        unseen = Unknown("CHECK604", "west", "no way there")
        states = {cause.number: cause.state for cause in causes(known(unseen), [("east", "west")])}
        assert states == {1: "ok", 2: "ok", 3: "unknown", 4: "ok", 5: "ok"}

    @pytest.mark.parametrize(
        ("there", "words"),
        [
            (There("west", pods={"two": "v2"}, endpoints=1), "west has no Service helloworld"),
            (There("west", service=True), "no pod of v2 is ready in west"),
            (There("west", service=True, pods={"two": "v2"}), "has found 0 of 1 pods"),
            (There("west", service=True, pods={"two": "v2"}, endpoints=1, bare=("two",)), "run without a sidecar"),
        ],
    )  # fmt: skip
    def test_endpoints_are_looked_at_here(self, there: There, words: str) -> None:
        (found,) = [cause for cause in causes(known(west=there), [("east", "west")]) if cause.state == "wrong"]
        assert found.number == 2
        assert words in " ".join(found.says)

    def test_a_cluster_that_does_not_answer_is_unknown(self) -> None:
        found = causes(known(west=There("west", unread="west: no answer")), [("east", "west")])
        assert {cause.number: cause.state for cause in found}[2] == "unknown"

    def test_all_of_it_is_plain_data(self) -> None:
        found = causes(known(wrong("CHECK501", "west -> east")), [("east", "west"), ("west", "west")])
        text = json.dumps(verdict(Asked("east", {V1: 20}), found=tuple(found)).data())
        assert json.loads(text)["causes"][0] == {
            "number": 1,
            "title": "remote secret",
            "from": "east",
            "to": "west",
            "state": "wrong",
            "says": ["CHECK501: west -> east: cause; fix"],
        }
