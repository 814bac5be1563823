"""Istio's versions: what is known of each, and which bugs a mesh of several clusters meets.

The table holds what Istio's own pages say, nothing from hearsay: the support status
(https://istio.io/latest/docs/releases/supported-releases/), the announcements of the releases
(https://istio.io/latest/news/releases/) and of their ends (https://istio.io/latest/news/support/), as of `AS_OF`.
docs/versions.md is the same table for people; a test compares the two.

Not in it, since this library does not meet them: webhooks whose failurePolicy charts before 1.28.6 and 1.29.2 reset
(istio#59367; given the CA bundle, as here, those charts keep `Fail` too), and an istiod that says it is ready before
its webhooks answer (istio#61049; the first Istio resource waits for the webhook itself).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from mesh_components.settings import MeshSettings
from mesh_components.topology.plan import networks
from mesh_components.topology.roles import members, runs_istiod

Version = tuple[int, int, int]
Minor = tuple[int, int]
Stage = Literal["alpha", "beta"]

AS_OF = date(2026, 11, 22)
"""When the table was last compared with Istio's pages."""

LONGEST_JUMP = 2
"""Minors that a canary upgrade may go up at once (https://istio.io/latest/docs/setup/upgrade/canary/); one in place."""

AMBIENT_FIRST, AMBIENT_BETA = (1, 27), (1, 29)
"""Ambient over several networks exists, and is beta, from these on
(https://istio.io/latest/news/releases/1.29.x/announcing-1.29/change-notes/)."""

_VERSION = re.compile(r"(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})\.(0|[1-9]\d{0,3})(-[0-9A-Za-z.-]+)?", re.ASCII)
_MAJOR = 1000
_DEFAULT_TRUST_DOMAIN = "cluster.local"


@dataclass(frozen=True)
class Release:
    """One minor version."""

    minor: Minor
    released: date
    ends: date | None
    """The day support ended, or is announced to end; None where none is announced."""
    kubernetes: tuple[str, str]
    """First and last version of Kubernetes that it supports."""

    @property
    def name(self) -> str:
        """`1.30`."""
        return text(self.minor)

    @property
    def supported(self) -> bool:
        """Whether it was supported when the table was made. No clock is asked: the same document has the same
        findings tomorrow."""
        return self.ends is None or self.ends > AS_OF

    @property
    def ambient(self) -> Stage | None:
        """How far ambient over several networks is."""
        if self.minor < AMBIENT_FIRST:
            return None
        return "alpha" if self.minor < AMBIENT_BETA else "beta"


RELEASES = (
    Release((1, 27), date(2025, 8, 11), date(2026, 4, 7), ("1.29", "1.33")),
    Release((1, 28), date(2025, 11, 5), date(2026, 7, 1), ("1.30", "1.34")),
    Release((1, 29), date(2026, 2, 16), date(2026, 10, 12), ("1.31", "1.35")),
    Release((1, 30), date(2026, 5, 18), None, ("1.32", "1.36")),
    Release((1, 31), date(2026, 8, 31), None, ("1.32", "1.36")),
)


@dataclass(frozen=True)
class KnownBug:
    """A bug, the releases that have it, and whom it meets."""

    issue: str
    ranges: tuple[tuple[Version, Version], ...]
    """From the first release that has it to the first that does not."""
    effect: str
    whom: str
    """`meets` in words."""
    meets: Callable[[MeshSettings], bool]

    def fixed(self, version: Version) -> Version | None:
        """The release that fixes it for `version`; None where `version` does not have it."""
        return next((end for first, end in self.ranges if first <= version < end), None)


def _rotates(mesh: MeshSettings) -> bool:
    """Whether discovery credentials change while istiod runs."""
    tokens = mesh.discovery.tokens
    ours = tokens.kind == "requested" or tokens.keep_previous or any(serial > 1 for serial in tokens.serials.values())
    return len(mesh.clusters) > 1 and (ours or not all(cluster.reads_with_token for cluster in mesh.clusters))


def _ambient(mesh: MeshSettings) -> bool:
    return mesh.istio.data_plane != "sidecar" and len(members(mesh)) > 1


def ambient_over_networks(mesh: MeshSettings) -> bool:
    """Whether ambient has to cross networks."""
    return mesh.istio.data_plane != "sidecar" and len(networks(mesh)) > 1


ROTATES = ("meshes whose tokens are requested or replaced, or that are read with what others rotate", _rotates)
AMBIENT = ("ambient in several clusters", _ambient)
AMBIENT_NETWORKS = ("ambient over several networks", ambient_over_networks)

