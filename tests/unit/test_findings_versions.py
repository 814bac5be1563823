"""Istio's versions: the table, what it says of a document, and that the page says the same."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from mesh_components.topology.findings import findings
from mesh_components.topology.versions import (
    AS_OF,
    KNOWN_BUGS,
    LONGEST_JUMP,
    RELEASES,
    KnownBug,
    Release,
    apart,
    bugs,
    parse,
    release,
    text,
)
from tests.support.findings import ERROR, GOOD, WARNING, Patch, brief, codes, istio, mesh, one, rotating
from tests.support.graph import ROOT

PAGE = (ROOT / "docs/versions.md").read_text()
FOLDER: Patch = {"charts": {"folder": "charts"}}
AMBIENT: Patch = {"dataPlane": "ambient"}


def of(version: str, **keys: Any) -> list[str]:
    """What is found about this version."""
    return codes(findings(istio(version=version, **FOLDER, **keys)))


class TestTable:
    def test_versions_follow_each_other(self) -> None:
        for one_, next_ in pairwise(RELEASES):
            assert apart((*one_.minor, 0), (*next_.minor, 0)) == 1
            assert one_.released < next_.released
            assert one_.ends is None or one_.ends > one_.released

    def test_support_ends_six_weeks_after_the_second_next(self) -> None:
        """https://istio.io/latest/docs/releases/supported-releases/#support-policy; the days are what was announced."""
        for old, new in zip(RELEASES, RELEASES[2:], strict=False):
            assert old.ends is not None
            assert 30 < (old.ends - new.released).days < 60
        assert all(item.ends is None for item in RELEASES[-2:])

    def test_a_version_is_found_by_its_minor(self) -> None:
        assert release((1, 30, 99)) is RELEASES[3]
        assert release((1, 26, 0)) is None

    @pytest.mark.parametrize("bug", KNOWN_BUGS, ids=lambda bug: bug.issue)
    def test_a_bug_is_in_releases_of_the_table_and_ends(self, bug: KnownBug) -> None:
        assert re.fullmatch(r"istio#\d+", bug.issue)
        for first, end in bug.ranges:
            assert release(first)
            assert release(end)
            assert first < end
            assert bug.fixed(first) == end
            assert bug.fixed(end) is None

    @pytest.mark.parametrize(
        ("text_", "version"),
        [("1.30.4", (1, 30, 4)), ("1.31.0-rc.0", (1, 31, 0)), ("1.30", None), ("v1.30.4", None), ("1.30.04", None)],
    )
    def test_texts_as_numbers(self, text_: str, version: tuple[int, int, int] | None) -> None:
        assert parse(text_) == version

    def test_another_major_is_far_away(self) -> None:
        assert apart((1, 30, 0), (2, 30, 0)) > LONGEST_JUMP


class TestPage:
    def rows(self, heading: str) -> list[list[str]]:
        table = PAGE.partition(heading)[2].split("\n\n")[0]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]

    def test_it_has_the_table(self) -> None:
        def row(item: Release) -> list[str]:
            ends = str(item.ends) if item.ends else "not announced"
            return [item.name, str(item.released), ends, " to ".join(item.kubernetes), str(item.ambient)]

        head, _, *rest = self.rows("last on 2026-11-22.\n\n")
        assert head[0] == "version"
        assert rest == [row(item) for item in RELEASES]
        assert f"last on {AS_OF}." in PAGE

    def test_it_has_the_bugs(self) -> None:
        def row(bug: KnownBug) -> list[str]:
            link = f"[{bug.issue}](https://github.com/istio/istio/issues/{bug.issue.partition('#')[2]})"
            ranges = ", ".join(f"{text(first)} to before {text(end)}" for first, end in bug.ranges)
            return [link, ranges, bug.effect, bug.whom]

        _, _, *rest = self.rows("may have it too.\n\n")
        assert rest == [row(bug) for bug in KNOWN_BUGS]


class TestSupport:
    @pytest.mark.parametrize("version", ["1.30.0", "1.30.4", "1.31.0", "1.31.0-rc.0"])
    def test_what_is_supported_passes(self, version: str) -> None:
        assert of(version) == []

    @pytest.mark.parametrize("version", ["1.27.9", "1.28.0", "1.29.8"])
    def test_what_is_not_any_more_is_a_warning(self, version: str) -> None:
        found = one(findings(istio(version=version)), "MESH421", WARNING, "istio.version")
        assert "1.30 or 1.31" in found.fix

    def test_every_revision_counts(self) -> None:
        keys: Patch = {"revision": "a", "revisions": [{"name": "a", "version": "1.29.8"}, {"name": "b"}]}
        one(findings(istio(**keys)), "MESH421", WARNING, "istio.revisions[0].version")

    def test_whoever_installs_istio_knows_its_version_better(self) -> None:
        assert codes(findings(istio(version="1.28.0", install="none"))) == []


