"""What follows from `traffic`: names of hosts and objects, subsets, and what the document itself serves.

Pure, and without Istio's types: the rules look at it, and `services.led` builds from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mesh_components.settings import MeshSettings
from mesh_components.settings.traffic import RouteSettings, TrafficSettings
from mesh_components.topology.applications import SERVICES, places, stated
from mesh_components.topology.meshes import SERVICE_DOMAIN, full_host

CLUSTER_LABEL = "topology.istio.io/cluster"
"""Which cluster an endpoint is in. istiod puts it on endpoints; nobody sets it
(https://istio.io/latest/docs/reference/config/labels/#TopologyCluster)."""

Labels = Mapping[str, str]


def namespace_of(host: str) -> str | None:
    """Of the Service that a host is; None for hosts outside of Kubernetes."""
    full = full_host(host)
    if not full.endswith(SERVICE_DOMAIN):
        return None
    return full.removesuffix(SERVICE_DOMAIN).partition(".")[2]


def object_name(host: str) -> str:
    """Of the objects that are about a host: the Service's name, or a host outside of Kubernetes in full."""
    return full_host(host).partition(".")[0] if namespace_of(host) else host


def subsets(service: TrafficSettings, clusters: Iterable[str]) -> dict[str, Labels]:
    """All subsets of a service by name; one of its own wins over that of a cluster with the same name."""
    by_cluster = {name: {CLUSTER_LABEL: name} for name in clusters}
    return {**(by_cluster if service.subset_per_cluster else {}), **service.subsets}


def targets(route: RouteSettings) -> Iterator[tuple[str, str]]:
    """The subsets that a route names, each with the place in the route that names it."""
    if isinstance(route.to, str):
        yield "to", route.to
    if isinstance(route.to, dict):
        yield from ((f"to.{name}", name) for name in route.to)
    if route.mirror is not None:
        yield "mirror.to", route.mirror.to


def served(mesh: MeshSettings) -> dict[str, tuple[Labels, ...]]:
    """What the document itself runs, by host: the labels of the endpoints that there will be."""
    found: dict[str, tuple[Labels, ...]] = {}
    for name, settings in stated(mesh):
        where = places(mesh, name)
        for service, versions in SERVICES[name].items():
            found[full_host(f"{service}.{settings.namespace}")] = tuple(
                {"app": service, "version": version.rpartition("-")[2], CLUSTER_LABEL: cluster}
                for version in versions
                for cluster in where[version]
            )
    return found


def has(endpoint: Labels, labels: Labels) -> bool:
    """Whether an endpoint has the labels, as far as the document knows: those of which it says nothing may be there."""
    return all(endpoint[key] == value for key, value in labels.items() if key in endpoint)
