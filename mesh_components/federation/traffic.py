"""How requests are led, where configuration is."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from mesh_components.federation.member import Member, Site
from mesh_components.services.traffic_rules import TrafficRules, TrafficRulesArgs
from mesh_components.topology.roles import members


def lead(site: Site, member: Member, *after: pulumi.Resource, applications: Sequence[pulumi.Resource]) -> None:
    """The document's `traffic` in a cluster whose configuration an istiod reads: after the applications, which bring
    the namespaces."""
    if not member.plan.traffic:
        return
    args = TrafficRulesArgs(
        services=member.plan.traffic,
        clusters=tuple(cluster.name for cluster in members(site.mesh)),
        namespace=site.mesh.istio.namespace,
    )
    opts = site.inside(member, *member.ready, *member.credentials, *after, *applications)
    TrafficRules(f"{member.prefix}-traffic", args, opts)
