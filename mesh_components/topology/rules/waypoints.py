"""Waypoints: whether they can be where they are written, and whether what is said of requests comes to them.

Facts: https://istio.io/latest/docs/ambient/usage/waypoint/,
https://istio.io/latest/docs/ambient/install/multicluster/ and, where a rule says so, istiod's code of 1.30.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh_components.settings import Finding, MeshSettings
from mesh_components.settings.traffic import TrafficSettings
from mesh_components.settings.waypoints import WaypointSettings
from mesh_components.topology import addons, applications
from mesh_components.topology.meshes import full_host
from mesh_components.topology.plan import several_networks
from mesh_components.topology.roles import members
from mesh_components.topology.rules.context import Context, clusters_named, error, quoted, quoted_key, warning
from mesh_components.topology.rules.names import DNS_LABEL
from mesh_components.topology.traffic import CLUSTER_LABEL, has, namespace_of, served, subsets, targets
from mesh_components.topology.visibility import gateway_namespaces
from mesh_components.topology.waypoints import waypoints

_NONE = "none"
_KUBERNETES = ("kube-system", "kube-public", "kube-node-lease")


def missing(context: Context) -> Iterator[Finding]:
    """MESH912. Only of hosts that ambient carries, as far as the document knows."""
    by_services = {item.namespace for item in context.mesh.waypoints if item.for_ != "workload"}
    for index, service in enumerate(context.mesh.traffic):
        namespace = namespace_of(service.host)
        if _ambient(context, namespace) and namespace not in by_services:
            blind = any(item.namespace == namespace for item in context.mesh.waypoints)
            yield warning(
                "MESH912",
                f"traffic[{index}].host",
                "ztunnel knows no routes, retries or subsets: without a waypoint "
                f"{'for requests to services ' if blind else ''}in the namespace of {quoted(service.host)} none of "
                "this has any effect",
                f"write `waypoints: [{{namespace: {quoted_key(namespace)}}}]`"
                if namespace
                else "give the host's ServiceEntry the label istio.io/use-waypoint, in a namespace that has a waypoint",
            )


def by_sidecars(context: Context) -> Iterator[Finding]:
    """MESH970. In a mesh with both, of namespaces that the document knows."""
    plane = context.mesh.istio.data_plane
    for place, item in _waypoints(context):
        if plane == "sidecar":
            yield error(
                "MESH970",
                place,
                "the mesh has sidecars only, which lead requests themselves: no istiod knows the class istio-waypoint, "
                "and nothing would come to the waypoint",
                "take it out, or set `istio.dataPlane` to ambient or mixed",
            )
        elif _ambient(context, item.namespace) is False:
            yield warning(
                "MESH970",
                f"{place}.namespace",
                f"sidecars carry what is in {quoted(item.namespace)} and lead its requests: other sidecars pass the "
                "waypoint by, and only callers in ambient would come to it",
                "say `dataPlane: ambient` of the application or the team, or take the waypoint out",
            )


def clusters(context: Context) -> Iterator[Finding]:
    """MESH971."""
    for place, item in _waypoints(context):
        for position, name in enumerate(item.clusters or ()):
            index = context.index(name)
            if index is None:
                why = f"no cluster is called {quoted(name)}"
            elif name not in {cluster.name for cluster in members(context.mesh)}:
                why = f"{quoted(name)} has no workloads of the mesh, so nothing would come to a waypoint there"
            else:
                continue
            fix = "write the name of a cluster with workloads, or leave `clusters` out for all of them"
            yield error("MESH971", f"{place}.clusters[{position}]", why, fix)


def names(context: Context) -> Iterator[Finding]:
    """MESH972."""
    whose = _taken(context.mesh)
    for place, item in _waypoints(context):
        for key, name in (("name", item.name), ("namespace", item.namespace)):
            if not DNS_LABEL.fullmatch(name):
                fix = "use lower-case letters, digits and inner dashes, at most 63"
                yield error("MESH972", f"{place}.{key}", f"{quoted(name)} is no DNS-1123 label", fix)
        if item.name == _NONE:
            why = f"{quoted(_NONE)} is how a namespace says that it uses no waypoint"
            yield error("MESH972", f"{place}.name", why, "leave `name` out")
        if full_host(f"{item.name}.{item.namespace}") in served(context.mesh):
            why = f"{quoted(item.name)} is a service of {quoted(item.namespace)}, and istiod leaves its objects alone"
            yield error("MESH972", f"{place}.name", why, "leave `name` out")
        if item.namespace in whose:
            why = f"{quoted(item.namespace)} is {whose[item.namespace]}"
            yield error("MESH972", f"{place}.namespace", why, "write a namespace of services that ambient carries")


def _taken(mesh: MeshSettings) -> Mapping[str, str]:
    """Namespaces where no waypoint belongs."""
    return {
        **dict.fromkeys(_KUBERNETES, "Kubernetes' own"),
        **({addons.namespace(mesh): "that of the add-ons"} if addons.parts(mesh) else {}),
        **dict.fromkeys(gateway_namespaces(*mesh.clusters), "that of a gateway, which is no service of the mesh"),
        mesh.istio.namespace: "the root namespace, and the way to istiod would lead through the waypoint",
    }


def twice(context: Context) -> Iterator[Finding]:
    """MESH973. A namespace has one label, and it names one waypoint."""
    stated = list(_waypoints(context))
    for index, (place, item) in enumerate(stated):
        for earlier, other in stated[:index]:
            if other.namespace == item.namespace and _where(context, other) & _where(context, item):
                yield error(
                    "MESH973",
                    f"{place}.namespace",
                    f"{quoted(item.namespace)} has the waypoint of {earlier} already, and a namespace uses one",
                    "take one of them out; with `for: all` one is for services and for single pods",
                )
                break


def uniform(context: Context) -> Iterator[Finding]:
    """MESH974 (https://istio.io/latest/docs/ambient/install/multicluster/)."""
    first: dict[str, tuple[str, WaypointSettings]] = {}
    there: dict[str, set[str]] = {}
    for place, item in _waypoints(context):
        where = _where(context, item)
        earlier, other = first.setdefault(item.namespace, (place, item))
        if other.name != item.name and not where & _where(context, other):
            yield warning(
                "MESH974",
                f"{place}.name",
                f"the waypoint of {quoted(item.namespace)} is called {quoted(other.name)} in {earlier}; Istio takes "
                "waypoints of the same name in all clusters for granted",
                "give it one name",
            )
        there.setdefault(item.namespace, set()).update(where)
    for namespace, where in there.items():
        without = tuple(cluster for cluster in members(context.mesh) if cluster.name not in where)
        if where and without:
            yield warning(
                "MESH974",
                f"{first[namespace][0]}.clusters",
                f"{clusters_named(without)} would have no waypoint for {quoted(namespace)}, so requests to its "
                "services there are led by no rule and meet no policy about requests; Istio takes waypoints of the "
                "same name in all clusters for granted",
                "leave `clusters` out",
            )


def elsewhere(context: Context) -> Iterator[Finding]:
    """MESH975 (`getVirtualServiceForWaypoint` in istiod's pilot/pkg/networking/core/listener_waypoint.go)."""
    for place, service in _led(context):
        home = namespace_of(service.host)
        if service.namespace is not None and service.namespace != home:
            yield error(
                "MESH975",
                f"{place}.namespace",
                f"a waypoint reads the rules of its own namespace and of the service's, and these would lie in "
                f"{quoted(service.namespace)}: nobody would read them",
                "leave `namespace` out",
            )


def blurred(context: Context) -> Iterator[Finding]:
    """MESH976 (`EndpointsByNetworkFilter` in istiod's pilot/pkg/xds/endpoints/ep_filters.go)."""
    mesh = context.mesh
    serving = served(mesh) if several_networks(mesh) else {}
    for place, service in _led(context):
        labels = subsets(service, [cluster.name for cluster in members(mesh)])
        for where, name in _named(service):
            fits: dict[str, set[bool]] = {}
            for endpoint in serving.get(full_host(service.host), ()):
                fits.setdefault(endpoint[CLUSTER_LABEL], set()).add(has(endpoint, labels.get(name, {})))
            mixed = next((cluster for cluster, found in fits.items() if len(found) > 1), None)
            if mixed is not None:
                yield warning(
                    "MESH976",
                    f"{place}.{where}",
                    f"what is sent from other networks to the subset {quoted(name)} reaches all versions of "
                    f'{quoted(service.host)} in "{mixed}": the ambient gateway there is asked for the service, and not '
                    "for a subset",
                    "keep versions in networks of their own, or give each version a Service",
                )


def _waypoints(context: Context) -> Iterator[tuple[str, WaypointSettings]]:
    return ((f"waypoints[{index}]", item) for index, item in enumerate(context.mesh.waypoints))


def _where(context: Context, item: WaypointSettings) -> set[str]:
    """Names of the clusters that have it."""
    return {cluster.name for cluster in members(context.mesh) if item in waypoints(context.mesh, cluster)}


def _led(context: Context) -> Iterator[tuple[str, TrafficSettings]]:
    """Services that only waypoints lead: sidecars of other workloads would read the rules, too."""
    for index, service in enumerate(context.mesh.traffic):
        if context.mesh.istio.data_plane == "ambient" and namespace_of(service.host) is not None:
            yield f"traffic[{index}]", service


def _named(service: TrafficSettings) -> Iterator[tuple[str, str]]:
    """The subsets that routes name, each with its place."""
    for index, route in enumerate(service.routes):
        yield from ((f"routes[{index}].{quoted_key(where)}", name) for where, name in targets(route))


def _ambient(context: Context, namespace: str | None) -> bool | None:
    """Whether ztunnel carries what is in a namespace, or a host outside of Kubernetes; None where nobody says."""
    mesh = context.mesh
    if mesh.istio.data_plane != "mixed":
        return mesh.istio.data_plane == "ambient"
    for _, settings in applications.stated(mesh):
        if settings.namespace == namespace:
            return applications.ambient(mesh, settings)
    for team in mesh.teams:
        if namespace in team.namespaces and team.in_mesh:
            return applications.ambient(mesh, team)
    return None


RULES = (missing, by_sidecars, clusters, names, twice, uniform, elsewhere, blurred)
