"""Trust between meshes, as each side writes it: which other meshes this one trusts and what it calls there, and which
of its own services others may call.

Nothing here is secret: a mesh says of itself what everyone may know (`settings.facts`), and no credential crosses over.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mesh_components.settings.base import Settings

Protocol = Literal["HTTP", "HTTP2", "GRPC", "TCP", "TLS", "MONGO", "MYSQL", "REDIS"]
PortNumber = Annotated[int, Field(ge=1, le=65535)]


class FactsSource(Settings):
    """Where the other mesh's document of public facts is. Exactly one."""

    file: str | None = None
    """Path of the document; relative paths start at the project's folder."""
    stack: str | None = None
    """Stack whose output `publicFacts` it is, `<organization>/<project>/<stack>`."""


class ImportSettings(Settings):
    """A service of the other mesh that workloads here may call."""

    host: str
    """As the other mesh exports it: `helloworld.sample`, or the full name."""
    called: str | None = None
    """Host under which it is called here; the full name there when left out."""
    clusters: tuple[str, ...] | None = None
    """Names of the clusters whose workloads call it; all when left out. A remote has what its control plane has."""
    namespaces: tuple[str, ...] = ()
    """Namespaces whose workloads see it; all when empty."""


class OtherMesh(Settings):
    """Another mesh that this one trusts."""

    name: str
    """Its mesh ID."""
    trust_domain: str
    """Its trust domain."""
    facts: FactsSource = FactsSource()
    """Where it says its roots, its gateways and what it exports."""
    digest: str | None = None
    """Digest of that document as somebody here has checked it, `sha256:…`; any other document is refused. Left out,
    none is accepted, and the finding prints it."""
    alias: bool = False
    """Also make its trust domain an alias of this one's: every policy here then takes its identities for our own of the
    same name."""
    imports: tuple[ImportSettings, ...] = ()
    """Services of it that are called from here."""


class ExportPort(Settings):
    """A port of an exported service."""

    number: PortNumber
    name: str
    """Of the Service's port."""
    protocol: Protocol = "TCP"


class ExportSettings(Settings):
    """A service of ours that other meshes may call."""

    host: str
    """`helloworld.sample`, or the full name of the Service."""
    ports: Annotated[tuple[ExportPort, ...], Field(min_length=1)]
    accounts: Annotated[tuple[str, ...], Field(min_length=1)]
    """Service accounts of the pods behind it, `<namespace>/<account>`: by them callers know that they got there."""
    meshes: Annotated[tuple[str, ...], Field(min_length=1)]
    """Mesh IDs of those that may call it."""
    callers: tuple[str, ...] = ()
    """Service accounts of theirs that may, `<namespace>/<account>`; all when empty."""


class CrossMeshSettings(Settings):
    """The gateway through which other meshes reach what is exported: one of its own, beside the east-west gateway."""

    enabled: bool | None = None
    """Left out: a gateway exists in every cluster that holds configuration, where something is exported."""
    service_type: Literal["LoadBalancer", "NodePort", "ClusterIP"] = "LoadBalancer"
    annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations of the Service, for the cloud's load balancer."""
    load_balancer_source_ranges: tuple[str, ...] = ()
    """CIDRs of the other meshes; everyone when empty."""
    min_replicas: Annotated[int, Field(ge=1)] = 1
    max_replicas: Annotated[int, Field(ge=1)] = 5
    address: str | None = None
    """IP or DNS name at which it is reached, where it is known beforehand."""
