"""The pages of the checks: none is missing, and what they say of a check is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import meshctl.check.rules as rules
from mesh_components.settings import Severity
from meshctl.check.catalogue import CATALOGUE
from meshctl.check.results import Problem
from tests.support.seeds import FAULTS

PAGES = Path(__file__).parents[2] / "docs" / "checks"
CODES = sorted(CATALOGUE)
ROW = re.compile(r"^\| \[(CHECK\d{3})\]\((CHECK\d{3})\.md\) \| (error|warning) \| (.+) \|$", re.MULTILINE)


def index() -> dict[str, tuple[str, str]]:
    """Severity and title by code, as the tables have them."""
    rows = ROW.findall((PAGES / "index.md").read_text())
    assert all(code == link for code, link, _, _ in rows)
    return {code: (severity, title) for code, _, severity, title in rows}


@pytest.mark.parametrize("code", CODES)
def test_the_page_has_the_title_the_severity_a_way_out_and_a_source(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text()
    severity, title = index()[code]
    assert text.startswith(f"# {code}: {CATALOGUE[code]}\n\nSeverity: {severity}.\n\nLooked at: ")
    assert title == CATALOGUE[code]
    assert "\nWhat to do: " in text
    assert re.search(r"^- https://\S+$", text, re.MULTILINE)


def test_the_tables_and_the_folder_have_the_catalogue_and_nothing_else() -> None:
    assert list(index()) == list(CATALOGUE) == CODES
    assert {path.stem for path in PAGES.glob("CHECK*.md")} == set(CODES)


def test_the_rules_emit_the_catalogue_and_nothing_else() -> None:
    sources = Path(str(rules.__file__)).parent.glob("*.py")
    emitted = {code for source in sources for code in re.findall(r'"(CHECK\d{3})"', source.read_text())}
    assert emitted == set(CATALOGUE)


def test_seeded_faults_have_the_severity_of_the_page() -> None:
    for fault in FAULTS:
        assert index()[fault.code][0] == fault.severity, fault.name


def test_a_problem_leads_to_its_page() -> None:
    problem = Problem("CHECK502", Severity.ERROR, "a -> b", "cause", "fix")
    assert (PAGES.parents[1] / problem.page).is_file()
