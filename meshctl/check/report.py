"""What a check has come to: by check, by pair, and in one number. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mesh_components.settings import Severity
from meshctl.check.catalogue import CATALOGUE, OF_POLICIES, OF_REQUESTS, section
from meshctl.check.facts import Facts
from meshctl.check.matrix import Pair, matrix
from meshctl.check.results import Problem, Result, Unknown
from meshctl.check.rules import judge

GREEN, WARNED, FAILED = 0, 3, 4
"""Exit codes; 1 and 2 are those of a command that could not do its work."""


@dataclass(frozen=True)
class Report:
    """Everything that is said of a mesh."""

    mesh: str
    applied: bool
    results: tuple[Result, ...]
    pairs: tuple[Pair, ...]
    clusters: tuple[str, ...]
    checks: tuple[str, ...] = tuple(CATALOGUE)
    """Those that were asked for."""

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong."""
        return tuple(one for one in self.results if isinstance(one, Problem))

    @cached_property
    def unknown(self) -> tuple[Unknown, ...]:
        """What could not be looked at."""
        return tuple(one for one in self.results if isinstance(one, Unknown))

    def count(self, severity: Severity) -> int:
        """How many problems of a severity there are."""
        return sum(one.severity is severity for one in self.problems)

    @property
    def exit_code(self) -> int:
        """By the worst problem. What is unknown is none."""
        if self.count(Severity.ERROR):
            return FAILED
        return WARNED if self.problems else GREEN

    def state(self, code: str) -> str:
        """How one check went: `error`, `warning`, `unknown` where it could be made nowhere or not everywhere, `ok`."""
        found = [one.severity for one in self.problems if one.code == code]
        if found:
            return (Severity.ERROR if Severity.ERROR in found else Severity.WARNING).value
        return "unknown" if any(one.code == code for one in self.unknown) else "ok"

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "mesh": self.mesh,
            "applied": self.applied,
            "checks": [
                {"code": code, "section": section(code), "title": CATALOGUE[code], "state": self.state(code)}
                for code in self.checks
            ],
            "problems": [one.data() for one in self.problems],
            "unknown": [one.data() for one in self.unknown],
            "pairs": [pair.data() for pair in self.pairs],
        }


def report(facts: Facts) -> Report:
    """Judge facts."""
    results = judge(facts)
    mesh = facts.topology.mesh.id if facts.topology else "(no mesh)"
    clusters = tuple(plan.name for plan in facts.topology.clusters) if facts.topology else ()
    left_out = (OF_POLICIES if facts.policies is None else frozenset()) | (
        OF_REQUESTS if facts.requests is None else frozenset()
    )
    asked = tuple(code for code in CATALOGUE if code not in left_out)
    return Report(mesh, facts.applied, results, matrix(facts, results), clusters, asked)
