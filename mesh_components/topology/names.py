"""The names that Istio's own tools and documentation use, in one place. Pure functions, no Pulumi."""

from __future__ import annotations

CACERTS = "cacerts"
CROSS_NETWORK_GATEWAY = "cross-network-gateway"
EAST_WEST_GATEWAY = "istio-eastwestgateway"
READER_ACCOUNT = "istio-reader-service-account"

NETWORK_LABEL = "topology.istio.io/network"
MULTI_CLUSTER_LABEL = "istio/multiCluster"
CLUSTER_ANNOTATION = "networking.istio.io/cluster"

STATUS_PORT, MTLS_PORT, ISTIOD_PORT, WEBHOOK_PORT = 15021, 15443, 15012, 15017


def remote_secret(cluster: str) -> str:
    """Name of the Secret with which `cluster` is announced to a peer's istiod."""
    return f"istio-remote-secret-{cluster}"


def istiod(revision: str) -> str:
    """Name of istiod's Deployment and Service."""
    return f"istiod-{revision}" if revision else "istiod"


def reader_token(account: str = READER_ACCOUNT) -> str:
    """Name of the Secret that `istioctl create-remote-secret` makes for a reader's token."""
    return f"{account}-istio-remote-secret-token"
