"""Discovery: who reads whom, as the document restricts it. What a reader must know to use it is in `gateways`."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.topology.edges import readers
from mesh_components.topology.roles import is_member, runs_istiod
from mesh_components.topology.rules.context import Context, at, error, quoted, warning


def unknown(context: Context) -> Iterator[Finding]:
    """MESH701."""
    for place, name in _names(context):
        if context.index(name) is None:
            yield error(
                "MESH701",
                place,
                f"no cluster is called {quoted(name)}, so nobody reads anybody because of this",
                "write the name of a cluster of the mesh",
            )


def impossible(context: Context) -> Iterator[Finding]:
    """MESH702."""
    by_name = {cluster.name: cluster for cluster in context.mesh.clusters}
    for index, name in enumerate(context.mesh.discovery.hubs):
        hub = by_name.get(name)
        if hub and not runs_istiod(hub):
            yield _no_istiod(f"discovery.hubs[{index}]", hub)
    for index, edge in enumerate(context.mesh.discovery.edges):
        source, reader = by_name.get(edge.source), by_name.get(edge.reader)
        if edge.source == edge.reader:
            yield error(
                "MESH702",
                f"discovery.edges[{index}]",
                f"{quoted(edge.source)} would read itself, which every istiod does without being told",
                "name two clusters, or take the pair out",
            )
            continue
        if reader and not runs_istiod(reader):
            yield _no_istiod(f"discovery.edges[{index}].reader", reader)
        if source and not is_member(source):
            yield error(
                "MESH702",
                f"discovery.edges[{index}].source",
                f'"{source.name}" is an external control plane: there are no workloads of the mesh to read of',
                "name the clusters it serves",
            )


def _no_istiod(place: str, cluster: ClusterSettings) -> Finding:
    return error(
        "MESH702",
        place,
        f'"{cluster.name}" has the role {cluster.role} and runs no istiod that could read another cluster',
        "name the cluster whose istiod serves it",
    )


def nobody(context: Context) -> Iterator[Finding]:
    """MESH703."""
    discovery = context.mesh.discovery
    istiods = sum(map(runs_istiod, context.mesh.clusters))
    if discovery.reach == "hub-and-spoke" and not discovery.hubs:
        yield error(
            "MESH703",
            "discovery.hubs",
            "the reach is hub-and-spoke and no cluster is a hub, so no istiod reads another cluster",
            "name at least one hub, or use the reach full",
        )
    if discovery.reach == "edges" and not discovery.edges and istiods > 1:
        yield warning(
            "MESH703",
            "discovery.edges",
            "the reach is edges and there are none, so the clusters share their root and know nothing of each other",
            "list the pairs, or use the reach full; or go on if they are to be apart",
        )


def ignored(context: Context) -> Iterator[Finding]:
    """MESH704."""
    discovery = context.mesh.discovery
    for key, stated, reach in (("hubs", discovery.hubs, "hub-and-spoke"), ("edges", discovery.edges, "edges")):
        if stated and discovery.reach != reach:
            yield warning(
                "MESH704",
                f"discovery.{key}",
                f"with the reach {discovery.reach} nobody looks at `{key}`",
                f"set `discovery.reach: {reach}`, or take `{key}` out",
            )


def isolated(context: Context) -> Iterator[Finding]:
    """MESH705."""
    mesh = context.mesh
    if mesh.discovery.reach != "edges" or not mesh.discovery.edges:
        return
    reading = {reader.name for cluster in mesh.clusters for reader in readers(mesh, cluster)}
    for index, cluster in context.clusters():
        if not readers(mesh, cluster) and cluster.name not in reading:
            yield warning(
                "MESH705",
                at(index, "name"),
                f'no pair names "{cluster.name}": nobody reads it and it reads nobody, so its services are its own',
                "add a pair with it to `discovery.edges`, or go on if it is to be apart",
            )


def _names(context: Context) -> Iterator[tuple[str, str]]:
    discovery = context.mesh.discovery
    yield from ((f"discovery.hubs[{n}]", name) for n, name in enumerate(discovery.hubs))
    for index, edge in enumerate(discovery.edges):
        yield f"discovery.edges[{index}].source", edge.source
        yield f"discovery.edges[{index}].reader", edge.reader


RULES = (unknown, impossible, nobody, ignored, isolated)
