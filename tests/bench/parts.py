"""Whose a resource is: the charts', an edge's, or our own; and the cluster that it is there for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

Part = Literal["own", "charts", "edges"]

CHARTS = frozenset(
    {"IstioBase", "DefaultValidator", "Istiod", "RemoteIstiod", "ExternalIstiod", "RevisionTag", "Cni", "Ztunnel"}
)
EDGES = frozenset({"RemoteSecret", "RemoteSecretBundle", "ConfigSecret"})


@dataclass(frozen=True)
class Made:
    """One resource, as a preview and a graph of mocks both know it."""

    name: str
    types: tuple[str, ...]
    """From the outermost component to its own."""

    @property
    def part(self) -> Part:
        """A component counts with what is in it."""
        kinds = {type_.rpartition(":")[2] for type_ in self.types}
        return "charts" if kinds & CHARTS else "edges" if kinds & EDGES else "own"

    @property
    def is_object(self) -> bool:
        """Whether it is something in a cluster; components, providers, keys and certificates are in the state only."""
        return self.types[-1].startswith("kubernetes:")

    def home(self, clusters: Collection[str]) -> str:
        """The cluster that it is there for, by its name; empty for what the mesh has once."""
        rest = self.name.removeprefix("mesh-").removeprefix("trust-")
        return max((name for name in clusters if f"{rest}-".startswith(f"{name}-")), key=len, default="")


def from_urn(urn: str) -> Made:
    """`urn:pulumi:stack::project::outer$inner::name`."""
    _, _, types, name = urn.split("::")
    return Made(name, tuple(types.split("$")))


def own(made: Iterable[Made], clusters: Collection[str]) -> tuple[Counter[str], Counter[str]]:
    """Resources of our own by cluster, and the objects among them; under the empty name what the mesh has once."""
    ours = [item for item in made if item.part == "own"]
    return (
        Counter(item.home(clusters) for item in ours),
        Counter(item.home(clusters) for item in ours if item.is_object),
    )