class TestKnownBugs:
    @pytest.mark.parametrize(
        ("version", "issues"),
        [("1.30.2", ["istio#60612", "istio#60920"]), ("1.30.3", ["istio#60920"]), ("1.30.4", [])],
    )
    def test_it_comes_with_its_issue_and_the_fixed_version(self, version: str, issues: list[str]) -> None:
        found = findings(rotating(version))
        assert codes(found) == ["MESH402"] * len(issues)
        for issue in issues:
            assert any(issue in finding.reason for finding in found)
        assert all(finding.fix.startswith("use 1.") for finding in found)

    def test_one_of_rotation_does_not_matter_to_tokens_that_stay(self) -> None:
        assert findings(istio(version="1.30.3")) == ()

    def test_one_of_rotation_does_not_matter_to_one_cluster(self) -> None:
        only = {"name": "a", "network": "n", "kubeconfig": {"file": "a"}}
        assert codes(findings(mesh({"clusters": [only], "istio": {"version": "1.30.3"}}))) == ["MESH106"]

    def test_a_revision_has_those_of_its_own_version(self) -> None:
        keys: Patch = {"revision": "a", "revisions": [{"name": "a", "version": "1.30.3"}, {"name": "b"}], **AMBIENT}
        assert brief(findings(istio(**keys))) == [("MESH402", "warning", "istio.revisions[0].version")]

    @pytest.mark.parametrize(
        ("version", "keys", "issue", "meets"),
        [
            ("1.28.10", {"dataPlane": "mixed"}, "istio#57878", True),
            ("1.29.8", {"dataPlane": "mixed"}, "istio#57878", False),
            ("1.28.10", AMBIENT, "istio#57878", False),
            ("1.28.2", AMBIENT, "istio#58047", True),
            ("1.28.2", {}, "istio#58047", False),
            ("1.28.0", AMBIENT, "istio#58141", True),
            ("1.29.1", AMBIENT, "istio#58630", True),
            ("1.29.0", {}, "istio#59153", True),
            ("1.29.5", AMBIENT, "istio#60806", True),
            ("1.29.6", AMBIENT, "istio#60806", False),
            ("1.30.2", AMBIENT, "istio#60806", True),
            ("1.30.3", AMBIENT, "istio#61092", True),
            ("1.31.0", AMBIENT, "istio#61092", False),
            ("1.30.3", {}, "istio#61092", False),
        ],
    )
    def test_whom_it_meets(self, version: str, keys: Patch, issue: str, meets: bool) -> None:
        settings = istio(version=version, **keys)
        parsed = parse(version)
        assert parsed
        assert (issue in [bug.issue for bug, _ in bugs(parsed, settings)]) is meets
        assert any(issue in finding.reason for finding in findings(settings)) is meets

    def test_a_trust_domain_of_ones_own(self) -> None:
        settings = mesh({"trustDomain": "example.org", "istio": {**GOOD["istio"], **AMBIENT, "version": "1.28.0"}})
        assert any("istio#58427" in finding.reason for finding in findings(settings))

    @pytest.mark.parametrize(("version", "issue"), [("1.29.2", "istio#59875"), ("1.30.5", "istio#60033")])
    def test_rotation_in_ambient(self, version: str, issue: str) -> None:
        keys: Patch = {"istio": {"version": version, **AMBIENT}}
        found = findings(mesh(keys, east={"peerKubeconfig": {"secret": "east-peers"}}))
        assert any(issue in finding.reason for finding in found)


class TestAmbientOverNetworks:
    def test_before_there_was_any(self) -> None:
        found = findings(istio(version="1.26.8", **AMBIENT))
        assert ("MESH402", "error", "istio.version") in brief(found)

    def test_while_it_was_alpha(self) -> None:
        found = [f for f in findings(istio(version="1.28.10", **AMBIENT)) if "alpha" in f.reason]
        one(tuple(found), "MESH402", WARNING, "istio.version")

    def test_one_network_is_another_matter(self) -> None:
        settings = mesh({"istio": {"version": "1.26.8", **AMBIENT}}, west={"network": "network1"})
        assert sorted(codes(findings(settings))) == ["MESH401", "MESH417"]


def test_a_malformed_version_is_an_error_wherever_it_stands() -> None:
    keys: Patch = {"version": "1.30", "revision": "a", "revisions": [{"name": "a", "version": "latest"}]}
    assert brief(findings(istio(**keys))) == [
        ("MESH401", ERROR.value, "istio.revisions[0].version"),
        ("MESH401", ERROR.value, "istio.version"),
    ]
