"""Ways out of the mesh; and what both ways need of control planes and data planes."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.topology import meshes
from mesh_components.topology.outside import HTTPS, outside_port, subset
from mesh_components.topology.roles import is_member, served_by
from mesh_components.topology.rules.context import Context, at, clusters_named, error, quoted, warning
from mesh_components.topology.rules.ingress import HOST
from mesh_components.topology.rules.names import DNS_LABEL
from mesh_components.topology.waypoints import waypoints


def wildcard(context: Context) -> Iterator[Finding]:
    """MESH930 (https://istio.io/latest/docs/tasks/traffic-management/egress/wildcard-egress-hosts/)."""
    for index, cluster in context.clusters():
        for number, host in enumerate(cluster.egress.hosts if cluster.egress else ()):
            if not host.host.startswith("*") or not cluster.egress:
                continue
            if cluster.egress.gateway or host.tls == "originate":
                what = "the egress gateway" if cluster.egress.gateway else "a proxy that begins TLS itself"
                yield error(
                    "MESH930",
                    at(index, f"egress.hosts[{number}].host"),
                    f"{quoted(host.host)} has no address that could be looked up, and {what} has nothing else to go by",
                    "name the hosts one by one; or `gateway: false` with `tls: passthrough`, where each proxy lets its "
                    "workload go where it wants",
                )


def undeclared(context: Context) -> Iterator[Finding]:
    """MESH931 (https://istio.io/latest/docs/tasks/traffic-management/egress/egress-control/)."""
    if context.mesh.istio.mesh_config.outbound_traffic_policy != "REGISTRY_ONLY":
        return
    holders = [(index, c) for index, c in context.clusters() if meshes.holds_config(c)]
    for index, cluster in holders:
        for number, host in enumerate(cluster.egress.hosts if cluster.egress else ()):
            without = tuple(c for _, c in holders if host.host not in _declared(c))
            if without:
                yield warning(
                    "MESH931",
                    at(index, f"egress.hosts[{number}].host"),
                    f"{quoted(host.host)} is not declared in {clusters_named(without)}, and with REGISTRY_ONLY "
                    "workloads there get 502, or a connection that ends at once",
                    "declare it there too; go on where nobody there calls it",
                )


def _declared(cluster: ClusterSettings) -> set[str]:
    return {host.host for host in cluster.egress.hosts} if cluster.egress else set()


def gateway_api(context: Context) -> Iterator[Finding]:
    """MESH932."""
    istio = context.mesh.istio
    brought = istio.gateway_api is not None and istio.install == "charts"
    for index, cluster in context.clusters():
        asking = [at(index, f"ingress[{n}].api") for n, way in enumerate(cluster.ingress) if way.api == "gateway-api"]
        asking += [at(index, "gatewayApi")] if waypoints(context.mesh, cluster) else []
        for place in asking if cluster.gateway_api and not brought else ():
            yield warning(
                "MESH932",
                place,
                f'nothing here brings the CRDs of the Gateway API to "{cluster.name}", and where they are missing '
                "its API server refuses the Gateway",
                "name their file as `istio.gatewayApi`; or say `gatewayApi: false` of a cluster that has them, as "
                "those of many clouds do",
            )


def ambient(context: Context) -> Iterator[Finding]:
    """MESH933 (https://github.com/istio/istio/issues/54281)."""
    istio = context.mesh.istio
    if istio.data_plane == "sidecar":
        return
    say = error if istio.data_plane == "ambient" else warning
    for index, cluster in context.clusters():
        if cluster.egress is not None:
            yield say(
                "MESH933",
                at(index, "egress"),
                "ztunnel reads no VirtualServices, so workloads of ambient would go to the hosts directly, past the "
                "gateway",
                "take it out, and lead these hosts through a waypoint: a ServiceEntry with the label "
                "istio.io/use-waypoint",
            )
    if istio.mesh_config.outbound_traffic_policy == "REGISTRY_ONLY":
        yield warning(
            "MESH933",
            "istio.meshConfig.outboundTrafficPolicy",
            "ztunnel does not know this: workloads of ambient call whatever host they want",
            "deny it with a NetworkPolicy there",
        )


def unread(context: Context) -> Iterator[Finding]:
    """MESH934."""
    for index, cluster in context.clusters():
        stated = [(at(index, f"ingress[{n}]"), bool(item.hosts)) for n, item in enumerate(cluster.ingress)]
        stated += [(at(index, "egress"), bool(cluster.egress.hosts))] if cluster.egress else []
        for place, hosts in stated:
            if not is_member(cluster):
                yield error(
                    "MESH934",
                    place,
                    f'"{cluster.name}" has no workloads of the mesh, and the gateway would belong to another Istio',
                    "say it for a cluster that this istiod serves",
                )
            elif cluster.role == "remote" and hosts:
                yield error(
                    "MESH934",
                    f"{place}.hosts",
                    f'nobody reads configuration in "{cluster.name}": its proxies get theirs where their control '
                    "plane reads it",
                    "say the hosts at the cluster with the control plane, for a gateway of the same name, and leave "
                    "the list empty here",
                )


def lacks_gateway(context: Context) -> Iterator[Finding]:
    """MESH935. Gateways of other clusters are no way out: each is cluster-local (`topology.outside.mesh_config`)."""
    for index, cluster in context.clusters():
        way = cluster.egress
        if way is None or not (way.gateway and way.hosts):
            continue
        without = tuple(c for c in served_by(context.mesh, cluster) if is_member(c) and not _same_way(c, cluster))
        if without:
            yield error(
                "MESH935",
                at(index, "egress.gateway"),
                f"{clusters_named(without)} read the same configuration, which leads to the egress gateway of their "
                "own cluster, and have none: their calls would end there",
                f"add `egress: {{}}` to {clusters_named(without)}",
            )


def _same_way(served: ClusterSettings, server: ClusterSettings) -> bool:
    theirs, ours = served.egress, server.egress
    return bool(theirs and ours and theirs.gateway and (theirs.name, theirs.namespace) == (ours.name, ours.namespace))


def hosts(context: Context) -> Iterator[Finding]:
    """MESH936."""
    for index, cluster in context.clusters():
        first: dict[str, int] = {}
        for number, host in enumerate(cluster.egress.hosts if cluster.egress else ()):
            place = at(index, f"egress.hosts[{number}].host")
            earlier = first.setdefault(host.host, number)
            if earlier != number:
                reason = f"{quoted(host.host)} is declared as hosts[{earlier}] too; istiod takes one of the two"
                yield error("MESH936", place, reason, "take one of them out")
            elif not HOST.fullmatch(host.host) or not DNS_LABEL.fullmatch(subset(host.host)):
                yield error(
                    "MESH936",
                    place,
                    f"{quoted(host.host)} is no host name, or one that is too long for the name of a subset",
                    "write a DNS name in lower case, without scheme and port",
                )
            elif host.host.endswith(".cluster.local"):
                yield error(
                    "MESH936",
                    place,
                    f"{quoted(host.host)} is in the mesh, and would be led out of it",
                    "take it out; services of other meshes are `meshes[].imports`",
                )
            elif host.tls == "none" and outside_port(host) == HTTPS:
                yield error(
                    "MESH936",
                    f"{place.removesuffix('.host')}.port",
                    f"{HTTPS} is a port for TLS, and HTTP is to be spoken there",
                    "write `tls: passthrough` or `tls: originate`, or another port",
                )


RULES = (wildcard, undeclared, gateway_api, ambient, unread, lacks_gateway, hosts)
