"""Trust: lifetimes that end in an outage instead of in a rotation, and rotations that would be one.

istiod fails at its start on an expired certificate in the chain
(https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/).
"""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.topology import names
from mesh_components.topology.roles import runs_istiod
from mesh_components.topology.rules.context import Context, error, quoted, quoted_key, warning

SHORTEST_ROOT_DAYS = 365
SHORTEST_INTERMEDIATE_DAYS = 30


def outlives_root(context: Context) -> Iterator[Finding]:
    """MESH301. The dates of a root from elsewhere are known when it is looked at, not from the document."""
    trust = context.mesh.trust
    root, intermediate = trust.root_validity_days, trust.intermediate_validity_days
    if intermediate > root and trust.source is None:
        yield error(
            "MESH301",
            "trust.intermediateValidityDays",
            f"intermediates of {intermediate} days outlive the root of {root} days: on the root's last day every "
            "certificate of the mesh stops being valid, whatever date it carries",
            f"set intermediateValidityDays to less than {root}, or rootValidityDays to more than {intermediate}",
        )


def short_intermediate(context: Context) -> Iterator[Finding]:
    """MESH302, the signing certificates of the clusters."""
    trust = context.mesh.trust
    days = trust.intermediate_validity_days
    made_elsewhere = trust.source is not None and {"intermediates", "certManager"} & set(trust.source.stated)
    if days < SHORTEST_INTERMEDIATE_DAYS and not made_elsewhere:
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
    if days < SHORTEST_ROOT_DAYS and context.mesh.trust.source is None:
        yield warning(
            "MESH302",
            "trust.rootValidityDays",
            f"a root of {days} days must be rotated within the year, and that means to visit every cluster and to "
            "restart every proxy, more than once",
            f"use {SHORTEST_ROOT_DAYS} days or more; it is the intermediates that are cheap to renew",
        )


def one_root_only(context: Context) -> Iterator[Finding]:
    """MESH303. istiod ignores a second root (`handleEvent` in pilot/pkg/bootstrap/istio_ca.go), and so do proxies."""
    trust = context.mesh.trust
    if trust.rotation and not trust.multi_root:
        yield error(
            "MESH303",
            "trust.rotation",
            "istiods and proxies take a single root, so those that are updated first would be trusted by nobody else",
            "take it out, set trust.multiRoot, apply that, restart the proxies, and begin then: see `mesh rotate plan`",
        )


def serials(context: Context) -> Iterator[Finding]:
    """MESH304."""
    signing = {cluster.name for cluster in context.mesh.clusters if runs_istiod(cluster)}
    for name in context.mesh.trust.intermediate_serials:
        if name not in signing:
            known = context.index(name) is not None
            who = "served by the istiod of another cluster" if known else "no cluster of this mesh"
            yield error(
                "MESH304",
                f"trust.intermediateSerials.{quoted_key(name)}",
                f"{quoted(name)} is {who}, so it has no signing certificate, and nothing would be made anew",
                "name a cluster that has an istiod",
            )


def ambient(context: Context) -> Iterator[Finding]:
    """MESH305. ztunnel trusts the root at the end of its own chain, and no other (istio#47427, istio#61719)."""
    mesh = context.mesh
    if mesh.trust.rotation and mesh.istio.data_plane != "sidecar":
        yield warning(
            "MESH305",
            "trust.rotation",
            "ztunnel trusts one root, that of its own certificate, whatever istiod tells: while some certificates "
            "hang on one root and some on the other, ambient workloads refuse each other",
            "expect an interruption in the phase `switch`, from the first cluster's update until ztunnel was restarted "
            "in all of them; take a quiet hour, and restart it at once",
        )


def multi_root_elsewhere(context: Context) -> Iterator[Finding]:
    """MESH306."""
    mesh = context.mesh
    if mesh.trust.multi_root and mesh.istio.install == "none":
        yield warning(
            "MESH306",
            "trust.multiRoot",
            "something else installs Istio, so this sets nothing: it only says that it is so",
            f"where Istio is installed, set {names.MULTI_ROOT_ISTIOD}=true on istiod, and {names.MULTI_ROOT_PROXY}="
            "true in meshConfig.defaultConfig.proxyMetadata, and restart the proxies, before you begin a rotation",
        )


def always_warned(context: Context) -> Iterator[Finding]:
    """MESH307, of a lifetime; `topology.expiry` says the same of a date."""
    trust = context.mesh.trust
    for key, days, shortest in (
        ("rootValidityDays", trust.root_validity_days, SHORTEST_ROOT_DAYS),
        ("intermediateValidityDays", trust.intermediate_validity_days, SHORTEST_INTERMEDIATE_DAYS),
    ):
        if shortest <= days <= trust.warn_days_before:  # shorter ones are MESH302
            yield warning(
                "MESH307",
                f"trust.{key}",
                f"certificates of {days} days are warned of {trust.warn_days_before} days before their end, so from "
                "their first day on, and nobody would see when it matters",
                f"set trust.warnDaysBefore to less than {days}, or {key} to more than {trust.warn_days_before}",
            )


RULES = (
    outlives_root,
    short_intermediate,
    short_root,
    one_root_only,
    serials,
    ambient,
    multi_root_elsewhere,
    always_warned,
)
