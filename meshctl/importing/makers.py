"""Who has made an object, by its field managers: this library, or something else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Metadata = Mapping[str, Any]
OURS = ("mesh/", "pulumi-kubernetes")
"""What the names of this library's field managers begin with, on the local engine and on Pulumi."""


def others(metadata: Metadata) -> frozenset[str]:
    """Who has made it, where it is not ours. Whoever has written to an object that is ours does not count."""
    found = {str(entry.get("manager")) for entry in _entries(metadata)}
    return frozenset() if any(map(is_ours, found)) else frozenset(found or {"somebody"})


def created_by(metadata: Metadata) -> frozenset[str]:
    """Whose fields are as old as the object; empty where all of them were written later."""
    born = str(metadata.get("creationTimestamp", ""))
    return frozenset(str(entry.get("manager")) for entry in _entries(metadata) if str(entry.get("time", "")) <= born)


def is_ours(manager: str) -> bool:
    """Whether a field manager is this library."""
    return manager.startswith(OURS)


def _entries(metadata: Metadata) -> list[Mapping[str, Any]]:
    return [entry for entry in metadata.get("managedFields") or () if entry.get("subresource") != "status"]
