"""The waypoints of a federation."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from mesh_components.federation.member import Member, Site
from mesh_components.gateways.waypoint import Waypoint, WaypointArgs

_SIZE = {"namespace", "min_replicas", "max_replicas", "requests", "limits"}


def place(site: Site, member: Member, *after: pulumi.Resource, owners: Mapping[str, pulumi.Resource]) -> None:
    """A cluster's waypoints, each after the team or the application that brings its namespace, and after the policies:
    who comes through a waypoint calls by its name, so from the beginning it is as closed as what is behind it."""
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
        there = (*after, member.policies, owners.get(stated.namespace))
        opts = site.inside(member, *member.ready, *member.credentials, *there)
        Waypoint(f"{member.prefix}{planned.suffix}", args, opts)
