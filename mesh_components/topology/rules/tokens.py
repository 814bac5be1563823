"""Tokens: lifetimes that end between two runs, and settings that are about nothing."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.settings.discovery import TokenSettings
from mesh_components.topology.rules.context import Context, error, quoted, quoted_key, versions, warning
from mesh_components.topology.versions import parse, text

_SHORTEST_MARGIN = 48
_FIRST_MOUNTED = (1, 30)


def always_due(context: Context) -> Iterator[Finding]:
    """MESH506."""
    tokens = context.mesh.discovery.tokens
    if tokens.kind == "requested" and tokens.renew_before_hours >= tokens.lifetime_hours:
        yield error(
            "MESH506",
            "discovery.tokens.renewBeforeHours",
            f"a token of {tokens.lifetime_hours} hours is always within its last {tokens.renew_before_hours}",
            f"use less than {tokens.lifetime_hours}; a third of it leaves time for several runs",
        )


def short_margin(context: Context) -> Iterator[Finding]:
    """MESH507."""
    tokens = context.mesh.discovery.tokens
    if tokens.kind == "requested" and tokens.renew_before_hours < min(_SHORTEST_MARGIN, tokens.lifetime_hours):
        yield warning(
            "MESH507",
            "discovery.tokens.renewBeforeHours",
            f"only an `up` in the last {tokens.renew_before_hours} hours renews a token: where one nightly run fails, "
            "istiods lose sight of the clusters that they read",
            f"use {_SHORTEST_MARGIN} or more, with a lifetime to match; or go on if `up` runs every few hours",
        )


def nobody(context: Context) -> Iterator[Finding]:
    """MESH508."""
    for name in context.mesh.discovery.tokens.serials:
        place = f"discovery.tokens.serials.{quoted_key(name)}"
        index = context.index(name)
        if index is None:
            yield error(
                "MESH508",
                place,
                f"no cluster is called {quoted(name)}, so no token is replaced",
                "write the name of a cluster of the mesh",
            )
        elif not context.mesh.clusters[index].reads_with_token:
            ready_made = context.mesh.clusters[index].peer_kubeconfig is not None
            key = "peerKubeconfig" if ready_made else "peerAuthentication"
            yield error(
                "MESH508",
                place,
                f'"{name}" is read with its `{key}`, whose credentials this program does not make',
                f"replace them where they come from, or take `{key}` out",
            )
        elif not context.readers(index):
            yield warning("MESH508", place, f'nobody reads "{name}", so it has no token', "take the serial out")


def ignored(context: Context) -> Iterator[Finding]:
    """MESH509."""
    tokens, left_out = context.mesh.discovery.tokens, TokenSettings()
    if tokens.kind == "long-lived":
        for key, field in (("lifetimeHours", "lifetime_hours"), ("renewBeforeHours", "renew_before_hours")):
            if getattr(tokens, field) != getattr(left_out, field):
                yield warning(
                    "MESH509",
                    f"discovery.tokens.{key}",
                    "long-lived tokens have no end, so nobody looks at this",
                    f"set `discovery.tokens.kind: requested`, or take `{key}` out",
                )
    if tokens.keep_previous and not any(serial > 1 for serial in tokens.serials.values()):
        yield warning(
            "MESH509",
            "discovery.tokens.keepPrevious",
            "every token is the first of its cluster: there is none before it to be kept",
            "raise a serial in `discovery.tokens.serials`, or take `keepPrevious` out",
        )


def mounted(context: Context) -> Iterator[Finding]:
    """MESH706."""
    discovery = context.mesh.discovery
    if discovery.secrets != "mounted":
        if discovery.mounted is not None:
            yield warning(
                "MESH706",
                "discovery.mounted",
                f"with `secrets: {discovery.secrets}` istiod reads Secrets of this program, and no folder",
                "set `discovery.secrets: mounted`, or take `mounted` out",
            )
        return
    if discovery.mounted is None and context.mesh.istio.install == "charts":
        yield error(
            "MESH706",
            "discovery.secrets",
            "nothing says which folder of kubeconfigs istiod is to read, so it would read no cluster",
            "add `discovery.mounted.volume` with the volume that holds them, or use `separate`",
        )
    elif discovery.mounted is not None and len(discovery.mounted.volume) != 1:
        yield error(
            "MESH706",
            "discovery.mounted.volume",
            f"a volume has one source, and this has {len(discovery.mounted.volume)}; the API server refuses such a pod",
            "name one, such as `secret: {secretName: ...}` or `csi: {...}`",
        )
    if discovery.tokens != TokenSettings() or discovery.account != "chart":
        yield warning(
            "MESH509",
            "discovery.tokens" if discovery.tokens != TokenSettings() else "discovery.account",
            "whoever fills the mounted folder also chooses accounts and tokens, so nobody looks at this",
            "take it out",
        )


def too_early(context: Context) -> Iterator[Finding]:
    """MESH707."""
    if context.mesh.discovery.secrets != "mounted":
        return
    for place, stated in versions(context):
        version = parse(stated)
        if version and version[:2] < _FIRST_MOUNTED:
            yield error(
                "MESH707",
                place,
                f"Istio {stated} does not know PILOT_MULTICLUSTER_KUBECONFIG_PATH: it would look for Secrets, of which "
                "there are none, and read no cluster",
                f"use {text(_FIRST_MOUNTED)} or later, or `discovery.secrets: separate`",
            )


RULES = (always_due, short_margin, nobody, ignored, mounted, too_early)
