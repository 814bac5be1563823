"""From `traffic` in the document to Istio's resources: at most two for each service. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mesh_components.istio.destination_rule import DestinationRule, TrafficPolicy
from mesh_components.istio.model import IstioResource
from mesh_components.istio.virtual_service import HTTPRoute, HTTPRouteDestination, VirtualService
from mesh_components.services import traffic
from mesh_components.settings.traffic import RouteSettings, TrafficSettings
from mesh_components.topology.meshes import full_host
from mesh_components.topology.traffic import namespace_of, object_name, subsets


def resources(
    services: Iterable[TrafficSettings], clusters: Sequence[str], root_namespace: str
) -> Iterator[DestinationRule | VirtualService]:
    """What a cluster that holds configuration gets, in the order of the document.

    Args:
        services: the document's `traffic`.
        clusters: names of all clusters with workloads, for subsets by cluster.
        root_namespace: where rules for hosts outside of Kubernetes go.
    """
    for service in services:
        name, host = object_name(service.host), full_host(service.host)
        namespace = service.namespace or namespace_of(service.host) or root_namespace
        parts = traffic.subsets(subsets(service, clusters))
        policy = _policy(service)
        if parts or policy is not None:
            yield traffic.destination_rule(name, namespace, host, subsets=parts, policy=policy)
        if service.routes:
            routes = [_route(host, route) for route in service.routes]
            yield traffic.virtual_service(name, namespace, host, routes)


def hosts(resource: IstioResource) -> list[str]:
    """Those that a resource is about; none for kinds that are about workloads."""
    if isinstance(resource, DestinationRule) and resource.spec:
        return [resource.spec.host]
    return (resource.spec.hosts or []) if isinstance(resource, VirtualService) and resource.spec else []


def _policy(service: TrafficSettings) -> TrafficPolicy | None:
    balancer = traffic.balance(service.load_balancer) if service.load_balancer else None
    if service.sticky is not None:
        balancer = traffic.sticky(service.sticky)
    policy = TrafficPolicy(
        load_balancer=balancer,
        connection_pool=service.connection_pool,
        outlier_detection=service.outlier_detection,
    )
    if service.failover is not None:
        return traffic.with_failover(policy, regions=service.failover.regions, priority=service.failover.priority)
    return policy if policy.document() else None


def _route(host: str, route: RouteSettings) -> HTTPRoute:
    return HTTPRoute(
        name=route.name,
        match=list(route.match) or None,
        route=_destinations(host, route),
        rewrite=route.rewrite,
        timeout=route.timeout,
        retries=route.retries,
        fault=route.fault,
        mirrors=traffic.mirror(host, route.mirror.to, route.mirror.percent) if route.mirror else None,
    )


def _destinations(host: str, route: RouteSettings) -> list[HTTPRouteDestination]:
    if isinstance(route.to, dict):
        return traffic.split(host, route.to)
    return traffic.to(host, route.to)
