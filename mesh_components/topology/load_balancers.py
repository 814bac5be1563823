"""How a platform's load balancers behave, and what a Service has to say to get one that passes TCP through.

Istio's gateways end no TLS on the way between networks, so a load balancer has to be of layer 4. Each cloud asks for
that in annotations of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mesh_components.settings.gateway import EastWestSettings, GatewaySettings
from mesh_components.settings.location import AddressType, Cloud, Platform
from mesh_components.topology.names import is_ip

Scope = Literal["public", "internal"]

_IBM = "service.kubernetes.io/ibm-load-balancer-cloud-provider"
_AWS = "service.beta.kubernetes.io/aws-load-balancer"


def _aws(scheme: str) -> dict[str, str]:
    return {
        f"{_AWS}-type": "external",
        f"{_AWS}-scheme": scheme,
        f"{_AWS}-nlb-target-type": "ip",
        f"{_AWS}-healthcheck-protocol": "http",
        f"{_AWS}-healthcheck-port": "15021",
        f"{_AWS}-healthcheck-path": "/healthz/ready",
    }


Place = Platform | Cloud

ANNOTATIONS: Mapping[Place, Mapping[Scope, Mapping[str, str]]] = {
    # A network load balancer on a backend service; the older kind knows neither DNS names nor more than one backend
    # (https://cloud.google.com/kubernetes-engine/docs/how-to/backend-service-based-external-load-balancer).
    "gke": {
        "public": {"cloud.google.com/l4-rbs": "enabled"},
        "internal": {
            "networking.gke.io/load-balancer-type": "Internal",
            "networking.gke.io/internal-load-balancer-allow-global-access": "true",
        },
    },
    # The NLB of VPC clusters has an IP, the ALB a host name (https://cloud.ibm.com/docs/containers?topic=containers-vpclb-about).
    "ibm": {
        "public": {f"{_IBM}-ip-type": "public", f"{_IBM}-enable-features": "nlb"},
        "internal": {f"{_IBM}-ip-type": "private", f"{_IBM}-enable-features": "nlb"},
    },
    # Classic clusters have load balancers inside of themselves, NLB 1.0, each with a portable IP of the VLAN
    # (https://cloud.ibm.com/docs/containers?topic=containers-loadbalancer).
    "ibm-classic": {"public": {f"{_IBM}-ip-type": "public"}, "internal": {f"{_IBM}-ip-type": "private"}},
    # AWS Load Balancer Controller; without a scheme it makes internal ones
    # (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/).
    "eks": {"public": _aws("internet-facing"), "internal": _aws("internal")},
    # Azure's standard load balancer is of layer 4 and public as it is (https://cloud-provider-azure.sigs.k8s.io/topics/loadbalancer/).
    "aks": {"public": {}, "internal": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}},
    # servicelb publishes the addresses of the nodes, whatever network those are in (https://docs.k3s.io/networking/networking-services).
    "k3s": {"internal": {}, "public": {}},
    # cloud-provider-kind and MetalLB give addresses of the machine's own container network.
    "kind": {"internal": {}},
}
"""By platform, or the cloud below it, and scope. Platforms that are not here, OpenShift among them, run on many clouds:
`cloud` says on which."""

ADDRESS_TYPES: Mapping[Place, AddressType] = {"eks": "hostname", "ibm": "hostname"}
"""What a load balancer has where no annotations of ours ask for another one; an IP on all other platforms."""

_WITH_ANNOTATIONS: Mapping[Place, AddressType] = {**ADDRESS_TYPES, "ibm": "ip"}


def is_internal(annotations: Mapping[str, str]) -> bool:
    """Whether a Service's annotations keep its load balancer inside of a cloud's network, on any platform."""
    return any(
        annotations.get(key) == value
        for scopes in ANNOTATIONS.values()
        for key, value in scopes.get("internal", {}).items()
        if scopes.get("public", {}).get(key) != value
    )


@dataclass(frozen=True)
class LoadBalancer:
    """How a gateway's load balancer behaves."""

    address_type: AddressType
    annotations: Mapping[str, str] = field(default_factory=dict)
    scope: Scope | None = None
    """None: whatever the platform gives, which the document does not tell."""
    source_ranges: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    external_ips: tuple[str, ...] = ()
    """Where there is none: addresses that lead to nodes."""


def load_balancer(place: Place, stated: GatewaySettings, ports: tuple[int, ...] = ()) -> LoadBalancer:
    """What follows from the platform, or the cloud below it, and from what the document says of the gateway."""
    scope = stated.load_balancer
    preset = ANNOTATIONS.get(place, {}).get(scope, {}) if scope else {}
    return LoadBalancer(
        address_type=_address_type(place, stated),
        annotations={**preset, **stated.annotations},
        scope=scope,
        source_ranges=stated.load_balancer_source_ranges,
        ports=ports,
        external_ips=stated.external_ips,
    )


def _address_type(place: Place, stated: GatewaySettings) -> AddressType:
    if isinstance(stated, EastWestSettings) and stated.address_type is not None:
        return stated.address_type
    if stated.address is not None:
        return "ip" if is_ip(stated.address) else "hostname"
    usual = _WITH_ANNOTATIONS if stated.load_balancer else ADDRESS_TYPES
    return usual.get(place, "ip")
