"""Teams and defaults, decided: which namespaces a cluster has, what they carry, and who may call what is in them.

Identities are names of service accounts in this mesh's trust domain. `namespaces` of an AuthorizationPolicy would be
shorter, and let in a namespace of the same name in every other mesh that is trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.tenancy import TeamSettings
from mesh_components.topology import meshes, visibility
from mesh_components.topology.applications import namespace_labels
from mesh_components.topology.meshes import SERVICE_DOMAIN, full_host, holds_config
from mesh_components.topology.roles import is_member


def teams(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[TeamSettings, ...]:
    """The teams with namespaces in a cluster: all of them, where there are workloads."""
    return mesh.teams if is_member(cluster) else ()


def labels(mesh: MeshSettings, team: TeamSettings) -> Mapping[str, str]:
    """Of its namespaces."""
    return namespace_labels(mesh, team) if team.in_mesh else team.labels


def allowed(mesh: MeshSettings, team: TeamSettings, namespace: str) -> list[dict[str, Any]]:
    """Rules of the policy that closes a namespace of the team: itself, those that are named, and other meshes for what
    is exported from there."""
    by_name = {item.name: item for item in mesh.teams}
    inside = [n for item in (team, *(by_name[name] for name in team.callers)) for n in item.namespaces]
    own = [meshes.principal(mesh.trust_domain, f"{name}/*") for name in inside]
    named = [meshes.principal(mesh.trust_domain, account) for account in team.accounts]
    return [{"from": [{"source": {"principals": [*own, *named]}}]}, *_exported(mesh, namespace)]


def has_policies(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether the cluster holds policies for the whole mesh, or for namespaces of nobody."""
    stated = mesh.policies
    return holds_config(cluster) and bool(stated.mtls or stated.namespaces or stated.ports or stated.authorization)


def open_namespaces(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[str, ...]:
    """A cluster's namespaces of ways in and out of the mesh, which stay open where nobody may call anybody. What lies
    in the root namespace is no namespace's own."""
    return tuple(name for name in visibility.gateway_namespaces(cluster) if name != mesh.istio.namespace)


def _exported(mesh: MeshSettings, namespace: str) -> list[dict[str, Any]]:
    """What keeps an export open: whom it is for is said by the policy of the other mesh, in the root namespace."""
    domains = {other.name: other.trust_domain for other in mesh.meshes}
    rules = []
    for export in mesh.exports:
        host = full_host(export.host)
        callers = [f"{domains[name]}/*" for name in export.meshes if name in domains]
        if host.endswith(f".{namespace}{SERVICE_DOMAIN}") and callers:
            asked = sorted(meshes.sni(port.number, host) for port in export.ports)
            source = {"source": {"principals": callers}}
            rules.append({"from": [source], "when": [{"key": "connection.sni", "values": asked}]})
    return rules
