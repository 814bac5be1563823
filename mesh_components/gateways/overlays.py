"""How large the proxy of an ambient gateway is, and who may reach it, in the words that istiod takes.

istiod makes the proxy's objects from a template of its own and merges over each what the ConfigMap in the Gateway's
`spec.infrastructure.parametersRef` says of its kind: a strategic merge patch a key. The autoscaler and the disruption
budget exist only where there is one for them (istio/istio pilot/pkg/config/kube/gateway/deploymentcontroller.go, from
1.30 on gatewaycommon/; the same five keys in 1.27 to 1.31).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from mesh_components.gateways import objects
from mesh_components.gateways.proxy import ProxyArgs

_REPLICAS = ("min_replicas", "max_replicas")


def overlays(args: ProxyArgs) -> dict[str, str]:
    """The ConfigMap's data; empty where all is as istiod makes it."""
    return {key: yaml.safe_dump(patch, sort_keys=False) for key, patch in _patches(args).items()}


def _patches(args: ProxyArgs) -> Mapping[str, Any]:
    made: dict[str, Any] = {}
    stated = {"requests": args.requests, "limits": args.limits}
    amounts = {kind: given for kind, amount in stated.items() if (given := amount.model_dump(exclude_none=True))}
    if amounts:
        # By this name the patch finds the container; what is not stated stays as istiod's template has it.
        container = {"name": "istio-proxy", "resources": amounts}
        made["deployment"] = {"spec": {"template": {"spec": {"containers": [container]}}}}
    if service := _service(args):
        made["service"] = {"spec": service}
    if any(getattr(args, name) != ProxyArgs.model_fields[name].default for name in _REPLICAS):
        made["horizontalPodAutoscaler"] = {"spec": objects.scaling(args.min_replicas, args.max_replicas)}
    if args.min_replicas > 1:
        made["podDisruptionBudget"] = {"spec": objects.KEEPS_ONE}
    return made


def _service(args: ProxyArgs) -> Mapping[str, Any]:
    stated = {"loadBalancerSourceRanges": args.load_balancer_source_ranges, "externalIPs": args.external_ips}
    # By its port the patch finds an entry.
    ports = [{"port": port, "nodePort": node_port} for port, node_port in args.node_ports.items()]
    return {**{key: list(value) for key, value in stated.items() if value}, **({"ports": ports} if ports else {})}
