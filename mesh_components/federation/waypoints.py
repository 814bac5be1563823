"""The waypoints of a federation."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from mesh_components.federation.member import Member, Site
from mesh_components.gateways.waypoint import Waypoint, WaypointArgs

_SIZE = {"namespace", "min_replicas", "max_replicas", "requests", "limits"}


def place(site: Site, member: Member, *after: pulumi.Resource, owners: Sequence[pulumi.Resource]) -> None:
    """A cluster's waypoints: after the teams and applications, which bring the namespaces."""
    opts = site.inside(member, *member.ready, *member.credentials, *after, *owners)
    for planned in member.plan.waypoints:
        stated = planned.settings
        args = WaypointArgs(
            gateway_name=stated.name,
            serves=stated.for_,
            labels_namespace=planned.patches,
            revision=planned.revision,
            network_policy=site.mesh.istio.network_policies,
            **stated.model_dump(include=_SIZE),
        )
        Waypoint(f"{member.prefix}{planned.suffix}", args, opts)
