"""`mesh upgrade plan`: the plan of `mesh_components.topology.upgrade`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_components.topology.upgrade import upgrade_plan
from meshctl.plans import Plan, Wish, run


def plan(wish: Wish, to: str, *, revision: str | None, canary: str | None) -> None:
    """Plan, and print or write the plan; nothing is changed. Raises what `commands.UserError` names."""

    def made(start: Mapping[str, Any]) -> Plan:
        steps = upgrade_plan(start, to, revision, canary=canary)
        return Plan(steps, f"to {to}", f"the whole mesh is at {to}", {"to": to})

    run(wish, made)
