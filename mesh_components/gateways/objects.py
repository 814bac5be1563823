"""The objects of a gateway's proxy as plain data, for a gateway of any name. They equal what the official `gateway`
chart renders, but for the labels that name Helm and the chart; the NetworkPolicy is ours (see there), and a gateway
that presents no certificates has no rights (`rbac.enabled: false` in the chart)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mesh_components.kubernetes import Plain
from mesh_components.settings.base import ResourceAmounts
from mesh_components.topology import names

EAST_WEST_PORTS = (
    # The health check comes first: classic load balancers probe the first port.
    ("status-port", names.STATUS_PORT),
    ("tls", names.MTLS_PORT),
    ("tls-istiod", names.ISTIOD_PORT),
    ("tls-webhook", names.WEBHOOK_PORT),
)
CROSS_MESH_PORTS = tuple((name, port) for name, port in EAST_WEST_PORTS if port in (names.STATUS_PORT, names.MTLS_PORT))
"""Other meshes have nothing to look for at istiod."""
EXTERNAL_PORTS = tuple((name, port) for name, port in EAST_WEST_PORTS if port != names.MTLS_PORT)
"""In front of an external control plane: nothing but istiod is reached through it."""

METRICS_PORTS = (15020, 15090)
"""Where the agent and Envoy are scraped."""

KEEPS_ONE: Mapping[str, Any] = {"minAvailable": 1}
"""What a disruption budget says."""

AS_CHART = ResourceAmounts()
"""What is left out is as in the chart."""
REQUESTS = ResourceAmounts(cpu="100m", memory="128Mi")
LIMITS = ResourceAmounts(cpu="2000m", memory="1024Mi")


@dataclass(frozen=True)
class Proxy:
    """Which gateway the objects belong to."""

    name: str
    """Of all its objects. What follows `istio-` is the value of the label `istio` by which a Gateway selects it."""
    namespace: Any
    ports: tuple[tuple[str, int], ...]
    """Name and number of the Service's ports."""
    network: str = ""
    """Of an east-west gateway: the network it is the door of."""
    revision: str = ""
    """Revision or tag that injects it."""
    reads_secrets: bool = True
    """Its Gateways name certificates (`credentialName`). istiod hands those to a proxy only whose account may list the
    Secrets of its namespace (istio/istio pilot/pkg/xds/sds.go, `filterAuthorizedResources`). A gateway that passes TLS
    through needs none of them, and beside it in the root namespace lies the key with which istiod signs."""

    @property
    def selector(self) -> dict[str, str]:
        """Labels that its pods have, and no others."""
        return {"app": self.name, "istio": names.gateway_label(self.name)}


def account(proxy: Proxy) -> Plain:
    """The proxy's account."""
    return _object(proxy, "v1", "ServiceAccount")


def role(proxy: Proxy) -> Plain:
    """Reading Secrets of the namespace, where a gateway's own certificates are."""
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "watch", "list"]}]
    return _object(proxy, "rbac.authorization.k8s.io/v1", "Role", rules=rules)


def role_binding(proxy: Proxy) -> Plain:
    """The role, given to the account."""
    return _object(
        proxy,
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": proxy.name},
        subjects=[{"kind": "ServiceAccount", "name": proxy.name}],
    )


def service(
    proxy: Proxy,
    service_type: str,
    annotations: Mapping[str, str],
    source_ranges: Sequence[str],
    external_ips: Sequence[str] = (),
    node_ports: Mapping[int, int] = MappingProxyType({}),
) -> Plain:
    """The Service. Peers find that of an east-west gateway by its network label and its port 15443, at the addresses of
    its load balancer and its external IPs (istio/istio pilot/pkg/serviceregistry/kube/conversion.go)."""
    spec: dict[str, Any] = {
        "type": service_type,
        "ports": [_port(name, port, node_ports) for name, port in proxy.ports],
        "selector": proxy.selector,
    }
    if source_ranges:
        spec["loadBalancerSourceRanges"] = list(source_ranges)
    if external_ips:
        spec["externalIPs"] = list(external_ips)
    made = _object(proxy, "v1", "Service", spec=spec)
    made["metadata"]["labels"].update(_network(proxy))
    if annotations:
        made["metadata"]["annotations"] = dict(annotations)
    return made


