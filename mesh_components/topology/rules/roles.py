"""Roles that fit together: who serves whom, and what an external control plane and ambient ask of the others
(https://istio.io/latest/docs/ops/deployment/deployment-models/#control-plane-models)."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.topology.names import LOCAL_NAMESPACE
from mesh_components.topology.revisions import revisions
from mesh_components.topology.roles import candidates, control_plane, runs_istiod, served_by
from mesh_components.topology.rules.context import Context, at, clusters_named, error, quoted


def alone(context: Context) -> Iterator[Finding]:
    """MESH403."""
    for index, cluster in context.clusters():
        if runs_istiod(cluster) or cluster.control_plane is not None or candidates(context.mesh, cluster):
            continue
        if cluster.role == "config":
            reason = "holds the configuration of an external control plane, and no cluster has the role external"
            fix = "give the cluster that runs the istiod the role external, or this one the role primary"
        else:
            reason = "is a remote, which takes its configuration from an istiod elsewhere, and no cluster runs one"
            fix = "give at least one cluster the role primary"
        yield error("MESH403", at(index, "role"), f'"{cluster.name}" {reason}', fix)


def undecided(context: Context) -> Iterator[Finding]:
    """MESH408. What is not said is not guessed: the wrong one would work until its certificates are compared."""
    for index, cluster in context.clusters():
        found = candidates(context.mesh, cluster)
        if not runs_istiod(cluster) and cluster.control_plane is None and len(found) > 1:
            yield error(
                "MESH408",
                at(index, "controlPlane"),
                f'"{cluster.name}" is served by the istiod of another cluster, and {clusters_named(found)} could be it',
                "write `controlPlane` with the name of one of them",
            )


def wrong_control_plane(context: Context) -> Iterator[Finding]:
    """MESH409."""
    for index, cluster in context.clusters():
        if cluster.control_plane is not None:
            problem = _problem(context, cluster, cluster.control_plane)
            if problem:
                reason, fix = problem
                yield error("MESH409", at(index, "controlPlane"), reason, fix)


def _problem(context: Context, cluster: ClusterSettings, name: str) -> tuple[str, str] | None:
    """Why this cluster cannot be served by the one of that name, and what to write instead."""
    if runs_istiod(cluster):
        reason = f'"{cluster.name}" is {_article(cluster)} and runs an istiod of its own'
        return reason, "take `controlPlane` out, or give the cluster the role remote"
    servers = [c for c in context.mesh.clusters if runs_istiod(c)]
    fitting = [c for c in servers if cluster.role == "remote" or c.role == "external"]
    others = clusters_named(tuple(fitting)) or "a cluster that runs an istiod"
    if context.index(name) is None:
        return f"no cluster is called {quoted(name)}", f"write {others}"
    if name not in {c.name for c in servers}:
        whom = "the cluster itself" if name == cluster.name else f"{quoted(name)}"
        return f"{whom} runs no istiod that could serve others", f"write {others}"
    if name not in {c.name for c in fitting}:
        reason = f"{quoted(name)} is a primary and holds its configuration itself; only an external control plane has"
        return f"{reason} a config cluster", "give this cluster the role remote, or that one the role external"
    return None


def ambient(context: Context) -> Iterator[Finding]:
    """MESH411 (https://istio.io/latest/docs/ambient/install/multicluster/).

    `mixed` is refused too: the data plane is the mesh's, so ztunnel would run in the remotes, and it is ztunnel that a
    remote istiod cannot serve; turning ambient on also changes what sidecars of remotes are told (istio#60343).
    """
    if context.mesh.istio.data_plane == "sidecar":
        return
    for index, cluster in context.clusters():
        if cluster.role != "primary":
            yield error(
                "MESH411",
                at(index, "role"),
                f'"{cluster.name}" is {_article(cluster)}, and Istio supports ambient in several clusters only where '
                "each has an istiod of its own (https://istio.io/latest/docs/ambient/install/multicluster/)",
                "make it a primary, or set `istio.dataPlane: sidecar`",
            )


def config_cluster(context: Context) -> Iterator[Finding]:
    """MESH412 (https://istio.io/latest/docs/setup/install/external-controlplane/)."""
    mesh = context.mesh
    open_ = any(c.role == "config" and control_plane(mesh, c).name == c.name for c in mesh.clusters)
    for index, cluster in context.clusters():
        if cluster.role != "external":
            continue
        configs = tuple(c for c in served_by(mesh, cluster) if c.role == "config")
        if not configs and not open_:  # MESH408 and MESH409 tell of the open ones
            yield error(
                "MESH412",
                at(index, "role"),
                f'"{cluster.name}" runs an istiod for other clusters, and none of them holds its configuration: it '
                "reads Gateways, VirtualServices and policies from exactly one cluster of the mesh",
                "give that cluster the role config; the other ones are remotes",
            )
        elif len(configs) > 1:
            yield error(
                "MESH412",
                at(index, "role"),
                f'{clusters_named(configs)} have the role config, and the istiod of "{cluster.name}" reads its '
                "configuration from one cluster only",
                "leave the role config to one of them; the other ones are remotes",
            )


def external_namespace(context: Context) -> Iterator[Finding]:
    """MESH413."""
    namespace = context.mesh.istio.namespace
    external = tuple(c for c in context.mesh.clusters if c.role == "external")
    if external and namespace == LOCAL_NAMESPACE:
        yield error(
            "MESH413",
            "istio.namespace",
            f"{clusters_named(external)} has an Istio of its own in {LOCAL_NAMESPACE}, which runs the gateway in front "
            "of the mesh's istiod; two control planes in one namespace overwrite each other",
            "set another one, such as external-istiod; it is the root namespace in all clusters of the mesh",
        )


def external_limits(context: Context) -> Iterator[Finding]:
    """MESH414."""
    mesh = context.mesh
    for index, cluster in context.clusters():
        if cluster.role != "external":
            continue
        if mesh.istio.install == "none":
            yield error(
                "MESH414",
                at(index, "role"),
                f'with `istio.install: none` nobody installs the istiod of "{cluster.name}", and what its config '
                "cluster needs to find it cannot be added from outside",
                "set `istio.install: charts`, or leave the external control plane to the tool that installs it",
            )
        if len(revisions(mesh, cluster.name)) > 1:
            yield error(
                "MESH414",
                "istio.revisions",
                f'"{cluster.name}" would run {len(revisions(mesh, cluster.name))} revisions, but the gateway in front '
                "of an external control plane leads to one istiod",
                f'leave one revision to "{cluster.name}" by `clusters` of the revisions; it is upgraded in place',
            )


def _article(cluster: ClusterSettings) -> str:
    return {
        "primary": "a primary",
        "remote": "a remote",
        "external": "an external control plane",
        "config": "a config cluster",
    }[cluster.role]


RULES = (
    alone,
    undecided,
    wrong_control_plane,
    ambient,
    config_cluster,
    external_namespace,
    external_limits,
)