KNOWN_BUGS = (
    KnownBug(
        "istio#57878",
        (((1, 27, 0), (1, 29, 0)),),
        "sidecars are sent to the ambient east-west gateways of other networks, which they cannot talk to, so that a "
        "part of their requests ends in 503",
        "sidecars and ambient in one mesh, over several networks",
        lambda mesh: mesh.istio.data_plane == "mixed" and len(networks(mesh)) > 1,
    ),
    KnownBug(
        "istio#58047",
        (((1, 28, 0), (1, 28, 3)),),
        "when reading a remote cluster fails, istiod does not recover until it is restarted",
        *AMBIENT,
    ),
    KnownBug(
        "istio#58141",
        (((1, 28, 0), (1, 28, 1)),),
        "east-west gateways and waypoints get endpoints that they cannot use",
        *AMBIENT_NETWORKS,
    ),
    KnownBug(
        "istio#58427",
        (((1, 28, 0), (1, 28, 1)),),
        "connections between networks fail under a trust domain of one's own",
        "ambient over several networks with a `trustDomain`",
        lambda mesh: ambient_over_networks(mesh) and mesh.trust_domain != _DEFAULT_TRUST_DOMAIN,
    ),
    KnownBug(
        "istio#58630",
        (((1, 29, 0), (1, 29, 2)),),
        "the east-west gateway now and then sends a connection to the wrong service",
        *AMBIENT_NETWORKS,
    ),
    KnownBug(
        "istio#59153",
        (((1, 29, 0), (1, 29, 1)),),
        "istiod crashes while the clusters are upgraded one after the other",
        "several clusters with an istiod",
        lambda mesh: sum(map(runs_istiod, mesh.clusters)) > 1,
    ),
    KnownBug(
        "istio#59875",
        (((1, 29, 0), (1, 29, 3)),),
        "istiod may lock up when a remote secret changes",
        *ROTATES,
    ),
    KnownBug(
        "istio#60033",
        (((1, 29, 0), (1, 29, 7)), ((1, 30, 0), (1, 31, 1))),
        "istiod's memory grows each time a remote secret changes",
        "ambient in several clusters whose tokens change as above",
        lambda mesh: _ambient(mesh) and _rotates(mesh),
    ),
    KnownBug(
        "istio#60612",
        (((1, 30, 0), (1, 30, 3)),),
        "after a remote secret is rotated istiod may keep what it knew of that cluster until it is restarted",
        *ROTATES,
    ),
    KnownBug(
        "istio#60806",
        (((1, 29, 0), (1, 29, 6)), ((1, 30, 0), (1, 30, 3))),
        "the east-west gateway refuses all connections to a service that has an AuthorizationPolicy about requests",
        *AMBIENT_NETWORKS,
    ),
    KnownBug(
        "istio#60920",
        (((1, 30, 0), (1, 30, 4)),),
        "after a remote secret is rotated the endpoints (istio#61043) and the network gateway of that cluster may be "
        "gone until istiod is restarted",
        *ROTATES,
    ),
    KnownBug(
        "istio#61092",
        (((1, 29, 0), (1, 29, 7)), ((1, 30, 0), (1, 30, 4))),
        "ingress gateways pass the waypoint by on their way to another network, so its policies are not enforced",
        *AMBIENT_NETWORKS,
    ),
)
"""By issue. A range begins with the minor whose release notes, or whose issue, tell of the bug."""


def parse(version: str) -> Version | None:
    """`1.30.4` or `1.31.0-rc.0` as numbers; None where it is no version."""
    match = _VERSION.fullmatch(version)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def text(version: tuple[int, ...]) -> str:
    """`1.30.4`."""
    return ".".join(map(str, version))


def release(version: Version) -> Release | None:
    """The minor version it belongs to; None where it is not in the table."""
    return next((item for item in RELEASES if item.minor == version[:2]), None)


def apart(one: Version, other: Version) -> int:
    """How many minors lie between two versions; another major is further away than any minor."""
    return abs(one[1] - other[1]) + _MAJOR * abs(one[0] - other[0])


def bugs(version: Version, mesh: MeshSettings) -> tuple[tuple[KnownBug, Version], ...]:
    """The known bugs that this mesh meets with this version, each with the release that fixes it."""
    met = ((bug, bug.fixed(version)) for bug in KNOWN_BUGS if bug.meets(mesh))
    return tuple((bug, fixed) for bug, fixed in met if fixed is not None)
