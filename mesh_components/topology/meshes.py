"""What follows from trust between meshes: full names, the SNI by which gateways route, identities, and who gets what.

Pure text and positions. What the other mesh says of itself is data (`settings.facts`) and decides no count and no name:
a preview shows the same resources before and after it is known.
"""

from __future__ import annotations

import re

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.meshes import ExportSettings, ImportSettings, OtherMesh
from mesh_components.settings.visibility import ExportToSettings
from mesh_components.topology.roles import control_plane, served_by

SERVICE_DOMAIN = ".svc.cluster.local"
_SHORT = re.compile(r"[^.*]+\.[^.*]+")
_NO_NAME = re.compile(r"[^a-z0-9]+")


def full_host(host: str) -> str:
    """`helloworld.sample` in full; what is longer is full already."""
    return f"{host}{SERVICE_DOMAIN}" if _SHORT.fullmatch(host) else host


def called(wanted: ImportSettings) -> str:
    """Host under which an imported service is called here."""
    return wanted.called or full_host(wanted.host)


def sni(port: int, host: str) -> str:
    """By which a gateway of mode AUTO_PASSTHROUGH finds a service: the name of Envoy's cluster for it
    (`BuildDNSSrvSubsetKey` in Istio's pilot/pkg/model/context.go). The subset between the dots is empty."""
    return f"outbound_.{port}_._.{host}"


def principal(trust_domain: str, account: str) -> str:
    """A service account as policies name it."""
    namespace, _, name = account.partition("/")
    return f"{trust_domain}/ns/{namespace}/sa/{name}"


def identity(trust_domain: str, account: str) -> str:
    """A service account as its certificate names it."""
    return f"spiffe://{principal(trust_domain, account)}"


def slug(mesh: str) -> str:
    """A mesh ID as part of an object's name."""
    return _NO_NAME.sub("-", mesh.lower()).strip("-")


def federated(mesh: MeshSettings) -> bool:
    """Whether the document speaks of other meshes at all."""
    return bool(mesh.meshes or mesh.exports)


def holds_config(cluster: ClusterSettings) -> bool:
    """Whether an istiod reads Istio's resources in this cluster."""
    return cluster.role in ("primary", "config")


def needs_cross_mesh_gateway(mesh: MeshSettings, cluster: ClusterSettings) -> bool:
    """Whether other meshes come in here: as the document says, else where something is exported."""
    if not holds_config(cluster) or mesh.istio.data_plane == "ambient":
        return False
    enabled = cluster.cross_mesh.enabled
    return bool(mesh.exports) if enabled is None else enabled


def exports_to(mesh: MeshSettings, other: str) -> tuple[ExportSettings, ...]:
    """What the mesh of that name may call."""
    return tuple(export for export in mesh.exports if other in export.meshes)


def imports_in(mesh: MeshSettings, cluster: ClusterSettings, other: OtherMesh) -> tuple[ImportSettings, ...]:
    """What is configured in a cluster that holds configuration, for its own workloads and those that it serves for.

    Imports are in the root namespace. Where something else than everywhere is the default, all namespaces are named.
    """
    found = (wanted for wanted in other.imports if _is_for(mesh, cluster, wanted))
    if mesh.visibility.export_to == ExportToSettings():
        return tuple(found)
    return tuple(wanted.model_copy(update={"namespaces": wanted.namespaces or ("*",)}) for wanted in found)


def _is_for(mesh: MeshSettings, cluster: ClusterSettings, wanted: ImportSettings) -> bool:
    if wanted.clusters is None:
        return True
    server = control_plane(mesh, cluster)
    return bool({cluster.name, *(served.name for served in served_by(mesh, server))}.intersection(wanted.clusters))
