"""Trust: lifetimes that end in an outage instead of in a rotation.

istiod fails at its start on an expired certificate in the chain
(https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/).
"""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.topology.rules.context import Context, error, warning

SHORTEST_ROOT_DAYS = 365
SHORTEST_INTERMEDIATE_DAYS = 30


def outlives_root(context: Context) -> Iterator[Finding]:
    """MESH301."""
    root, intermediate = context.mesh.trust.root_validity_days, context.mesh.trust.intermediate_validity_days
    if intermediate > root:
        yield error(
            "MESH301",
            "trust.intermediateValidityDays",
            f"intermediates of {intermediate} days outlive the root of {root} days: on the root's last day every "
            "certificate of the mesh stops being valid, whatever date it carries",
            f"set intermediateValidityDays to less than {root}, or rootValidityDays to more than {intermediate}",
        )


def short_intermediate(context: Context) -> Iterator[Finding]:
    """MESH302, the signing certificates of the clusters."""
    days = context.mesh.trust.intermediate_validity_days
    if days < SHORTEST_INTERMEDIATE_DAYS:
        yield warning(
            "MESH302",
            "trust.intermediateValidityDays",
            f"intermediates of {days} days end before anyone looks, and nothing renews them by itself; istiod does not "
            "start on an expired one",
            f"use {SHORTEST_INTERMEDIATE_DAYS} days or more",
        )


def short_root(context: Context) -> Iterator[Finding]:
    """MESH302, the root. Its rotation has four phases and restarts every proxy (istio#50420)."""
    days = context.mesh.trust.root_validity_days
    if days < SHORTEST_ROOT_DAYS:
        yield warning(
            "MESH302",
            "trust.rootValidityDays",
            f"a root of {days} days must be rotated within the year, and that means to visit every cluster and to "
            "restart every proxy, more than once",
            f"use {SHORTEST_ROOT_DAYS} days or more; it is the intermediates that are cheap to renew",
        )


RULES = (outlives_root, short_intermediate, short_root)
