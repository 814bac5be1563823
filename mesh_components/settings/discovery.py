"""Discovery: which istiod reads which cluster, and how the credentials for it are packed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mesh_components.settings.base import Settings


class EdgeSettings(Settings):
    """`reader`'s istiod reads services and endpoints of `source`."""

    source: str
    reader: str


class TokenSettings(Settings):
    """With what istiods authenticate to the clusters that they read."""

    kind: Literal["long-lived", "requested"] = "long-lived"
    """`long-lived`: from a Secret that Kubernetes fills, as istioctl makes them; it ends when that Secret is deleted.
    `requested`: from the TokenRequest API, with an end; `up` renews it."""
    lifetime_hours: Annotated[int, Field(ge=1)] = 720
    """Of a requested token. The API server may grant less."""
    renew_before_hours: Annotated[int, Field(ge=1)] = 240
    """An `up` in the last hours of a requested token gets another one; the old one stays valid until its end."""
    serials: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """By cluster that is read; 1 where left out. A higher one makes a token of another Secret, and the Secret before,
    when it goes, takes every token of it along."""
    keep_previous: bool = False
    """The token of the serial before stays valid until this is taken out."""


class MountedSettings(Settings):
    """Where istiod finds kubeconfigs that somebody else puts there: an agent, a CSI driver, another program."""

    volume: dict[str, Any]
    """The volume of istiod's pods, as Kubernetes writes its source: `{secret: {secretName: ...}}`, `{csi: {...}}`,
    `{projected: {...}}`."""
    path: str = "/var/run/secrets/mesh/clusters"
    """Where it is mounted. istiod reads the files whose names end in `.yaml` or `.yml`."""


class DiscoverySettings(Settings):
    """Who sees whom. A remote is always read by the cluster that serves it."""

    reach: Literal["full", "hub-and-spoke", "edges"] = "full"
    """`full`: every istiod reads every other cluster. `hub-and-spoke`: the hubs read all and are read by all. `edges`:
    those that are listed."""
    hubs: tuple[str, ...] = ()
    """Names of the hubs."""
    edges: tuple[EdgeSettings, ...] = ()
    """The pairs, each in one direction."""
    secrets: Literal["separate", "bundled", "mounted"] = "separate"
    """`separate`: one Secret per pair, as istioctl makes them. `bundled`: one Secret per reader with a key for each
    source, so that N clusters need N Secrets and not N x N. `mounted`: none; istiod reads a folder."""
    mounted: MountedSettings | None = None
    """That folder, with `secrets: mounted`."""
    account: Literal["chart", "own"] = "chart"
    """With which clusters are read. `chart`: the one that Istio's charts bring. `own`: one of this program, with no
    more rights than istiod asks for."""
    tokens: TokenSettings = TokenSettings()
