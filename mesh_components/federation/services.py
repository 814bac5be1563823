"""Services of a federation: who sees them."""

from __future__ import annotations

import pulumi

from mesh_components.federation.member import Member, Site
from mesh_components.services.visibility import Visibility, VisibilityArgs
from mesh_components.settings.visibility import McsSettings
from mesh_components.topology import visibility


def of_cluster(site: Site, member: Member, *after: pulumi.Resource | None) -> None:
    """Everything about services in one cluster, once whoever validates it serves."""
    mesh, stated = site.mesh, member.plan.settings
    if not visibility.has_objects(mesh, stated):
        return
    args = VisibilityArgs(
        sidecars=dict(visibility.sidecars(mesh, stated)),
        exports=visibility.exported(mesh, stated),
        mcs=mesh.visibility.mcs or McsSettings(),
    )
    Visibility(f"{member.prefix}-visibility", args, site.inside(member, *member.ready, *member.credentials, *after))
