"""Sample applications: whether they can be where they are placed, and show anything there."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.settings.applications import ApplicationSettings
from mesh_components.topology import names
from mesh_components.topology.applications import SERVICES, ambient, injects, namespace_labels, places, stated
from mesh_components.topology.edges import knows
from mesh_components.topology.meshes import full_host, holds_config
from mesh_components.topology.plan import needs_east_west, several_networks
from mesh_components.topology.revisions import revisions, tags
from mesh_components.topology.roles import is_member, members
from mesh_components.topology.rules.context import Context, at, clusters_named, error, quoted, warning
from mesh_components.topology.rules.names import DNS_LABEL
from mesh_components.topology.visibility import NAMESPACE_NAME, covers, gateway_hosts, sees, selectors, selects

RESERVED = ("default", "kube-system", "kube-public", "kube-node-lease")
"""Namespaces that every cluster has (https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/)."""


def clusters(context: Context) -> Iterator[Finding]:
    """MESH940 and MESH941."""
    for name, settings in stated(context.mesh):
        for version, where in settings.versions.items():
            for position, cluster in enumerate(where):
                place = f"applications.{name}.versions.{version}[{position}]"
                index = context.index(cluster)
                if index is None:
                    yield error(
                        "MESH940",
                        place,
                        f"no cluster is called {quoted(cluster)}, so {version} would be missing there",
                        "write the name of a cluster",
                    )
                elif not is_member(context.mesh.clusters[index]):
                    yield error(
                        "MESH941",
                        place,
                        f"{quoted(cluster)} has an istiod for other clusters and no workloads of the mesh: nothing "
                        "injects pods there, and nobody calls them",
                        f"place {version} in a cluster that is served by it",
                    )


def nowhere(context: Context) -> Iterator[Finding]:
    """MESH942."""
    for name, _ in stated(context.mesh):
        where = places(context.mesh, name)
        for service, versions in SERVICES[name].items():
            if not any(where[version] for version in versions):
                yield error(
                    "MESH942",
                    f"applications.{name}.versions",
                    f"no version of {service} is placed in any cluster, so who calls it gets an error (503)",
                    f"give {' or '.join(versions)} a cluster, or leave it out of `versions` to have it placed",
                )


def namespace(context: Context) -> Iterator[Finding]:
    """MESH943. The namespace comes and goes with the application, so nothing else can be in it."""
    first: dict[str, str] = {}
    for name, settings in stated(context.mesh):
        value = settings.namespace
        other = first.setdefault(value, name)
        if not DNS_LABEL.fullmatch(value):
            why = "is no DNS-1123 label"
        elif value in RESERVED or value in (context.mesh.istio.namespace, names.LOCAL_NAMESPACE):
            why = "is there already, and would go with the application"
        elif other != name:
            why = f"is that of {other} too, and would be made twice"
        else:
            continue
        yield error(
            "MESH943",
            f"applications.{name}.namespace",
            f"{quoted(value)} {why}",
            "give the application a namespace of its own, or leave it out for the default",
        )


def revision(context: Context) -> Iterator[Finding]:
    """MESH944. Which revisions there are is not known where something else installs Istio."""
    mesh = context.mesh
    for name, settings in stated(mesh):
        wanted = injects(mesh, settings)
        if settings.revision is None or mesh.istio.install == "none" or ambient(mesh, settings):
            continue
        lacking = tuple(cluster for cluster in members(mesh) if wanted not in _injectors(context, cluster))
        if lacking:
            yield error(
                "MESH944",
                f"applications.{name}.revision",
                f"{quoted(wanted)} is neither a revision nor a tag of {clusters_named(lacking)}, so pods there start "
                "without a proxy, or not at all",
                "use a revision or a tag that all clusters have, or leave it out for the default",
            )


def in_one(context: Context) -> Iterator[Finding]:
    """MESH945."""
    if len(members(context.mesh)) < len(("here", "there")):
        return
    for name, _ in stated(context.mesh):
        used = {cluster for where in places(context.mesh, name).values() for cluster in where}
        if len(used) == 1:
            yield warning(
                "MESH945",
                f"applications.{name}.versions",
                f"all of {name} is in {quoted(*used)}: that its parts reach each other says nothing of the mesh",
                "place a version in another cluster too",
            )


def hidden(context: Context) -> Iterator[Finding]:
    """MESH946 (https://istio.io/latest/docs/ops/configuration/traffic-management/multicluster/)."""
    mesh = context.mesh
    local = mesh.istio.mesh_config.cluster_local_hosts
    for name, settings in stated(mesh):
        used = {cluster for where in places(mesh, name).values() for cluster in where}
        hosts = [full_host(f"{service}.{settings.namespace}") for service in SERVICES[name]]
        yield from _unseen(context, name, settings, hosts)
        for position, pattern in enumerate(local):
            if any(covers(pattern, host) for host in hosts):
                yield warning(
                    "MESH946",
                    f"istio.meshConfig.clusterLocalHosts[{position}]",
                    f"{quoted(pattern)} keeps {name} in the cluster that calls it, so only the versions there answer",
                    "leave the application's namespace out of `clusterLocalHosts`",
                )
        if len(used) > 1:
            yield from _shut(context, name, hosts, used)
            yield from _unread(context, name, used)


def _unseen(context: Context, name: str, settings: ApplicationSettings, hosts: list[str]) -> Iterator[Finding]:
    """By `visibility`: by names, and by namespaces that istiod does not look at."""
    visibility = context.mesh.visibility
    unseen = [host for host in hosts if not sees(visibility, host)]
    if unseen:
        yield warning(
            "MESH946",
            "visibility.services",
            f"{name} is not among what other clusters see ({', '.join(unseen)}), so only the versions in the caller's "
            "cluster answer",
            f"add {settings.namespace} to `visibility.namespaces`",
        )
    labels = {NAMESPACE_NAME: settings.namespace, **namespace_labels(context.mesh, settings)}
    looked_at = selectors(visibility, context.mesh.istio.namespace)
    if looked_at and not any(selects(selector, labels) for selector in looked_at):
        yield warning(
            "MESH946",
            "visibility.discoverySelectors",
            f"none of the selectors selects the namespace of {name}, so istiod does not know its services and pods",
            f"give it labels that one of them wants, in `applications.{name}.labels`",
        )


def _shut(context: Context, name: str, hosts: list[str], used: set[str]) -> Iterator[Finding]:
    mesh = context.mesh
    for index, cluster in context.clusters():
        passes = gateway_hosts(mesh, cluster)
        is_door = holds_config(cluster) and needs_east_west(mesh, cluster) and several_networks(mesh)
        if cluster.name in used and is_door and not all(_passes(passes, host) for host in hosts):
            yield warning(
                "MESH946",
                at(index, "eastWest.hosts"),
                f'the gateway of "{cluster.name}" does not let other networks through to {name}',
                f"add `*.{hosts[0].partition('.')[2]}`, or leave `hosts` out to let all services be reached",
            )


def _unread(context: Context, name: str, used: set[str]) -> Iterator[Finding]:
    mesh = context.mesh
    for cluster in members(mesh):
        unread = tuple(other for other in members(mesh) if other.name in used and not knows(mesh, cluster, other))
        if unread:
            yield warning(
                "MESH946",
                "discovery.reach",
                f'the istiod of "{cluster.name}" does not read {clusters_named(unread)}, so {name} is not called there '
                "from here",
                "read every cluster that has a part of the application, or place it elsewhere",
            )


def plane(context: Context) -> Iterator[Finding]:
    """MESH947."""
    has = context.mesh.istio.data_plane
    for name, settings in stated(context.mesh):
        if settings.data_plane is not None and has not in ("mixed", settings.data_plane):
            yield error(
                "MESH947",
                f"applications.{name}.dataPlane",
                f"the mesh has no {settings.data_plane}, but `istio.dataPlane: {has}`: its pods would be outside of it",
                "leave it out, or set `istio.dataPlane: mixed`",
            )


def _injectors(context: Context, cluster: ClusterSettings) -> set[str]:
    found = {item.name for item in revisions(context.mesh, cluster.name)}
    return {*found, *dict(tags(context.mesh, cluster))}


def _passes(patterns: tuple[str, ...], host: str) -> bool:
    return any(covers(pattern, host) for pattern in patterns)


RULES = (clusters, nowhere, namespace, revision, in_one, hidden, plane)
