"""From one root to the next: which generations of the root there are in each phase, who is trusted, and who signs.

The way is (n, steady) -> (n, add) -> (n, switch) -> (n, retire) -> (n + 1, steady). Between two neighbours on it all
clusters trust each other, whichever of them have been updated: each trusts what the others sign with. Between others
they do not, so no phase may be skipped (https://github.com/istio/istio/issues/50420).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mesh_components.settings.trust import TrustSettings

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
    """Those that refuse to be deleted. One that a step to either side takes away is not among them: nobody has signed
    with the new one yet, or nobody trusts the old one any more."""


@dataclass(frozen=True)
class Position:
    """Where a mesh is on the way."""

    serial: int
    phase: Phase
    multi_root: bool = True
    """Whether istiods and proxies take more than one root."""

    @property
    def steps(self) -> int:
        """How many steps from the very first root."""
        return (self.serial - 1) * len(PHASES) + PHASES.index(self.phase)

    @property
    def next(self) -> Position:
        """One step on."""
        return _at(self.steps + 1, multi_root=self.multi_root)

    @property
    def back(self) -> Position | None:
        """One step back; None at a root that came to stay: the one before it is gone."""
        return None if self.phase == "steady" else _at(self.steps - 1, multi_root=self.multi_root)

    def __str__(self) -> str:
        if self.phase == "steady":
            return f"root {self.serial}"
        return f"phase {self.phase} of root {self.serial} to {self.serial + 1}"


def position(trust: TrustSettings) -> Position:
    """Where the document says that the mesh is."""
    return Position(trust.root_serial, trust.rotation.phase if trust.rotation else "steady", trust.multi_root)


def gated(trust: TrustSettings) -> bool:
    """Whether the state keeps the phase: as soon as a document speaks of what a rotation needs."""
    return trust.multi_root or trust.rotation is not None or trust.root_serial > 1


def generations(serial: int, phase: Phase = "steady") -> Generations:
    """What there is while the document says this root and this phase."""
    old, new = serial, serial + 1
    if phase == "steady":
        return Generations((old,), (old,), old, (old,))
    if phase == "add":
        return Generations((old, new), (old, new), old, (old,))
    if phase == "switch":
        return Generations((old, new), (old, new), new, (old, new))
    return Generations((old, new), (new,), new, (new,))


def refusal(before: Position | None, after: Position) -> str:
    """Why a mesh cannot go from one position to another; empty where it can.

    Args:
        before: where it was applied last; None where nothing is known, as in a mesh that had no use for phases.
        after: where the document says it is.
    """
    if before is None:
        if after.steps == 0:
            return ""
        return (
            f"the document says {after}, and this stack has never been applied with trust.multiRoot at root 1: say "
            "`multiRoot: true` and nothing of a rotation, `up`, restart the proxies with `mesh restart`, and begin then"
        )
    if before.steps != after.steps:
        ways = [item for item in (before.next, before.back) if item]
        if after.steps not in [way.steps for way in ways]:
            return (
                f"the mesh is at {before}, and the document says {after}: clusters that are updated first would not "
                f"trust those that are not yet; from here {_listed(ways)}"
            )
        if after.phase != "steady" and not before.multi_root:
            return (
                f"the document says {after}, and trust.multiRoot was off until now: istiod would ignore the second "
                "root; turn it on alone, `up`, restart the proxies with `mesh restart`, and go on then"
            )
    if after.phase != "steady" and not after.multi_root:
        return f"at {after} trust.multiRoot must stay on: istiods and proxies would know one root only"
    return ""


def unfinished(before: Position, after: Position, entries: int) -> str:
    """Why the phases entered since the last one that was finished everywhere are too many; empty where they are not.

    One cluster may still be where each of them left it. Turning back at once is safe, since two neighbours are mixed;
    turning back and going on in that direction would mix three.

    Args:
        before: the last position that every cluster has reached.
        after: where the document says that the mesh is.
        entries: how often another phase was entered since.
    """
    distance = abs(before.steps - after.steps)
    if distance > 1 or entries <= 1 or (distance == 0 and entries == 2):
        return ""
    return (
        f"the mesh was at {before} in every cluster, and since then phases were entered that did not reach them all; "
        f"go back to {before}, let `up` finish, and go on then"
    )


def _at(steps: int, *, multi_root: bool) -> Position:
    return Position(steps // len(PHASES) + 1, PHASES[steps % len(PHASES)], multi_root)


def _listed(ways: Sequence[Position]) -> str:
    return "it goes " + " or ".join(
        f"{'on' if index == 0 else 'back'} to {way}{' (rootSerial)' * (way.phase == 'steady')}"
        for index, way in enumerate(ways)
    )
