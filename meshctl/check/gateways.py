"""Where the gateways of a cluster are, read off its objects: for whoever knocks, and for the rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mesh_components.settings import MeshSettings
from mesh_components.topology import names
from mesh_components.topology.plan import ClusterPlan, several_networks
from meshctl.check.facts import ClusterFacts, Object, Part, Unread

STAND_IN = "stand-in://"
"""How ids of containers begin that the lab only pretends."""


@dataclass(frozen=True)
class Expected:
    """A gateway that the document asks for."""

    kind: str
    """`Service`, or `Gateway` of the Gateway API."""
    name: str
    namespace: str
    ports: tuple[int, ...]
    """That peers need."""
    selector: tuple[str, str] = ("", "")
    """Label of its pods; empty where istiod names them."""


def expected(mesh: MeshSettings, plan: ClusterPlan) -> Iterator[Expected]:
    """The gateways of a cluster."""
    root = mesh.istio.namespace
    if plan.east_west:
        ports = [names.MTLS_PORT] if several_networks(mesh) else []
        ports += [names.ISTIOD_PORT, names.WEBHOOK_PORT] if plan.exposes_istiod else []
        label = ("istio", names.EAST_WEST_GATEWAY.removeprefix("istio-"))
        yield Expected("Service", names.EAST_WEST_GATEWAY, root, tuple(ports), label)
    if plan.role == "external":
        ports = [names.ISTIOD_PORT, names.WEBHOOK_PORT]
        yield Expected(
            "Service", names.INGRESS_GATEWAY, names.LOCAL_NAMESPACE, tuple(ports), ("istio", "ingressgateway")
        )
    if plan.ambient_gateway:
        yield Expected("Gateway", plan.ambient_gateway, root, (names.HBONE_PORT,))


def found(facts: ClusterFacts, gateway: Expected) -> Object | Unread | None:
    """The object of a gateway; None where there is none."""
    part = Part.SERVICES if gateway.kind == "Service" else Part.AMBIENT_GATEWAYS
    objects = facts.read(part)
    if isinstance(objects, Unread):
        return objects
    wanted = (gateway.name, gateway.namespace)
    return next((o for o in objects if (o["metadata"]["name"], o["metadata"]["namespace"]) == wanted), None)


def addresses(item: Object) -> tuple[str, ...]:
    """IPs and host names at which peers would find a gateway."""
    status = item.get("status") or {}
    ingress = (status.get("loadBalancer") or {}).get("ingress") or ()
    balanced = (entry.get("ip") or entry.get("hostname") for entry in ingress)
    stated = (entry.get("value") for entry in status.get("addresses") or ())
    return tuple(str(one) for one in (*balanced, *(item["spec"].get("externalIPs") or ()), *stated) if one)


def doors(mesh: MeshSettings, plan: ClusterPlan, facts: ClusterFacts) -> Iterator[tuple[str, int]]:
    """Where somebody should knock."""
    for gateway in expected(mesh, plan):
        item = found(facts, gateway)
        if item is not None and not isinstance(item, Unread):
            # The port of its own health tells a gateway that is there from one that is not.
            ports = (*gateway.ports, names.STATUS_PORT)
            yield from ((address, port) for address in addresses(item) for port in ports)


def runs(pod: Object) -> bool:
    """Whether containers really run in a pod: all ready, and none of them pretended by the lab."""
    containers = (pod.get("status") or {}).get("containerStatuses") or ()
    return bool(containers) and all(
        container.get("ready") and not str(container.get("containerID", "")).startswith(STAND_IN)
        for container in containers
    )


def pretended(pod: Object) -> bool:
    """Whether the lab pretends this pod."""
    containers = (pod.get("status") or {}).get("containerStatuses") or ()
    return any(str(container.get("containerID", "")).startswith(STAND_IN) for container in containers)


def proxies(facts: ClusterFacts, gateway: Expected) -> tuple[Object, ...] | Unread:
    """The pods of a gateway."""
    pods = facts.read(Part.PODS)
    if isinstance(pods, Unread):
        return pods
    key, value = gateway.selector
    if not key:
        key, value = "gateway.networking.k8s.io/gateway-name", gateway.name
    return tuple(
        pod
        for pod in pods
        if pod["metadata"]["namespace"] == gateway.namespace and (pod["metadata"].get("labels") or {}).get(key) == value
    )
