"""The rules: facts in, results out. No rule asks anybody anything, and none knows how facts were gathered.

A fault is named once, by the check that is nearest to its cause. What follows from it is left out: rules skip what they
know the reason of (`Facts.inhabited`), and the last ones see what the others have said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from meshctl.check.catalogue import CATALOGUE
from meshctl.check.facts import Facts, How
from meshctl.check.results import Result, Unknown
from meshctl.check.rules import (
    certificates,
    control_planes,
    credentials,
    document,
    drift,
    gateways,
    namespaces,
    servers,
    views,
    webhooks,
)

Rule = Callable[[Facts], Iterator[Result]]
LateRule = Callable[[Facts, Sequence[Result]], Iterator[Result]]

BEFORE: tuple[Rule, ...] = (*servers.RULES, *control_planes.RULES, *namespaces.RULES)
"""Of what has to be so before anything is applied, too."""
AFTER: tuple[Rule, ...] = (*certificates.RULES, *credentials.RULES, *gateways.RULES, *webhooks.RULES)
_OF_CLUSTERS = "34679"
"""Sections about clusters by themselves; those about pairs say themselves what they do not know."""
LATE: tuple[LateRule, ...] = (*views.RULES, *drift.RULES)


def judge(facts: Facts) -> tuple[Result, ...]:
    """Everything the rules say, in the order of the catalogue, and of the document within a check."""
    found = [*document.findings(facts), *document.policies(facts)]
    if facts.topology is None:
        return (*found, *_unasked("2", "the document has errors"))
    for rule in (*BEFORE, *(AFTER if facts.applied else ())):
        found += rule(facts)
    for late in LATE if facts.applied else ():
        found += late(facts, tuple(found))
    for plan in facts.decided.clusters:
        if facts.cluster(plan.name).answer.how is not How.GOOD:
            found += _unasked("3", "it could not be asked", plan.name, _OF_CLUSTERS if facts.applied else "3")
    if not facts.applied:
        found += _unasked("4", "nothing has been applied yet")
    return tuple(sorted(found, key=lambda result: result.code))


def _unasked(first: str, why: str, where: str = "", among: str = "123456789") -> Iterator[Unknown]:
    """The checks from a section on, of some sections."""
    figures = ((code, code.removeprefix("CHECK")[0]) for code in CATALOGUE)
    return (Unknown(code, where, why) for code, figure in figures if figure >= first and figure in among)
