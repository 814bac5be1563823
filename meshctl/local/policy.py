"""The rules of `mesh_components.policy`, over what a program asks the local engine for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from mesh_components.policy import RULES, Resource, Violation, violations
from meshctl.local.model import Goal

__all__ = ["Violation", "resources", "summary", "violations"]
_LISTED = 3


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


def tell(goals: Iterable[Goal], told: set[str], warn: Callable[[str], None]) -> None:
    """Warn of each rule that is broken, once; what was said is put into `told`."""
    for words in summary(violations(resources(goals))):
        if words not in told:
            told.add(words)
            warn(words)


def summary(found: Sequence[Violation]) -> Iterator[str]:
    """A line for each rule that is broken."""
    for rule in RULES:
        mine = sorted((item for item in found if item.rule == rule.name), key=lambda item: item.name)
        if not mine:
            continue
        more = f" and {len(mine) - _LISTED} more" if len(mine) > _LISTED else ""
        which = ", ".join(item.name for item in mine[:_LISTED])
        yield f"policy {rule.name} ({rule.level}): {mine[0].reason}: {which}{more}; fix: {mine[0].fix}"
