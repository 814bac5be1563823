"""The findings about the document, and the policies that what it leads to breaks, as checks."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.policy import RULES
from mesh_components.settings import Severity
from meshctl.check.facts import Facts
from meshctl.check.results import Problem, Result, error, warning


def findings(facts: Facts) -> Iterator[Result]:
    """CHECK101 and CHECK102: what a preview would say first."""
    for finding in facts.findings:
        code = "CHECK101" if finding.severity is Severity.ERROR else "CHECK102"
        cause = f"{finding.code}: {finding.reason} (see {finding.page})"
        yield Problem(code, finding.severity, finding.place, cause, finding.fix)


def policies(facts: Facts) -> Iterator[Result]:
    """CHECK103 and CHECK104: the rules that `mesh policy` has."""
    mandatory = {rule.name for rule in RULES if rule.level == "mandatory"}
    for found in facts.policies or ():
        cause, where = f"{found.rule}: {found.reason} (see docs/policy.md)", found.name
        if found.rule in mandatory:
            yield error("CHECK103", where, cause, found.fix)
        else:
            yield warning("CHECK104", where, cause, found.fix)
