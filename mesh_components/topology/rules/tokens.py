"""Tokens: lifetimes that end between two runs, and settings that are about nothing."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.settings.discovery import TokenSettings
from mesh_components.topology.rules.context import Context, error, quoted, quoted_key, warning

_SHORTEST_MARGIN = 48


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
        elif context.mesh.clusters[index].peer_kubeconfig is not None:
            yield error(
                "MESH508",
                place,
                f'"{name}" is read with its `peerKubeconfig`, whose credentials this program does not make',
                "replace them where they come from, or take `peerKubeconfig` out",
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


RULES = (always_due, short_margin, nobody, ignored)
