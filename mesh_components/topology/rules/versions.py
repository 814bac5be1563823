"""Istio versions: which this library knows, and which have a bug that a mesh of several clusters meets.

The table holds what Istio's release notes say was fixed (https://istio.io/latest/news/releases/), nothing from hearsay.
Not in it: webhooks whose failurePolicy charts before 1.28.6 and 1.29.2 reset (istio#59367), since those charts too keep
`Fail` where they are given the CA bundle, and here they always are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mesh_components.settings import Finding, MeshSettings
from mesh_components.topology.rules.context import Context, error, quoted, warning

Version = tuple[int, int, int]

KNOWN_MINORS = ((1, 28), (1, 29), (1, 30), (1, 31))

_VERSION = re.compile(r"(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})(-[0-9A-Za-z.-]+)?", re.ASCII)


@dataclass(frozen=True)
class KnownBug:
    """A bug in the releases from `first` to before `fixed`, and whom it meets."""

    first: Version
    fixed: Version
    effect: str
    issue: str
    meets: Callable[[MeshSettings], bool]


def _rotates(mesh: MeshSettings) -> bool:
    """Whether discovery credentials change while istiod runs: a reader's token does not, another's may."""
    return len(mesh.clusters) > 1 and any(cluster.peer_kubeconfig for cluster in mesh.clusters)


KNOWN_BUGS = (
    KnownBug(
        (1, 30, 0),
        (1, 30, 3),
        "after a remote secret is rotated istiod may keep what it knew of that cluster until it is restarted",
        "istio#60612",
        _rotates,
    ),
    KnownBug(
        (1, 30, 0),
        (1, 30, 4),
        "after a remote secret is rotated the endpoints (istio#61043) and the network gateway of that cluster may be "
        "gone until istiod is restarted",
        "istio#60920",
        _rotates,
    ),
)


def parse(text: str) -> Version | None:
    """`1.30.4` or `1.31.0-rc.0` as numbers; None where it is no version."""
    match = _VERSION.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def known_version(context: Context) -> Iterator[Finding]:
    """MESH401."""
    text = context.mesh.istio.version
    version = parse(text)
    if version is None:
        yield error(
            "MESH401",
            "istio.version",
            f"{quoted(text)} is no version of Istio; the charts are looked up by exactly this text",
            "write all three numbers without a v, such as 1.30.4",
        )
    elif version[:2] not in KNOWN_MINORS:
        known = ", ".join(f"{major}.{minor}" for major, minor in KNOWN_MINORS)
        yield warning(
            "MESH401",
            "istio.version",
            f"{quoted(text)} is outside of what this library was written for ({known}); its charts may not know the "
            "values they are given, and unknown values are ignored in silence",
            f"use one of {known}, or compare the preview with care",
        )


def known_bugs(context: Context) -> Iterator[Finding]:
    """MESH402."""
    version = parse(context.mesh.istio.version)
    for bug in KNOWN_BUGS:
        if version and bug.first <= version < bug.fixed and bug.meets(context.mesh):
            yield warning(
                "MESH402",
                "istio.version",
                f"Istio {context.mesh.istio.version} has a bug: {bug.effect} ({bug.issue})",
                f"use {'.'.join(map(str, bug.fixed))} or later",
            )


RULES = (known_version, known_bugs)
