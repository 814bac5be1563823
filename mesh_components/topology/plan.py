"""What follows from a document: which cluster has which part, who reads whom, which doors are needed.

Everything that is counted or named is decided here; components build what is decided and do not decide themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from mesh_components.settings import ClusterSettings, MeshSettings


@dataclass(frozen=True, order=True)
class Edge:
    """`reader`'s istiod reads services and endpoints from `source`'s API server, so it holds a secret about it."""

    source: str
    reader: str

    def __str__(self) -> str:
        return f"{self.source} -> {self.reader}"


@dataclass(frozen=True)
class ClusterPlan:
    """One cluster's part."""

    settings: ClusterSettings
    creates_namespace: bool
    """False: the root namespace exists already and only gets its network label."""
    east_west: bool
    """True: other networks come in through an east-west gateway."""
    source: bool
    """True: a peer reads this cluster, so it needs a reader's token."""

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.settings.name


@dataclass(frozen=True)
class Topology:
    """The whole mesh, decided."""

    mesh: MeshSettings
    clusters: tuple[ClusterPlan, ...]
    edges: tuple[Edge, ...]
    """Ordered pairs, sorted; none has itself."""

    def cluster(self, name: str) -> ClusterPlan:
        """The cluster of that name. Raises KeyError."""
        for plan in self.clusters:
            if plan.name == name:
                return plan
        raise KeyError(name)


def plan(mesh: MeshSettings) -> Topology:
    """Decide the mesh. Expects a document without error findings (`topology.findings`)."""
    edges = tuple(
        sorted(Edge(source.name, reader.name) for source in mesh.clusters for reader in readers(mesh, source))
    )
    sources = {edge.source for edge in edges}
    return Topology(
        mesh=mesh,
        clusters=tuple(_cluster(mesh, cluster, cluster.name in sources) for cluster in mesh.clusters),
        edges=edges,
    )


def networks(mesh: MeshSettings) -> tuple[str, ...]:
    """The networks of the mesh, each once, in the order of the document."""
    return tuple(dict.fromkeys(cluster.network for cluster in mesh.clusters))


def readers(mesh: MeshSettings, source: ClusterSettings) -> tuple[ClusterSettings, ...]:
    """The clusters whose istiod reads `source`: every other primary."""
    return tuple(c for c in mesh.clusters if c.name != source.name and c.role == "primary")


def needs_east_west(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether the cluster has an east-west gateway: as the document says, else where there are several networks."""
    enabled = cluster.east_west.enabled
    return len(networks(mesh)) > 1 if enabled is None else enabled


def _cluster(mesh: MeshSettings, cluster: ClusterSettings, source: bool) -> ClusterPlan:
    default = "create" if mesh.istio.install == "charts" else "patch"
    return ClusterPlan(
        settings=cluster,
        creates_namespace=(cluster.namespace or default) == "create",
        east_west=needs_east_west(mesh, cluster),
        source=source,
    )
