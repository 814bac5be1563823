"""`mesh rotate plan`: the plans of `mesh_components.topology.rotate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_components.settings import parse
from mesh_components.topology.rotate import Subject, rotation_plan
from mesh_components.topology.rotation import position
from meshctl.plans import Plan, Wish, run


def plan(wish: Wish, what: Subject, clusters: tuple[str, ...] = ()) -> None:
    """Plan, and print or write the plan; nothing is changed. Raises what `commands.UserError` names."""

    def made(start: Mapping[str, Any]) -> Plan:
        steps = rotation_plan(start, what, clusters)
        head = {"what": what}
        if what == "intermediate":
            return Plan(steps, "to new signing certificates", "nothing signs in this mesh", head)
        if what == "tokens":
            return Plan(steps, "to other tokens", "nobody reads a cluster with a token that is made here", head)
        if what == "kiali-tokens":
            return Plan(steps, "to other tokens of Kiali", "Kiali reads no cluster but its own", head)
        return Plan(steps, f"to root {position(parse(steps[-1].document).trust).serial}", "", head)

    run(wish, made)
