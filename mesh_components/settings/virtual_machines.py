"""Machines outside of Kubernetes that are workloads of the mesh: who they are, and how they come in.

The words are those of Istio's `WorkloadGroup` (https://istio.io/latest/docs/reference/config/networking/workload-group/).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mesh_components.settings.base import Settings
from mesh_components.settings.location import LocalitySettings
from mesh_components.settings.meshes import PortNumber, Protocol


class MachinePort(Settings):
    """A port of the service behind which the machines are."""

    number: PortNumber
    """As callers know it."""
    name: str
    protocol: Protocol = "TCP"
    target_port: PortNumber | None = None
    """As the machine listens; `number` when left out."""


class HttpProbe(Settings):
    """Asks by HTTP."""

    port: PortNumber
    path: str | None = None
    host: str | None = None
    scheme: Literal["HTTP", "HTTPS"] | None = None


class TcpProbe(Settings):
    """Connects."""

    port: PortNumber


class ExecProbe(Settings):
    """Runs a program on the machine."""

    command: Annotated[tuple[str, ...], Field(min_length=1)]


class GrpcProbe(Settings):
    """Asks the gRPC health service."""

    port: PortNumber
    service: str | None = None


class ProbeSettings(Settings):
    """Whether the workload is well, as the agent on the machine finds out. Exactly one way to ask."""

    http_get: HttpProbe | None = None
    tcp_socket: TcpProbe | None = None
    exec: ExecProbe | None = None
    grpc: GrpcProbe | None = None
    initial_delay_seconds: Annotated[int, Field(ge=1)] | None = None
    period_seconds: Annotated[int, Field(ge=1)] | None = None
    timeout_seconds: Annotated[int, Field(ge=1)] | None = None
    success_threshold: Annotated[int, Field(ge=1)] | None = None
    failure_threshold: Annotated[int, Field(ge=1)] | None = None


class VirtualMachineSettings(Settings):
    """One machine, or several that are alike: a `WorkloadGroup`, and the service behind which they are."""

    name: str
    """Of the group, and of the service."""
    namespace: str
    cluster: str
    """Name of the cluster that they belong to. The istiod that serves that cluster serves them."""
    account: str | None = None
    """Service account, their identity; `name` when left out."""
    network: str | None = None
    """That of the cluster when left out. A network without a cluster is one of their own: pods call them directly, and
    they call pods through the east-west gateways."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Beside `app`, which is the name unless it stands here."""
    locality: LocalitySettings | None = None
    ports: tuple[MachinePort, ...] = ()
    host: str | None = None
    """Of the service; `<app>.<namespace>.svc.cluster.local` when left out."""
    service: bool = True
    """Make the ServiceEntry by which the mesh calls the machines, where there are ports."""
    probe: ProbeSettings | None = None
    auto_registration: bool = True
    """A machine that connects is entered by istiod, and taken out when it is gone. False: `addresses` are entered."""
    addresses: tuple[str, ...] = ()
    """IPs of the machines, without auto-registration."""
    dns_capture: bool = True
    """Programs on the machine ask the proxy for names, so that services of the mesh have some."""
    revision: str | None = None
    """Of the istiod that serves them; `istio.revision` when left out."""
    istiod_address: str | None = None
    """IP at which the machines reach port 15012 of istiod, where it is not that of the east-west gateway."""
    token_lifetime_minutes: Annotated[int, Field(ge=1)] = 60
    """Of the token in a bundle. The proxy needs it once, when it starts for the first time."""
    create_namespace: bool = True
    """False: the namespace is there already, in every cluster that needs it."""
    namespace_labels: dict[str, str] = Field(default_factory=dict)
    """Of the namespace that is made."""
    create_account: bool = True
    """False: the account is there already."""
