"""The findings about the document, as checks."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Severity
from meshctl.check.facts import Facts
from meshctl.check.results import Problem, Result


def findings(facts: Facts) -> Iterator[Result]:
    """CHECK101 and CHECK102: what a preview would say first."""
    for finding in facts.findings:
        code = "CHECK101" if finding.severity is Severity.ERROR else "CHECK102"
        cause = f"{finding.code}: {finding.reason} (see {finding.page})"
        yield Problem(code, finding.severity, finding.place, cause, finding.fix)
