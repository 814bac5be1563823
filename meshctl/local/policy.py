"""The rules of `mesh_components.policy`, over what a program asks the local engine for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mesh_components.policy import RULES, Resource, Violation, violations
from meshctl.local.model import Goal

__all__ = ["Violation", "resources", "summary", "violations"]


def resources(goals: Iterable[Goal]) -> list[Resource]:
    """Goals as rules look at them."""
    return [
        Resource(
            goal.urn,
            goal.type,
            goal.name,
            goal.inputs,
            goal.secret_inputs,
            protect=goal.options.protect,
            retain=goal.options.retain_on_delete,
        )
        for goal in goals
    ]


def tell(goals: Iterable[Goal], stack: str, warn: Callable[[str], None]) -> None:
    """Warn of the rules that are broken: in one line, since the program goes on."""
    if words := summary(violations(resources(goals))):
        warn(f"policies: {words}; `mesh policy --stack {stack}` says where, and what to do")


def summary(found: Sequence[Violation]) -> str:
    """The rules that are broken, and how often; empty where none is."""
    broken = [(rule, sum(item.rule == rule.name for item in found)) for rule in RULES]
    return ", ".join(
        rule.name + f" ({rule.level})" * (rule.level == "mandatory") + f" {times} times" * (times > 1)
        for rule, times in broken
        if times
    )
