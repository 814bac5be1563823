"""The objects of an east-west gateway as plain data. They equal what the official `gateway` chart renders with
`networkGateway`, but for the labels that name Helm and the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesh_components.kubernetes import Plain
from mesh_components.topology import names

PORTS = (
    # The health check comes first: classic load balancers probe the first port.
    ("status-port", names.STATUS_PORT),
    ("tls", names.MTLS_PORT),
    ("tls-istiod", names.ISTIOD_PORT),
    ("tls-webhook", names.WEBHOOK_PORT),
)

_SELECTOR = {"app": names.EAST_WEST_GATEWAY, "istio": "eastwestgateway"}
_COMMON = {
    **_SELECTOR,
    "app.kubernetes.io/name": names.EAST_WEST_GATEWAY,
    "app.kubernetes.io/instance": names.EAST_WEST_GATEWAY,
    "app.kubernetes.io/managed-by": "Pulumi",
    "app.kubernetes.io/part-of": "istio",
    "istio.io/dataplane-mode": "none",
}


def account(namespace: Any) -> Plain:
    """The proxy's account."""
    return _object("v1", "ServiceAccount", namespace)


def role(namespace: Any) -> Plain:
    """Reading Secrets of the namespace, where a gateway's own certificates would be."""
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "watch", "list"]}]
    return _object("rbac.authorization.k8s.io/v1", "Role", namespace, rules=rules)


def role_binding(namespace: Any) -> Plain:
    """The role, given to the account."""
    return _object(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        namespace,
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": names.EAST_WEST_GATEWAY},
        subjects=[{"kind": "ServiceAccount", "name": names.EAST_WEST_GATEWAY}],
    )


def service(
    namespace: Any, network: str, service_type: str, annotations: Mapping[str, str], source_ranges: Sequence[str]
) -> Plain:
    """The Service that peers find by its network label and its port 15443."""
    spec: dict[str, Any] = {
        "type": service_type,
        "ports": [{"name": name, "port": port, "targetPort": port, "protocol": "TCP"} for name, port in PORTS],
        "selector": _SELECTOR,
    }
    if source_ranges:
        spec["loadBalancerSourceRanges"] = list(source_ranges)
    made = _object("v1", "Service", namespace, spec=spec)
    metadata = made["metadata"]
    metadata["labels"] = {**metadata["labels"], names.NETWORK_LABEL: network}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return made


def deployment(namespace: Any, network: str, revision: str) -> Plain:
    """The proxy. Its image is `auto`: istiod's injector puts the right one in, so istiod has to serve before it."""
    pod_labels = {
        **_COMMON,
        "sidecar.istio.io/inject": "true",
        names.NETWORK_LABEL: network,
        **({"istio.io/rev": revision} if revision else {}),
    }
    annotations = {
        "inject.istio.io/templates": "gateway",
        "prometheus.io/path": "/stats/prometheus",
        "prometheus.io/port": "15020",
        "prometheus.io/scrape": "true",
        "sidecar.istio.io/inject": "true",
    }
    pod = {
        "serviceAccountName": names.EAST_WEST_GATEWAY,
        "securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
        "containers": [_proxy(network)],
        "terminationGracePeriodSeconds": 30,
    }
    template = {"metadata": {"annotations": annotations, "labels": pod_labels}, "spec": pod}
    return _object(
        "apps/v1", "Deployment", namespace, spec={"selector": {"matchLabels": _SELECTOR}, "template": template}
    )


def autoscaler(namespace: Any, min_replicas: int, max_replicas: int) -> Plain:
    """Scales on CPU at 80 %, as the chart does."""
    target = {"averageUtilization": 80, "type": "Utilization"}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.EAST_WEST_GATEWAY},
        "minReplicas": min_replicas,
        "maxReplicas": max_replicas,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    return _object("autoscaling/v2", "HorizontalPodAutoscaler", namespace, spec=spec)


def disruption_budget(namespace: Any) -> Plain:
    """Keeps one proxy through a node's maintenance. Only of use with two or more."""
    spec = {"minAvailable": 1, "selector": {"matchLabels": _SELECTOR}}
    return _object("policy/v1", "PodDisruptionBudget", namespace, spec=spec)


def expose_services(namespace: Any, hosts: Sequence[str]) -> Plain:
    """The Gateway that lets mesh traffic of other networks through, TLS untouched, routed by SNI
    (https://istio.io/latest/docs/setup/install/multicluster/multi-primary_multi-network/)."""
    server = {
        "port": {"number": names.MTLS_PORT, "name": "tls", "protocol": "TLS"},
        "tls": {"mode": "AUTO_PASSTHROUGH"},
        "hosts": list(hosts),
    }
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": names.CROSS_NETWORK_GATEWAY, "namespace": namespace},
        "spec": {"selector": {"istio": "eastwestgateway"}, "servers": [server]},
    }


def load_balancer_address(status: Mapping[str, Any] | None) -> str | None:
    """The IP or host name in a Service's status; None where it has none."""
    ingress = ((status or {}).get("loadBalancer") or {}).get("ingress") or []
    return (ingress[0].get("ip") or ingress[0].get("hostname")) if ingress else None


def _proxy(network: str) -> dict[str, Any]:
    return {
        "name": "istio-proxy",
        "image": "auto",
        "securityContext": {
            "capabilities": {"drop": ["ALL"]},
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "env": [{"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": network}],
        "ports": [{"containerPort": 15090, "protocol": "TCP", "name": "http-envoy-prom"}],
        "resources": {
            "limits": {"cpu": "2000m", "memory": "1024Mi"},
            "requests": {"cpu": "100m", "memory": "128Mi"},
        },
    }


def _object(api_version: str, kind: str, namespace: Any, **rest: Any) -> dict[str, Any]:
    metadata = {"name": names.EAST_WEST_GATEWAY, "namespace": namespace, "labels": dict(_COMMON)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}
