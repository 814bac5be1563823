"""The mesh's certificates: one root, one signing certificate per cluster."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mesh_components.settings.base import Settings
from mesh_components.settings.source import SourceSettings

KeyAlgorithm = Literal["ECDSA-P256", "RSA-4096"]


class TrustSettings(Settings):
    """How the root and the intermediates are made."""

    algorithm: KeyAlgorithm = "ECDSA-P256"
    root_validity_days: Annotated[int, Field(ge=1)] = 3650
    intermediate_validity_days: Annotated[int, Field(ge=1)] = 730
    source: SourceSettings | None = None
    """Where the root comes from; left out, the program makes it."""
    organization: str | None = None
    """`O=` of the subjects; the mesh id when left out."""
    protect_root: bool = True
    """The root refuses to be deleted or replaced: a new one breaks trust in every cluster at once."""
