"""The mesh's certificates: one root, one signing certificate per cluster, and how both change over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mesh_components.settings.base import Settings
from mesh_components.settings.source import SourceSettings

KeyAlgorithm = Literal["ECDSA-P256", "RSA-4096"]
Serial = Annotated[int, Field(ge=1)]


class RotationSettings(Settings):
    """The way from the root to the next one; left out, there is one root."""

    phase: Literal["add", "switch", "retire"]
    """`add`: everybody trusts both. `switch`: the new one signs. `retire`: the old one is not trusted any more."""
    source: SourceSettings | None = None
    """Where the new root comes from; left out, the program makes it. In the end it takes the place of `source`."""


class TrustSettings(Settings):
    """How the root and the intermediates are made, and which of them."""

    algorithm: KeyAlgorithm = "ECDSA-P256"
    root_validity_days: Annotated[int, Field(ge=1)] = 3650
    intermediate_validity_days: Annotated[int, Field(ge=1)] = 730
    source: SourceSettings | None = None
    """Where the root comes from; left out, the program makes it."""
    organization: str | None = None
    """`O=` of the subjects; the mesh id when left out."""
    protect_root: bool = True
    """The root refuses to be deleted or replaced: a new one breaks trust in every cluster at once."""
    root_serial: Serial = 1
    """Generation of the root; the next one is reached through the phases of `rotation`, and in no other way."""
    intermediate_serials: Mapping[str, Serial] = Field(default_factory=dict)
    """By cluster; a higher number makes a new signing certificate with a new key, and a new server certificate where an
    external istiod has one."""
    multi_root: bool = False
    """istiod and proxies take more than one root (`ISTIO_MULTIROOT_MESH`, `PROXY_CONFIG_XDS_AGENT`)."""
    rotation: RotationSettings | None = None
    warn_days_before: Annotated[int, Field(ge=0)] = 60
    """A certificate that ends sooner is warned of at every preview."""
