"""Discovery: which istiod reads which cluster, and how the credentials for it are packed."""

from __future__ import annotations

from typing import Literal

from mesh_components.settings.base import Settings


class EdgeSettings(Settings):
    """`reader`'s istiod reads services and endpoints of `source`."""

    source: str
    reader: str


class DiscoverySettings(Settings):
    """Who sees whom. A remote is always read by the cluster that serves it."""

    reach: Literal["full", "hub-and-spoke", "edges"] = "full"
    """`full`: every istiod reads every other cluster. `hub-and-spoke`: the hubs read all and are read by all. `edges`:
    those that are listed."""
    hubs: tuple[str, ...] = ()
    """Names of the hubs."""
    edges: tuple[EdgeSettings, ...] = ()
    """The pairs, each in one direction."""
    secrets: Literal["separate", "bundled"] = "separate"
    """`separate`: one Secret per pair, as istioctl makes them. `bundled`: one Secret per reader with a key for each
    source, so that N clusters need N Secrets and not N x N."""
