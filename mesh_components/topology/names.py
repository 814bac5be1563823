"""The names that Istio's own tools and documentation use, in one place. Pure functions, no Pulumi."""

from __future__ import annotations

from ipaddress import ip_address

CACERTS = "cacerts"
CROSS_NETWORK_GATEWAY = "cross-network-gateway"
EAST_WEST_GATEWAY = "istio-eastwestgateway"
CROSS_MESH_GATEWAY = "istio-crossmeshgateway"
"""Of its pods and Service; the Gateway on it has the name without `istio-`."""
AMBIENT_GATEWAY = "istio-eastwestgateway-ambient"
INGRESS_GATEWAY = "istio-ingressgateway"
EGRESS_GATEWAY = "istio-egressgateway"
LOCAL_NAMESPACE = "istio-system"
"""Where an external control plane's cluster has the Istio that runs the gateway in front of it."""
CONFIG_SECRET = "istio-kubeconfig"  # noqa: S105 - the name of one
BUNDLED_SECRET = "istio-remote-secrets"  # noqa: S105 - the name of one
ROOT_CERT = "istio-ca-root-cert"
"""ConfigMap in which istiod gives the roots to the workloads of a namespace."""
READER_ACCOUNT = "istio-reader-service-account"
OWN_READER = "mesh-reader"
"""The account with no more rights than istiod asks for."""

NETWORK_LABEL = "topology.istio.io/network"
MULTI_CLUSTER_LABEL = "istio/multiCluster"
CLUSTER_ANNOTATION = "networking.istio.io/cluster"
CONTROL_PLANE_ANNOTATION = "topology.istio.io/controlPlaneClusters"
KIALI_MULTI_CLUSTER_LABEL = "kiali.io/multiCluster"
KIALI_CLUSTER_ANNOTATION = "kiali.io/cluster"
REVISION_LABEL = "istio.io/rev"
USE_WAYPOINT_LABEL = "istio.io/use-waypoint"
"""On a namespace: the name of the waypoint for all in it that says nothing else
(https://istio.io/latest/docs/ambient/usage/waypoint/)."""
WAYPOINT_FOR_LABEL = "istio.io/waypoint-for"
WAYPOINT_CLASS = "istio-waypoint"
UNNAMED_REVISION = "default"
"""What labels and charts call the revision without a name; as a tag, what `istio-injection: enabled` follows."""

MULTI_ROOT_ISTIOD, MULTI_ROOT_PROXY = "ISTIO_MULTIROOT_MESH", "PROXY_CONFIG_XDS_AGENT"
"""Environment variables with which istiod and proxies take more than one root."""

STATUS_PORT, MTLS_PORT, ISTIOD_PORT, WEBHOOK_PORT, HBONE_PORT = 15021, 15443, 15012, 15017, 15008


def numbered(name: str, number: int) -> str:
    """Name of what comes in generations: the first has the bare name, the others a dot, which no cluster's name has."""
    return name if number == 1 else f"{name}.{number}"


def gateway_label(name: str) -> str:
    """The label `istio` of a gateway's pods, by which Istio's Gateways select them."""
    return name.removeprefix("istio-")


def service_host(service: str, namespace: str) -> str:
    """A Service's name in full."""
    return f"{service}.{namespace}.svc.cluster.local"


def remote_secret(cluster: str) -> str:
    """Name of the Secret with which `cluster` is announced to a peer's istiod."""
    return f"istio-remote-secret-{cluster}"


def kiali_secret(cluster: str) -> str:
    """Name of the Secret with which Kiali reads `cluster`."""
    return f"kiali-remote-cluster-secret-{cluster}"


def istiod(revision: str) -> str:
    """Name of istiod's Deployment and Service."""
    return f"istiod-{revision}" if revision else "istiod"


def reader_token(account: str = READER_ACCOUNT, serial: int = 1) -> str:
    """Name of the Secret that `istioctl create-remote-secret` makes for a reader's token, and of those after it."""
    return numbered(f"{account}-istio-remote-secret-token", serial)


def token_binding(account: str = READER_ACCOUNT, serial: int = 1) -> str:
    """Name of the Secret that requested tokens live and die with."""
    return numbered(f"{account}-requested-token", serial)


def istiod_host(revision: str, namespace: str) -> str:
    """istiod's name inside of a cluster, which its certificate carries."""
    return f"{istiod(revision)}.{namespace}.svc"


def istiod_service(revision: str, namespace: str) -> str:
    """The same in full, as Istio's own configuration names a Service."""
    return f"{istiod_host(revision, namespace)}.cluster.local"


def is_ip(address: str) -> bool:
    """Whether the address is an IP, and no host name."""
    try:
        ip_address(address)
    except ValueError:
        return False
    return True
