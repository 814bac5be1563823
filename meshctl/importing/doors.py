"""How a gateway's proxy is run and reached, whatever the gateway is for: from its objects to what a document says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mesh_components.gateways.objects import LIMITS, REQUESTS
from mesh_components.settings.base import ResourceAmounts
from mesh_components.topology import names
from mesh_components.topology.load_balancers import ANNOTATIONS, Place
from meshctl.importing import makers
from meshctl.importing.asking import Asking, Object
from meshctl.local.providers.kubernetes.compare import lacking

SERVICE_TYPE = "networking.istio.io/service-type"
"""Annotation of a Gateway: what Service istiod makes for it."""


@dataclass(frozen=True)
class Door:
    """A gateway's Service, its proxy and its autoscaler."""

    service_type: str
    annotations: Mapping[str, str]
    source_ranges: tuple[str, ...]
    external_ips: tuple[str, ...]
    min_replicas: int
    max_replicas: int
    revision: str
    others: frozenset[str] = frozenset()
    """Who has made it, where it was not this library."""
    requests: Mapping[str, str] = field(default_factory=dict)
    """What is not as in Istio's chart, or in istiod's template."""
    limits: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    """Of the Service, by name. Empty where istiod makes the Service."""
    node_ports: Mapping[int, int] = field(default_factory=dict)
    """Those that were asked for, by port of the Service: not what the API server has picked."""
    network_policy: bool = False
    """This library has made one for it."""

    def settings(self, place: Place = "generic") -> dict[str, Any]:
        """As models of the settings have it; `place` is where its load balancer is."""
        scope, annotations = _scope(place, self.annotations)
        return {
            "service_type": self.service_type,
            "load_balancer": scope,
            "annotations": annotations,
            "external_ips": self.external_ips,
            "load_balancer_source_ranges": self.source_ranges,
            **self.size(),
        }

    def size(self) -> dict[str, Any]:
        """The same, of what every gateway has."""
        return {
            "min_replicas": self.min_replicas,
            "max_replicas": self.max_replicas,
            "requests": dict(self.requests),
            "limits": dict(self.limits),
            "revision": "" if self.revision == names.UNNAMED_REVISION else self.revision,
        }


def proxy(asking: Asking, namespace: str, name: str) -> Door | None:
    """A gateway whose objects all have its name; None where it has no Service."""
    service = asking.one(f"/api/v1/namespaces/{namespace}/services/{name}")
    if service is None:
        return None
    deployment = asking.one(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}") or {}
    scaler = asking.one(f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}") or {}
    return of_proxy(service, deployment, scaler, policy=_policy(asking, namespace, name))


def api_gateway(asking: Asking, gateway: Object) -> Door:
    """A Gateway of the Gateway API, whose proxy istiod makes."""
    namespace, name = gateway["metadata"]["namespace"], gateway["metadata"]["name"]
    parameters = _mapping(_infrastructure(gateway).get("parametersRef")).get("name")
    found = asking.one(f"/api/v1/namespaces/{namespace}/configmaps/{parameters}") if parameters else None
    return of_gateway(gateway, (found or {}).get("data") or {}, policy=_policy(asking, namespace, name))


def of_proxy(service: Object, deployment: Object, scaler: Object, *, policy: bool = False) -> Door:
    """From the Service, and from Deployment and autoscaler as far as they are there."""
    template = _mapping(_mapping(deployment.get("spec")).get("template"))
    labels = _mapping(_mapping(template.get("metadata")).get("labels"))
    resources = _resources(_mapping(template.get("spec")))
    spec, scaled = service["spec"], _replicas(scaler.get("spec"))
    return Door(
        service_type=str(spec.get("type", "ClusterIP")),
        annotations=_stated(service),
        source_ranges=tuple(spec.get("loadBalancerSourceRanges") or ()),
        external_ips=tuple(spec.get("externalIPs") or ()),
        min_replicas=scaled[0],
        max_replicas=scaled[1],
        revision=str(labels.get(names.REVISION_LABEL, "")),
        others=makers.others(service["metadata"]),
        requests=_otherwise("requests", resources, REQUESTS),
        limits=_otherwise("limits", resources, LIMITS),
        ports={str(port.get("name")): int(port["port"]) for port in spec.get("ports") or ()},
        node_ports=_asked_for(service),
        network_policy=policy,
    )