def deployment(proxy: Proxy, requests: ResourceAmounts = AS_CHART, limits: ResourceAmounts = AS_CHART) -> Plain:
    """The proxy. Its image is `auto`: istiod's injector puts the right one in, so istiod has to serve before it."""
    pod_labels = {
        **_labels(proxy),
        "sidecar.istio.io/inject": "true",
        **_network(proxy),
        **({names.REVISION_LABEL: proxy.revision} if proxy.revision else {}),
    }
    annotations = {
        "inject.istio.io/templates": "gateway",
        "prometheus.io/path": "/stats/prometheus",
        "prometheus.io/port": "15020",
        "prometheus.io/scrape": "true",
        "sidecar.istio.io/inject": "true",
    }
    pod = {
        "serviceAccountName": proxy.name,
        "securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
        "containers": [_container(proxy, _amounts(REQUESTS, requests), _amounts(LIMITS, limits))],
        "terminationGracePeriodSeconds": 30,
    }
    template = {"metadata": {"annotations": annotations, "labels": pod_labels}, "spec": pod}
    spec = {"selector": {"matchLabels": proxy.selector}, "template": template}
    return _object(proxy, "apps/v1", "Deployment", spec=spec)


def autoscaler(proxy: Proxy, min_replicas: int, max_replicas: int) -> Plain:
    """Scales the Deployment of the same name."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": proxy.name}
    spec = {"scaleTargetRef": target, **scaling(min_replicas, max_replicas)}
    return _object(proxy, "autoscaling/v2", "HorizontalPodAutoscaler", spec=spec)


def scaling(min_replicas: int, max_replicas: int) -> dict[str, Any]:
    """On CPU at 80 %, as the chart does."""
    target = {"averageUtilization": 80, "type": "Utilization"}
    return {
        "minReplicas": min_replicas,
        "maxReplicas": max_replicas,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }


def disruption_budget(proxy: Proxy) -> Plain:
    """Keeps one proxy through a node's maintenance. Only of use with two or more."""
    spec = {**KEEPS_ONE, "selector": {"matchLabels": proxy.selector}}
    return _object(proxy, "policy/v1", "PodDisruptionBudget", spec=spec)


def network_policy(proxy: Proxy) -> Plain:
    """Everyone may come to the gateway's ports, and it may go anywhere.

    The chart's own policy opens `service.ports`, which a network gateway does not use: 15443, 15012 and 15017 stay
    shut, and no other network gets in (manifests/charts/gateway/templates/networkpolicy.yaml, also in 1.31).
    """
    spec = policy_spec(proxy.selector, [port for _, port in proxy.ports])
    return _object(proxy, "networking.k8s.io/v1", "NetworkPolicy", spec=spec)


def policy_spec(selector: Mapping[str, str], ports: Sequence[int]) -> dict[str, Any]:
    """What the NetworkPolicy of a gateway says, whoever runs its pods."""
    return {
        "podSelector": {"matchLabels": dict(selector)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"protocol": "TCP", "port": port} for port in (*ports, *METRICS_PORTS)]}],
        "egress": [{}],
    }


def load_balancer_address(status: Mapping[str, Any] | None) -> str | None:
    """The IP or host name in a Service's status; None where it has none."""
    ingress = ((status or {}).get("loadBalancer") or {}).get("ingress") or []
    return (ingress[0].get("ip") or ingress[0].get("hostname")) if ingress else None


def _port(name: str, port: int, node_ports: Mapping[int, int]) -> dict[str, Any]:
    fixed = {"nodePort": node_ports[port]} if port in node_ports else {}
    return {"name": name, "port": port, "targetPort": port, "protocol": "TCP", **fixed}


def _container(proxy: Proxy, requests: Mapping[str, str], limits: Mapping[str, str]) -> dict[str, Any]:
    view = {"name": "ISTIO_META_REQUESTED_NETWORK_VIEW", "value": proxy.network}
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
        **({"env": [view]} if proxy.network else {}),
        "ports": [{"containerPort": 15090, "protocol": "TCP", "name": "http-envoy-prom"}],
        "resources": {"limits": limits, "requests": requests},
    }


def _amounts(default: ResourceAmounts, stated: ResourceAmounts) -> dict[str, str]:
    return {**default.model_dump(exclude_none=True), **stated.model_dump(exclude_none=True)}


def _network(proxy: Proxy) -> dict[str, str]:
    return {names.NETWORK_LABEL: proxy.network} if proxy.network else {}


def _labels(proxy: Proxy) -> dict[str, str]:
    return {
        **proxy.selector,
        "app.kubernetes.io/name": proxy.name,
        "app.kubernetes.io/instance": proxy.name,
        "app.kubernetes.io/managed-by": "Pulumi",
        "app.kubernetes.io/part-of": "istio",
        "istio.io/dataplane-mode": "none",
    }


def _object(proxy: Proxy, api_version: str, kind: str, **rest: Any) -> dict[str, Any]:
    metadata = {"name": proxy.name, "namespace": proxy.namespace, "labels": _labels(proxy)}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}
