"""From one root to the next: which generations of the root there are in each phase, who is trusted, and who signs.

The way is (n, steady) -> (n, add) -> (n, switch) -> (n, retire) -> (n + 1, steady). Between two neighbours on it all
clusters trust each other, whichever of them have been updated: each trusts what the others sign with. Between others
they do not, so no phase may be skipped (https://github.com/istio/istio/issues/50420).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Phase = Literal["steady", "add", "switch", "retire"]
PHASES: tuple[Phase, ...] = ("steady", "add", "switch", "retire")


@dataclass(frozen=True)
class Generations:
    """The roots of a mesh, by their number."""

    made: tuple[int, ...]
    """Those that the program has, oldest first."""
    trusted: tuple[int, ...]
    """Those in `root-cert.pem` and in the bundles of webhooks."""
    signer: int
    """The one under which certificates are made."""
    protected: tuple[int, ...]
    """Those that refuse to be deleted. An old one that nobody trusts any more is not among them, so that it can go."""


def generations(serial: int, phase: Phase = "steady") -> Generations:
    """What there is while the document says this root and this phase."""
    old, new = serial, serial + 1
    if phase == "steady":
        return Generations((old,), (old,), old, (old,))
    if phase == "retire":
        return Generations((old, new), (new,), new, (new,))
    return Generations((old, new), (old, new), old if phase == "add" else new, (old, new))
