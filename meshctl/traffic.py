"""`mesh traffic plan`: the plans of `mesh_components.topology.shift`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_components.topology.shift import shift_plan
from mesh_components.topology.steps import PlanError
from meshctl.plans import Plan, Wish, run


def plan(wish: Wish, host: str, to: str, steps: str, route: str | None) -> None:
    """Plan, and print or write the plan; nothing is changed. Raises what `commands.UserError` names."""

    def made(start: Mapping[str, Any]) -> Plan:
        made = shift_plan(start, host, to, _percents(steps), route)
        return Plan(made, f"to {to}", f"{to} has all of these requests", {"host": host, "to": to})

    run(wish, made)


def _percents(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        message = f"--steps: {text!r} is no list of percent; write 10,50,100"
        raise PlanError(message)
    return [int(part) for part in parts]
