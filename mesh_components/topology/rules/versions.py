"""Istio versions: which this library knows, and which have a bug or a limit that this mesh meets.

The facts are in `topology.versions`."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.topology.rules.context import Context, error, quoted, versions, warning
from mesh_components.topology.versions import (
    AMBIENT_BETA,
    AMBIENT_FIRST,
    AS_OF,
    RELEASES,
    Version,
    ambient_over_networks,
    bugs,
    parse,
    release,
    text,
)


def known_version(context: Context) -> Iterator[Finding]:
    """MESH401."""
    for place, stated in _stated(context).items():
        version = parse(stated)
        if version is None:
            yield error(
                "MESH401",
                place,
                f"{quoted(stated)} is no version of Istio; the charts are looked up by exactly this text",
                "write all three numbers without a v, such as 1.30.4",
            )
        elif release(version) is None:
            known = ", ".join(item.name for item in RELEASES)
            yield warning(
                "MESH401",
                place,
                f"{quoted(stated)} is outside of what this library was written for ({known}); its charts may not know "
                "the values they are given, and unknown values are ignored in silence",
                f"use one of {known}, or compare the preview with care",
            )


def known_bugs(context: Context) -> Iterator[Finding]:
    """MESH402. Bugs of istiod and of the proxies, so of the revisions; the CRDs have none."""
    for place, version in _running(context).items():
        for bug, fixed in bugs(version, context.mesh):
            yield warning(
                "MESH402",
                place,
                f"Istio {text(version)} has a bug: {bug.effect} ({bug.issue})",
                f"use {text(fixed)} or later",
            )


def too_early(context: Context) -> Iterator[Finding]:
    """MESH402, ambient over several networks."""
    if not ambient_over_networks(context.mesh):
        return
    for place, version in _running(context).items():
        if version[:2] < AMBIENT_FIRST:
            yield error(
                "MESH402",
                place,
                f"Istio {text(version)} has no ambient over several networks; each cluster would know only itself",
                f"use {text(AMBIENT_BETA)} or later, or sidecars",
            )
        elif version[:2] < AMBIENT_BETA:
            yield warning(
                "MESH402",
                place,
                f"ambient over several networks is alpha in Istio {text(version)}, not for production",
                f"use {text(AMBIENT_BETA)} or later, where it is beta",
            )


def unsupported(context: Context) -> Iterator[Finding]:
    """MESH421 (https://istio.io/latest/docs/releases/supported-releases/#support-policy)."""
    if context.mesh.istio.install == "none":
        return
    newest = [item.name for item in RELEASES if item.supported]
    for place, stated in _stated(context).items():
        version = parse(stated)
        known = release(version) if version else None
        if known and known.ends and not known.supported:
            yield warning(
                "MESH421",
                place,
                f"support for Istio {known.name} ended on {known.ends}; holes that are found in it stay open",
                f"upgrade to {' or '.join(newest)} (as of {AS_OF})",
            )


def _stated(context: Context) -> dict[str, str]:
    """Every version in the document, by place: that of the CRDs, and those of the revisions."""
    return {"istio.version": context.mesh.istio.version, **dict(versions(context))}


def _running(context: Context) -> dict[str, Version]:
    """The versions of the revisions, by place."""
    return {place: version for place, stated in versions(context) if (version := parse(stated))}


RULES = (known_version, known_bugs, too_early, unsupported)
