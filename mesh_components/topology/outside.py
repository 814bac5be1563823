"""What follows for the gateways between the mesh and the world outside of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.egress import EgressHost, EgressSettings
from mesh_components.settings.ingress import IngressHost, IngressSettings
from mesh_components.settings.istio import MeshConfigSettings
from mesh_components.settings.place import PlaceSettings
from mesh_components.topology import names
from mesh_components.topology.load_balancers import LoadBalancer, load_balancer

HTTP, HTTPS = 80, 443


@dataclass(frozen=True)
class IngressPlan:
    """One ingress gateway."""

    settings: IngressSettings
    revision: str
    load_balancer: LoadBalancer

    @property
    def suffix(self) -> str:
        """What follows the cluster's name in that of its component."""
        return f"-{names.gateway_label(self.settings.name)}"


@dataclass(frozen=True)
class EgressPlan:
    """What is outside, and how workloads go there."""

    settings: EgressSettings
    revision: str

    @property
    def suffix(self) -> str:
        """What follows the cluster's name in that of its component."""
        return f"-{names.gateway_label(self.settings.name)}"


def ingresses(cluster: ClusterSettings, revision: str) -> tuple[IngressPlan, ...]:
    """The cluster's ingress gateways; `revision` is that of its gateways, where they say no other."""
    return tuple(_ingress(cluster, stated, revision) for stated in cluster.ingress)


def egress(cluster: ClusterSettings, revision: str) -> EgressPlan | None:
    """The cluster's way out; None where the document does not speak of it."""
    stated = cluster.egress
    return None if stated is None else EgressPlan(stated, _or(stated.revision, revision))


def namespaces(mesh: MeshSettings, cluster: ClusterSettings) -> tuple[str, ...]:
    """Namespaces that are made for these gateways, each once. What something else makes anywhere is not made twice."""
    stated: list[IngressSettings | EgressSettings] = [*cluster.ingress, *([cluster.egress] if cluster.egress else [])]
    ready = {mesh.istio.namespace, *(item.namespace for item in stated if not item.create_namespace)}
    return tuple(dict.fromkeys(item.namespace for item in stated if item.namespace not in ready))


def credential(gateway: str, host: IngressHost) -> str:
    """Name of the Secret with a host's certificate, of the gateway of that name."""
    return (host.tls and host.tls.credential) or f"{gateway}-{host_name(host.host)}"


def host_name(host: str) -> str:
    """A host as part of an object's name: dots may stay there, a star may not."""
    return "any" if host == "*" else host.replace("*", "any", 1)


def certificates(mesh: MeshSettings) -> Iterator[tuple[str, PlaceSettings]]:
    """Where certificates of ingress gateways and their keys are, with the place in the document that says it."""
    for index, cluster in enumerate(mesh.clusters):
        for number, gateway in enumerate(cluster.ingress):
            for position, host in enumerate(gateway.hosts):
                place = tls_place(index, number, position)
                for key in ("certificate", "key") if host.tls else ():
                    source = getattr(host.tls, key)
                    if source is not None:
                        yield f"{place}.{key}", source


def tls_place(cluster: int, gateway: int, host: int) -> str:
    """Where the document speaks of the certificate of the host at this position."""
    return f"clusters[{cluster}].ingress[{gateway}].hosts[{host}].tls"


def outside_port(host: EgressHost) -> int:
    """The port of a host outside of the mesh."""
    return host.port or (HTTP if host.tls == "none" else HTTPS)


def called_port(host: EgressHost) -> int:
    """The port on which workloads call it."""
    return HTTP if host.tls == "originate" else outside_port(host)


def subset(host: str) -> str:
    """A host as a DNS label, which the name of a subset is: no two hosts have the same."""
    return host_name(host).replace("-", "--").replace(".", "-")


def mesh_config(mesh: MeshSettings) -> MeshConfigSettings:
    """What istiod is told, egress gateways among it: each cluster's are for its own workloads. All have the same name,
    and one name is one service in all clusters of a mesh, where nothing says otherwise."""
    stated = mesh.istio.mesh_config
    gateways = [cluster.egress for cluster in mesh.clusters if cluster.egress and cluster.egress.gateway]
    ways = {names.service_host(gateway.name, gateway.namespace) for gateway in gateways}
    more = sorted(ways.difference(stated.cluster_local_hosts))
    return stated.model_copy(update={"cluster_local_hosts": (*stated.cluster_local_hosts, *more)}) if more else stated


def _ingress(cluster: ClusterSettings, stated: IngressSettings, revision: str) -> IngressPlan:
    ports = tuple(port for port in (names.STATUS_PORT, stated.ports.http, stated.ports.https) if port is not None)
    balanced = load_balancer(cluster.cloud or cluster.platform, stated, ports)
    return IngressPlan(stated, _or(stated.revision, revision), balanced)


def _or(stated: str | None, otherwise: str) -> str:
    return otherwise if stated is None else stated
