"""The address plan: where clusters that are made here get their ranges from, if the document does not write them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mesh_components.settings.base import Settings


class AddressSettings(Settings):
    """A pool in equal slots, one a cluster. Changing it moves every cluster that takes ranges from it, which replaces
    it."""

    pool: str = "10.0.0.0/8"
    """IPv4 CIDR that the slots are cut from."""
    cluster_prefix: Annotated[int, Field(ge=8, le=24)] = 15
    """Prefix length of a slot: half of it for pods, a quarter for nodes, an eighth for services."""
