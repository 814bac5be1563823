"""Services of a federation: the teams that they belong to, who may call them, and who sees them."""

from __future__ import annotations

import pulumi

from mesh_components.federation.member import Member, Site
from mesh_components.services.policies import MeshPolicies, MeshPoliciesArgs
from mesh_components.services.team import Team, TeamArgs
from mesh_components.services.visibility import Visibility, VisibilityArgs
from mesh_components.settings.tenancy import TeamSettings
from mesh_components.settings.visibility import McsSettings
from mesh_components.topology import tenancy, visibility
from mesh_components.topology.meshes import holds_config


def of_cluster(site: Site, member: Member, *after: pulumi.Resource | None) -> dict[str, pulumi.Resource]:
    """Everything about services in one cluster, once whoever validates it serves: namespaces first, then what is in
    them. Returns the teams by their namespaces."""
    mesh, stated = site.mesh, member.plan.settings
    opts = site.inside(member, *member.ready, *member.credentials, *after)
    made: dict[str, pulumi.Resource] = {}
    for team in tenancy.teams(mesh, stated):
        component = Team(f"{member.prefix}-team-{team.name}", _team(site, member, team), opts)
        made |= dict.fromkeys(team.namespaces, component)
    inside = site.inside(member, *member.ready, *member.credentials, *after, *dict.fromkeys(made.values()))
    if tenancy.has_policies(mesh, stated):
        policies = MeshPoliciesArgs(
            policies=mesh.policies,
            namespace=mesh.istio.namespace,
            open_namespaces=tenancy.open_namespaces(mesh, stated),
            waypoints=bool(member.plan.waypoints),
        )
        member.policies = MeshPolicies(f"{member.prefix}-policies", policies, inside)
    if visibility.has_objects(mesh, stated):
        args = VisibilityArgs(
            sidecars=dict(visibility.sidecars(mesh, stated)),
            exports=visibility.exported(mesh, stated),
            mcs=mesh.visibility.mcs or McsSettings(),
        )
        Visibility(f"{member.prefix}-visibility", args, inside)
    return made


def _team(site: Site, member: Member, team: TeamSettings) -> TeamArgs:
    decides = holds_config(member.plan.settings)
    closed = {item: tenancy.allowed(site.mesh, team, item) for item in team.namespaces} if team.closed else {}
    return TeamArgs(
        namespaces=team.namespaces,
        create=team.create,
        labels=tenancy.labels(site.mesh, team),
        mtls=team.mtls if decides else None,
        allowed=closed if decides else {},
        waypoints={
            item.settings.namespace: item.settings.name
            for item in member.plan.waypoints
            if item.settings.namespace in team.namespaces
        },
    )
