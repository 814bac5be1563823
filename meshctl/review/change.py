"""What the rules about risks look at, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from mesh_components.settings import ClusterSettings, MeshSettings
from meshctl.rows import Row

Level = Literal["high", "medium"]


@dataclass(frozen=True)
class Risk:
    """One remark. `high`: requests may fail, or something cannot be taken back."""

    level: Level
    what: str
    why: str
    page: str
    """Where the documentation tells more."""

    def as_json(self) -> Mapping[str, str]:
        """The risk for machines."""
        return {"level": self.level, "what": self.what, "why": self.why, "page": self.page}


@dataclass(frozen=True)
class Change:
    """What the rules look at. Both documents are free of errors."""

    before: MeshSettings
    after: MeshSettings
    rows: tuple[Row, ...]
    protected: frozenset[str] = field(default=frozenset())
    """URNs of what was protected before."""

    def touched(self, *ops: str, kind: str = "", type_: str = "") -> list[Row]:
        """Rows by operation and the end of their type."""
        return [row for row in self.rows if row.op in ops and row.type.endswith(kind) and row.type.startswith(type_)]

    def both(self) -> Iterator[tuple[ClusterSettings, ClusterSettings]]:
        """Clusters that are on both sides."""
        olds = {cluster.name: cluster for cluster in self.before.clusters}
        for new in sorted(self.after.clusters, key=lambda cluster: cluster.name):
            if new.name in olds:
                yield olds[new.name], new
