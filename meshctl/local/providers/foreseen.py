"""Packages whose resources are shown in a preview and made by Pulumi alone: nobody is asked, and nothing is made.

What a program writes is known; what the cloud adds is not. Where an input has a part that the cloud fills in, the whole
property is unknown, as Pulumi's own provider says it before it has asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meshctl.local.model import UNKNOWN, Applied, Goal, Record, Step, StepError
from meshctl.local.planner import plan_plain
from meshctl.local.registry import needs_cli

_FILLED_IN: Mapping[str, tuple[str, ...]] = {
    "gcp:container/cluster:Cluster": (
        "controlPlaneEndpointsConfig",
        "endpoint",
        "masterAuth",
        "privateClusterConfig",
        "selfLink",
    ),
    "gcp:compute/address:Address": ("address", "selfLink"),
    "gcp:compute/network:Network": ("selfLink",),
    "gcp:compute/subnetwork:Subnetwork": ("selfLink", "gatewayAddress"),
}


class Foreseen:
    """Plans from inputs and the record; whatever else there is to do is for Pulumi."""

    cluster = ""

    def plan(self, goal: Goal, record: Record | None) -> Step:
        """A creation, with what the cloud decides left open."""
        step = plan_plain(goal, record)
        return Step(step.op, step.changes, {**step.outputs, **dict.fromkeys(_FILLED_IN.get(goal.type, ()), UNKNOWN)})

    def apply(self, goal: Goal, record: Record | None, step: Step) -> Applied:  # noqa: ARG002 (nothing is made here)
        """Refuse."""
        raise StepError(needs_cli(goal.type))

    def delete(self, record: Record) -> None:
        """Refuse."""
        raise StepError(needs_cli(record.type))

    def invoke(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 (nobody is asked)
        """Refuse."""
        raise StepError(needs_cli(token))
