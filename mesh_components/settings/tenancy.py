"""Teams that share a mesh, and what holds for all: mutual TLS, and who may call whom."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mesh_components.settings.base import Settings

Mtls = Literal["STRICT", "PERMISSIVE", "DISABLE"]
"""STRICT refuses plaintext, PERMISSIVE takes both."""


class TeamSettings(Settings):
    """A team and its namespaces. A namespace of one name is one namespace in all clusters
    (https://istio.io/latest/docs/ops/deployment/deployment-models/#namespace-tenancy), so each cluster has all."""

    name: str
    """DNS-1123 label."""
    namespaces: Annotated[tuple[str, ...], Field(min_length=1)]
    create: bool = True
    """False: the namespaces exist, and only get their labels."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Of the namespaces, beside those that put them into the mesh."""
    in_mesh: bool = True
    """False: nothing puts its workloads into the mesh."""
    revision: str | None = None
    """Revision, or tag, that injects its workloads; `istio.revision` when left out."""
    data_plane: Literal["sidecar", "ambient"] | None = None
    """In a mesh with both: which one; sidecars when left out."""
    mtls: Mtls | None = None
    """Of its namespaces; as the mesh has it when left out."""
    closed: bool = True
    """Nobody calls its workloads but the team itself, and who is named here."""
    callers: tuple[str, ...] = ()
    """Names of other teams that may."""
    accounts: tuple[str, ...] = ()
    """Service accounts that may, `<namespace>/<account>`: an ingress gateway."""


class PortSettings(Settings):
    """Ports of some workloads that are not as their namespace."""

    name: str
    """Of the object."""
    namespace: str
    labels: Annotated[dict[str, str], Field(min_length=1)]
    """Of the workloads."""
    ports: Annotated[dict[int, Mtls], Field(min_length=1)]
    """Mode by port of the workload, not of its Service."""


class PolicySettings(Settings):
    """What holds where nothing else is said."""

    mtls: Mtls | None = None
    """Of the whole mesh; as Istio does it, PERMISSIVE, when left out."""
    namespaces: dict[str, Mtls] = Field(default_factory=dict)
    """Of namespaces, which exist."""
    ports: tuple[PortSettings, ...] = ()
    authorization: Literal["deny"] | None = None
    """`deny`: nobody calls a workload unless a policy allows it. The mesh's own gateways stay open."""
