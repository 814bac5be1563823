"""`mesh check` before it has asked any cluster, and how it prints what it was told: terminal, JSON, JUnit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from mesh_components.topology import names
from meshctl.check.catalogue import CATALOGUE, OF_POLICIES, OF_REQUESTS, SECTIONS
from meshctl.check.facts import Part
from meshctl.check.junit import junit
from meshctl.check.report import FAILED, GREEN
from meshctl.check.show import show
from meshctl.cli import main
from tests.support.mesh_facts import healthy

KUBECONFIG = """
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""
CLUSTERS: list[dict[str, Any]] = [
    {"name": "east", "network": "network1", "platform": "lab", "kubeconfig": {"file": "east.kubeconfig"}},
    {"name": "west", "network": "network2", "kubeconfig": {"environment": "NOT_SET"}},
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: mesh\nruntime: python\n")
    (tmp_path / "__main__.py").write_text("raise SystemExit('not run')\n")
    (tmp_path / "east.kubeconfig").write_text(KUBECONFIG)
    write(tmp_path, {"id": "mesh1", "clusters": CLUSTERS})
    return tmp_path


def write(project: Path, document: Any) -> None:
    (project / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {"mesh:mesh": document}}))


def check(project: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["check", "--stack", "dev", "--engine", "local", "--cwd", str(project), *args])


def printed(made: Any) -> str:
    """What the terminal would show, without colours."""

    @click.command()
    def command() -> None:
        show(made.judged())

    return CliRunner().invoke(command).stdout


class TestUnasked:
    """What is wrong before anybody is asked; one cluster keeps no other from being asked."""

    def test_a_kubeconfig_that_is_missing_and_a_server_that_is_dead(self, project: Path) -> None:
        result = check(project, "--json")
        assert result.exit_code == FAILED
        said = json.loads(result.stdout)
        assert said["applied"] is False
        problems = {(one["code"], one["where"]) for one in said["problems"] if one["severity"] == "error"}
        assert problems == {("CHECK101", "clusters[1].kubeconfig"), ("CHECK201", "east")}
        assert {one["code"]: one["state"] for one in said["checks"]}["CHECK501"] == "unknown"

    def test_a_document_that_cannot_be_built(self, project: Path) -> None:
        write(project, {"id": "mesh1", "clusters": [*CLUSTERS, CLUSTERS[0]]})
        result = check(project)
        assert result.exit_code == FAILED
        assert "CHECK101" in result.stdout
        assert "the document has errors" in result.stdout

    @pytest.mark.parametrize(("document", "words"), [(None, "has no mesh document"), ({"clusters": 1}, "CHECK101")])
    def test_no_document(self, project: Path, document: Any, words: str) -> None:
        write(project, document)
        result = check(project)
        assert result.exit_code in (1, FAILED)
        assert words in result.stdout + result.stderr

    def test_policies_are_looked_at_on_request(self, project: Path) -> None:
        document = {"id": "mesh1", "clusters": [CLUSTERS[0]], "trust": {"protectRoot": False}}
        write(project, {**document, "istio": {"install": "none"}})
        said = json.loads(check(project, "--policies", "--json").stdout)
        found = {(one["code"], one["severity"], one["where"]) for one in said["problems"] if one["code"][5] == "1"}
        assert ("CHECK103", "error", "mesh-trust-root") in found
        assert {one["code"]: one["state"] for one in said["checks"]}["CHECK104"] in ("ok", "warning")
        unasked = json.loads(check(project, "--json").stdout)
        assert set(CATALOGUE) - {one["code"] for one in unasked["checks"]} == OF_POLICIES | OF_REQUESTS

    def test_waiting_ends(self, project: Path) -> None:
        result = check(project, "--wait", "0.1")
        assert result.exit_code == FAILED
        assert "not yet: 2 errors" in result.stderr

    def test_a_report_that_cannot_be_written(self, project: Path) -> None:
        result = check(project, "--junit", str(project / "none" / "report.xml"))
        assert result.exit_code == 1
        assert "name another file with --junit" in result.stderr

    @pytest.mark.parametrize("option", ["--timeout=0", "--parallel=0", "--wait=-1"])
    def test_numbers_that_make_no_sense(self, project: Path, option: str) -> None:
        assert check(project, option).exit_code == 2

    def test_help_teaches(self) -> None:
        said = CliRunner().invoke(main, ["check", "--help"]).stdout
        for words in ("--wait 600", "--junit mesh.xml", "Exit code: 0", "docs/checks"):
            assert words in said


class TestTerminal:
    """For people: a line for each section, problems with their fix, unknown ones together, the matrix, one line."""

    def test_green(self) -> None:
        assert printed(healthy()).splitlines() == [
            *(f"✓ {section}" for section in SECTIONS.values()),
            "",
            "who reads whom: declared, credential valid, seen by istiod, data path",
            "(✓ yes, ✗ no, ? unknown, - not asked)",
            "            east  west",
            "east reads  ·     ✓✓✓?",
            "west reads  ✓✓✓?  ·",
            "",
            f"0 errors, 0 warnings in {len(CATALOGUE)} checks",
        ]

    def test_a_problem(self) -> None:
        made = healthy()
        made.drop("east", Part.SECRETS, names.remote_secret("west"))
        text = printed(made)
        lines = text.splitlines()
        at = lines.index("✗ remote secrets") + 1
        assert lines[at].startswith(
            "  ✗ CHECK501 west -> east: east has no Secret about west, so its istiod reads nothing"
        )
        assert lines[at + 1 : at + 3] == ["      fix: run `mesh up`", "      see: docs/checks/CHECK501.md"]
        assert "east reads  ·     ✓✗✓✗\n" in text
        assert text.endswith(f"1 error, 0 warnings in {len(CATALOGUE)} checks\n")

    def test_lines_end_where_a_narrow_terminal_does(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = healthy()
        made.drop("east", Part.SECRETS, names.remote_secret("west"))
        made.views.clear()
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        show(made.judged())
        lines = click.unstyle(capsys.readouterr().out).splitlines()
        assert {"✗ CHECK501", "? CHECK801,"} <= {" ".join(line.split()[:2]) for line in lines}
        assert [line for line in lines if len(line) > 80] == []


class TestJUnit:
    """For a CI: a case for each check, in its section."""

    def test_cases(self) -> None:
        made = healthy()
        made.drop("east", Part.SECRETS, names.remote_secret("west"))
        made.views.clear()
        suites = ElementTree.fromstring(junit(made.judged()))  # noqa: S314 - our own
        cases = {str(case.get("name"))[:8]: case for case in suites.iter("testcase")}
        assert set(cases) == set(CATALOGUE)
        failure = cases["CHECK501"].find("failure")
        assert failure is not None
        assert "fix: run `mesh up`" in str(failure.text)
        assert cases["CHECK801"].find("skipped") is not None
        assert list(cases["CHECK401"]) == []
        counts = {suite.get("name"): (suite.get("failures"), suite.get("skipped")) for suite in suites}
        assert counts["remote secrets"] == ("1", "0")
        assert counts["istiod's view and requests"] == ("0", "2")


def test_green_is_zero() -> None:
    assert healthy().judged().exit_code == GREEN == 0