def of_gateway(gateway: Object, parameters: Mapping[str, str], *, policy: bool = False) -> Door:
    """From the Gateway, and the ConfigMap with what is otherwise than istiod makes it."""
    metadata, asked = gateway["metadata"], _infrastructure(gateway)
    patches = {key: _mapping(as_yaml(text).get("spec")) for key, text in parameters.items()}
    service, pod = patches.get("service", {}), _mapping(patches.get("deployment", {}).get("template"))
    resources, scaled = _resources(_mapping(pod.get("spec"))), _replicas(patches.get("horizontalPodAutoscaler"))
    return Door(
        service_type=str(_mapping(metadata.get("annotations")).get(SERVICE_TYPE, "LoadBalancer")),
        annotations=dict(asked.get("annotations") or {}),
        source_ranges=tuple(service.get("loadBalancerSourceRanges") or ()),
        external_ips=tuple(service.get("externalIPs") or ()),
        min_replicas=scaled[0],
        max_replicas=scaled[1],
        revision=str(_mapping(metadata.get("labels")).get(names.REVISION_LABEL, "")),
        others=makers.others(metadata),
        requests=_otherwise("requests", resources, ResourceAmounts()),
        limits=_otherwise("limits", resources, ResourceAmounts()),
        node_ports={port["port"]: port["nodePort"] for port in service.get("ports") or () if "nodePort" in port},
        network_policy=policy,
    )


def as_yaml(text: str) -> Mapping[str, Any]:
    """A mapping that is written as YAML; empty where it is none."""
    import yaml

    try:
        return _mapping(yaml.safe_load(text))
    except yaml.YAMLError:
        return {}


def _scope(place: Place, annotations: Mapping[str, str]) -> tuple[str | None, dict[str, str]]:
    """Which load balancer the annotations ask for, where those of the platform do, and what they say besides."""
    presets = sorted(ANNOTATIONS.get(place, {}).items(), key=lambda item: -len(item[1]))
    for scope, preset in presets:
        if preset and preset.items() <= annotations.items():
            return scope, {key: value for key, value in annotations.items() if key not in preset}
    return None, dict(annotations)


def _policy(asking: Asking, namespace: str, name: str) -> bool:
    found = asking.one(f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies/{name}")
    return found is not None and not makers.others(found["metadata"])


def _replicas(scaled: Any) -> tuple[int, int]:
    found = _mapping(scaled)
    return max(1, int(found.get("minReplicas") or 1)), int(found.get("maxReplicas") or 5)


def _resources(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    found = [item for item in pod.get("containers") or () if item.get("name") == "istio-proxy"]
    return _mapping(found[0].get("resources")) if found else {}


def _otherwise(kind: str, resources: Mapping[str, Any], usual: ResourceAmounts) -> dict[str, str]:
    """Amounts that are not the usual ones. The API server writes 2000m as 2."""
    known = usual.model_dump()
    return {
        key: str(value)
        for key, value in _mapping(resources.get(kind)).items()
        if key in known and any(lacking({kind: {key: known[key]}}, {kind: {key: value}}))
    }


def _asked_for(service: Object) -> dict[int, int]:
    """The ports of nodes that somebody has written."""
    asked = {
        json.loads(key.removeprefix("k:")).get("port")
        for fields in _applied(service)
        for key, port in _mapping(_mapping(fields.get("f:spec")).get("f:ports")).items()
        if key.startswith("k:") and "f:nodePort" in port
    }
    ports = service["spec"].get("ports") or ()
    return {int(port["port"]): int(port["nodePort"]) for port in ports if port["port"] in asked and "nodePort" in port}


def _stated(service: Object) -> dict[str, str]:
    """Annotations that somebody wrote, and no controller."""
    written = service["metadata"].get("annotations") or {}
    own = {
        key.removeprefix("f:")
        for fields in _applied(service)
        for key in _mapping(_mapping(fields.get("f:metadata")).get("f:annotations"))
    }
    return {key: value for key, value in sorted(written.items()) if key in own}


def _applied(item: Object) -> Iterator[Mapping[str, Any]]:
    for entry in item["metadata"].get("managedFields") or ():
        if entry.get("operation") == "Apply" and entry.get("subresource") is None:
            yield _mapping(entry.get("fieldsV1"))


def _infrastructure(gateway: Object) -> Mapping[str, Any]:
    return _mapping(_mapping(gateway.get("spec")).get("infrastructure"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
