"""Add-ons of a mesh of several clusters: whether they get to know all of it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from mesh_components.settings import Finding
from mesh_components.topology import addons
from mesh_components.topology.edges import knows
from mesh_components.topology.meshes import holds_config
from mesh_components.topology.plan import needs_east_west, several_networks
from mesh_components.topology.roles import members
from mesh_components.topology.rules.addresses import Url, url
from mesh_components.topology.rules.context import Context, at, clusters_named, error, quoted, quoted_key, warning
from mesh_components.topology.visibility import covers, gateway_hosts, sees

_SEVERAL = 2


def alone(context: Context) -> Iterator[Finding]:
    """MESH882 and MESH883 (https://istio.io/latest/docs/ops/configuration/telemetry/monitoring-multicluster-prometheus/)."""
    mesh = context.mesh
    if mesh.addons.prometheus is None:
        return
    there = members(mesh)
    if mesh.addons.prometheus.federation is None and len(there) >= _SEVERAL:
        others = tuple(cluster for cluster in there if not addons.is_home(mesh, cluster))
        yield warning(
            "MESH882",
            "addons.prometheus",
            f"it scrapes the pods of its own cluster, so what happens in {clusters_named(others)} is in no picture",
            "add `federation: {}`: every cluster gets one, and one fetches from all",
        )
    if mesh.addons.prometheus.federation is not None and len(there) < _SEVERAL:
        yield error(
            "MESH883",
            "addons.prometheus.federation",
            "one cluster has workloads, so one Prometheus would fetch everything from another one beside it",
            "take `federation` out",
        )


def login(context: Context) -> Iterator[Finding]:
    """MESH887 (https://kiali.io/docs/configuration/multi-cluster/)."""
    kiali = context.mesh.addons.kiali
    if kiali is None or len(context.mesh.clusters) < _SEVERAL or kiali.auth in ("anonymous", "openid", "openshift"):
        return
    yield error(
        "MESH887",
        "addons.kiali.auth",
        f"with {quoted(kiali.auth)} somebody shows who they are to one cluster, and Kiali does not know who they are "
        "in the others",
        "set anonymous, openid or openshift",
    )


def addresses(context: Context) -> Iterator[Finding]:
    """MESH888."""
    prometheus = context.mesh.addons.prometheus
    if prometheus is None or prometheus.federation is None:
        return
    for name, address in prometheus.federation.addresses.items():
        where = f"addons.prometheus.federation.addresses.{quoted_key(name)}"
        if name not in {cluster.name for cluster in members(context.mesh)}:
            yield error(
                "MESH888",
                where,
                f"no cluster with workloads is called {quoted(name)}, so nobody is asked there",
                "write the name of a cluster",
            )
        wrong = _wrong(address)
        if wrong:
            yield error(
                "MESH888",
                where,
                f"the address {wrong}",
                "write the URL of its Prometheus, such as https://prometheus.west.example",
            )


def _wrong(address: str) -> str:
    """What is wrong with an address, in words that do not quote it: it may hold a password."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return "is no URL"
    if parts.username or parts.password:
        return "holds a password, and what is scraped is in clear in a ConfigMap"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "is no URL of http or https"
    return "has a query, which the way to the metrics has no place for" if parts.query or parts.fragment else ""


def hidden(context: Context) -> Iterator[Finding]:
    """MESH889. What is sent to an add-on in another cluster goes the way of every request."""
    mesh = context.mesh
    hosts = addons.hosts_across(mesh)
    unseen = [addons.short(host) for host in hosts if not sees(mesh.visibility, host)]
    if unseen:
        yield warning(
            "MESH889",
            "visibility.services",
            f"other clusters do not see {' and '.join(unseen)}, so what is there of them stays there",
            f"add {' and '.join(unseen)}",
        )
    for position, pattern in enumerate(mesh.istio.mesh_config.cluster_local_hosts):
        kept = [addons.short(host) for host in hosts if covers(pattern, host)]
        if kept:
            yield warning(
                "MESH889",
                f"istio.meshConfig.clusterLocalHosts[{position}]",
                f"{quoted(pattern)} keeps {' and '.join(kept)} in the cluster that calls, where no pod of it is",
                f"leave {addons.namespace(mesh)} out of `clusterLocalHosts`",
            )
    yield from _scoped(context, hosts)
    for index, cluster in context.clusters():
        is_door = holds_config(cluster) and needs_east_west(mesh, cluster) and several_networks(mesh)
        passes = gateway_hosts(mesh, cluster)
        shut = [h for h in hosts if not any(covers(pattern, h) for pattern in passes)]
        if is_door and shut and not unseen:
            yield warning(
                "MESH889",
                at(index, "eastWest.hosts"),
                f"the gateway of {quoted(cluster.name)} does not let other networks through to "
                f"{' and '.join(map(addons.short, shut))}",
                f"add `*.{addons.namespace(mesh)}.svc.cluster.local`",
            )
    yield from _unread(context)


def _scoped(context: Context, hosts: tuple[str, ...]) -> Iterator[Finding]:
    """Sidecars that are told of some namespaces only send to services of those only."""
    mesh, stated = context.mesh, context.mesh.visibility.sidecars
    ours = addons.namespace(mesh)
    scopes = {"default": stated.default, **{f"namespaces.{quoted_key(k)}": v for k, v in stated.namespaces.items()}}
    for key, told in scopes.items():
        if hosts and told and not any(item.partition("/")[0] in ("*", ours) for item in told):
            yield warning(
                "MESH889",
                f"visibility.sidecars.{key}",
                f"sidecars there are not told of the services in {ours}, so they send no traces and no logs",
                f"add `{ours}/*`",
            )


def _unread(context: Context) -> Iterator[Finding]:
    """An istiod that does not read a cluster does not know the add-ons there."""
    mesh, where = context.mesh, addons.home(context.mesh)
    if where is None or not addons.hosts_across(mesh):
        return
    senders = members(mesh) if addons.receivers(mesh) else ()
    ways = [(cluster, where) for cluster in senders if cluster != where]
    ways += [(where, cluster) for cluster in addons.through_mesh(mesh)]
    for caller, called in ways:
        if not knows(mesh, caller, called):
            yield warning(
                "MESH889",
                "discovery.reach",
                f'the istiod of "{caller.name}" does not read "{called.name}", so what is sent there from '
                f'"{caller.name}" arrives nowhere',
                "let it read that cluster, or give the Prometheus there an address",
            )


def elsewhere(context: Context) -> Iterator[Finding]:
    """MESH890."""
    providers = addons.providers(context.mesh)
    if context.mesh.istio.install == "charts" or not providers:
        return
    names = " and ".join(str(provider["name"]) for provider in providers)
    yield warning(
        "MESH890",
        "istio.install",
        f"proxies are told to send to {names}, and where those are stands in the mesh config, which something else "
        "installs here",
        "add these providers to its `extensionProviders`; docs/addons.md has them",
    )


def denied(context: Context) -> Iterator[Finding]:
    """MESH895 (https://istio.io/latest/docs/tasks/security/authorization/authz-deny/)."""
    mesh = context.mesh
    hosts = addons.hosts_across(mesh)
    if mesh.policies.authorization != "deny" or not hosts:
        return
    yield warning(
        "MESH895",
        "policies.authorization",
        f"nobody may call a workload without a policy, so {' and '.join(map(addons.short, hosts))} refuse what is sent "
        "to them",
        "allow it by an AuthorizationPolicy of yours; docs/findings/MESH895.md has one",
    )


def tracing(context: Context) -> Iterator[Finding]:
    """MESH892."""
    mesh_config = context.mesh.istio.mesh_config
    if context.mesh.addons.jaeger is None or mesh_config.tracing is None or mesh_config.tracing.provider is None:
        return
    yield warning(
        "MESH892",
        "istio.meshConfig.tracing.provider",
        f"traces go to Jaeger by a Telemetry, which counts more than this default, so "
        f"{quoted(mesh_config.tracing.provider)} gets none",
        "take it out, or `addons.jaeger`",
    )


def own_machine(context: Context) -> Iterator[Finding]:
    """MESH894. Istiods have rules of their own for this (MESH204), but Kiali reads clusters that no istiod reads."""
    where = addons.home(context.mesh)
    if context.mesh.addons.kiali is None or where is None:
        return
    for index, cluster in context.clusters():
        if not addons.read_by_kiali(context.mesh, cluster) or cluster.platform == "lab" or context.readers(index):
            continue
        found = context.address(index, where.name)
        address = url(found[0]) if found is not None else None
        if found is not None and isinstance(address, Url) and address.own_machine:
            yield error(
                "MESH894",
                found[1],
                f'"{address.host}" means the machine of whoever asks, so Kiali would ask itself in the place of '
                f'"{cluster.name}"',
                "set `apiServer.address` to a URL that pods of the other clusters reach",
            )


RULES = (alone, login, addresses, hidden, elsewhere, denied, tracing, own_machine)
