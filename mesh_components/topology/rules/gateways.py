"""East-west gateways, without which two networks never meet: whether there is one, and whether peers find it.

What a gateway has to offer beyond that, to remotes on their way to istiod, is in `exposure`.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import ClusterSettings, Finding, MeshSettings
from mesh_components.topology.edges import readers
from mesh_components.topology.plan import needs_ambient_gateway, needs_east_west, networks
from mesh_components.topology.roles import is_member, members, served_by
from mesh_components.topology.rules.context import Context, at, clusters_named, error, warning

NODE_SELECTOR = "traffic.istio.io/nodeSelector"
"""https://istio.io/latest/docs/reference/config/annotations/#TrafficNodeSelector"""


def has_gateway(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether the cluster lets other networks in, by each data plane of the mesh."""
    sidecars = mesh.istio.data_plane == "ambient" or needs_east_west(mesh, cluster)
    ambient = mesh.istio.data_plane == "sidecar" or needs_ambient_gateway(mesh, cluster)
    return sidecars and ambient


def no_gateway(context: Context) -> Iterator[Finding]:
    """MESH207. istiod takes endpoints of a network without a known gateway for directly reachable, so calls time out
    (https://istio.io/latest/docs/setup/install/multicluster/multi-primary_multi-network/). It knows the gateways of the
    clusters it reads, and no others."""
    mesh = context.mesh
    if len(networks(mesh)) <= 1:
        return
    for index, cluster in context.clusters():
        if not is_member(cluster) or has_gateway(mesh, cluster) or cluster.network in _told(mesh):
            continue
        place, fix = at(index, "eastWest.enabled"), "leave `eastWest.enabled` out, or set it to true"
        others = [c for c in members(mesh) if c.network == cluster.network and has_gateway(mesh, c)]
        strangers = tuple(reader for reader in context.readers(index) if _lacks_gateway(mesh, reader, cluster))
        if not others:
            reason = (
                f'no cluster of network "{cluster.network}" has an east-west gateway; the other networks would call '
                "its pods by addresses they cannot reach, and time out"
            )
            yield error("MESH207", place, reason, fix)
        elif strangers:
            reason = (
                f'the istiod of {clusters_named(strangers)} reads "{cluster.name}", and no cluster of network '
                f'"{cluster.network}" that has an east-west gateway; its proxies would call pods there by addresses '
                "they cannot reach, and time out"
            )
            yield error("MESH207", place, reason, f'{fix}; or let `discovery` have it read "{others[0].name}" too')
        else:
            reason = (
                f'other networks reach "{cluster.name}" only through the gateway of "{others[0].name}", and no longer '
                "when that one is gone"
            )
            yield warning("MESH207", place, reason, fix)


def _lacks_gateway(mesh: MeshSettings, reader: ClusterSettings, source: ClusterSettings) -> bool:
    """Whether proxies of `reader`'s istiod are in other networks than `source`, and it knows no gateway there."""
    own = [c for c in (reader, *served_by(mesh, reader)) if is_member(c)]
    away = any(c.network != source.network for c in own)
    read = [c for c in mesh.clusters if reader.name in {r.name for r in readers(mesh, c)}]
    return away and not any(c.network == source.network and has_gateway(mesh, c) for c in (*own, *read))


def hidden(context: Context) -> Iterator[Finding]:
    """MESH208. istiod finds gateways by their load balancer's address, or by node where the annotation selects nodes
    (istio/istio pilot/pkg/serviceregistry/kube/controller/network.go; istio#49045). Those of ambient it finds by
    `Gateway.status.addresses`, where only a load balancer leaves an address that others reach
    (pilot/pkg/serviceregistry/ambient/networks.go)."""
    mesh = context.mesh
    if len(networks(mesh)) <= 1:
        return
    ambient = mesh.istio.data_plane != "sidecar"
    for index, cluster in context.clusters():
        gateway = cluster.east_west
        if not has_gateway(mesh, cluster) or cluster.network in _told(mesh):
            continue
        if gateway.external_ips and not ambient:
            continue
        if gateway.service_type == "ClusterIP" or (ambient and gateway.service_type == "NodePort"):
            yield error(
                "MESH208",
                at(index, "eastWest.serviceType"),
                f"a gateway with a Service of type {gateway.service_type} has no address outside of its cluster"
                f"{' that ambient finds' if ambient else ''}, so peers do not find it and calls to this network time "
                "out",
                f"use LoadBalancer{'' if ambient else f', write `externalIps`, or NodePort with {NODE_SELECTOR}'}",
            )
        elif gateway.service_type == "NodePort" and NODE_SELECTOR not in gateway.annotations:
            yield error(
                "MESH208",
                at(index, "eastWest.annotations"),
                "peers use a gateway of type NodePort only when its Service says which nodes to use, so calls to this "
                "network time out",
                f"add the annotation {NODE_SELECTOR}, '{{}}' for all nodes that have an external address",
            )


def replicas(context: Context) -> Iterator[Finding]:
    """MESH209. The API server refuses such an autoscaler."""
    pilot = context.mesh.istio.pilot
    sizes = [("istio.pilot.minReplicas", pilot.min_replicas, pilot.max_replicas)]
    for place, _, gateway in context.gateways():
        sizes.append((f"{place}.minReplicas", gateway.min_replicas, gateway.max_replicas))
    for place, low, high in sizes:
        if low > high:
            yield error(
                "MESH209",
                place,
                f"minReplicas {low} is more than maxReplicas {high}; the API server refuses such an autoscaler",
                f"set maxReplicas to {low} or more, or minReplicas to {high} or less",
            )


def _told(mesh: MeshSettings) -> set[str]:
    """Networks whose gateways `meshNetworks` names, so that they need not be found. Ambient does not look there."""
    if mesh.istio.data_plane != "sidecar":
        return set()
    return {name for name, network in mesh.istio.mesh_networks.items() if network.gateways}


RULES = (no_gateway, hidden, replicas)
