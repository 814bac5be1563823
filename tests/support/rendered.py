"""What stands for charts under mocks: a few of the objects that Istio's charts render, chosen as they choose them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Objects = list[dict[str, Any]]


def rendered(chart: str, values: Mapping[str, Any], namespace: str) -> Objects:
    """Objects of a chart, as the values want them."""
    return CHARTS[chart](values, namespace)


def _base(values: Mapping[str, Any], namespace: str) -> Objects:
    revision = values.get("defaultRevision", "default")
    objects = [
        _object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "gateways.networking.istio.io"),
        _object("v1", "ServiceAccount", "istio-reader-service-account", namespace),
    ]
    if revision:
        istiod = "istiod" if revision == "default" else f"istiod-{revision}"
        objects.append(_validator("istiod-default-validator", istiod, values, namespace))
    return objects


def _istiod(values: Mapping[str, Any], namespace: str) -> Objects:
    suffix = f"-{values['revision']}" if values.get("revision") else ""
    remote = values.get("profile") == "remote"
    address = values.get("global", {}).get("remotePilotAddress")
    objects = [
        _object("v1", "ConfigMap", f"values{suffix}", namespace, data={"original-values": json.dumps(dict(values))}),
        *([] if remote else _serving(values, suffix, namespace)),
        *(_way_out(address, suffix, namespace) if remote and address else []),
    ]
    if not values.get("global", {}).get("operatorManageWebhooks"):
        objects.append(_injector(f"istio-sidecar-injector{suffix}", values, suffix, namespace))
    for tag in values.get("revisionTags", ()):
        labels = {"istio.io/tag": tag}
        objects.append(_injector(f"istio-revision-tag-{tag}", values, suffix, namespace, labels))
        objects.append(_object("v1", "Service", f"istiod-revision-tag-{tag}", namespace, labels, spec={}))
    validated = values.get("global", {}).get("configValidation", True)
    if validated and (not remote or values["global"].get("configCluster")):
        objects.append(_validator(f"istio-validator{suffix}-{namespace}", f"istiod{suffix}", values, namespace))
    return objects


def _serving(values: Mapping[str, Any], suffix: str, namespace: str) -> Objects:
    env = [{"name": name, "value": value} for name, value in values.get("env", {}).items()]
    container = {"name": "discovery", "env": env, "volumeMounts": values.get("volumeMounts", [])}
    pod = {"spec": {"containers": [container], "volumes": values.get("volumes", [])}}
    return [
        _object("v1", "ServiceAccount", f"istiod{suffix}", namespace),
        _object("apps/v1", "Deployment", f"istiod{suffix}", namespace, spec={"template": pod}),
        _object("v1", "Service", f"istiod{suffix}", namespace, spec={"ports": []}),
    ]


def _way_out(address: str, suffix: str, namespace: str) -> Objects:
    by_name = address.endswith(".invalid")
    spec: dict[str, Any] = {"type": "ExternalName", "externalName": address} if by_name else {"ports": []}
    service = _object("v1", "Service", f"istiod{suffix}", namespace, spec=spec)
    endpoints: dict[str, Any] = {"addressType": "IPv4", "endpoints": [{"addresses": [address]}]}
    slice_ = _object("discovery.k8s.io/v1", "EndpointSlice", f"istiod{suffix}", namespace, **endpoints)
    return [service] if by_name else [service, slice_]


def _injector(
    name: str, values: Mapping[str, Any], suffix: str, namespace: str, labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    asked = values.get("istiodRemote", {})
    path = asked.get("injectionPath", "/inject")
    service = {"name": f"istiod{suffix}", "namespace": namespace, "path": path}
    where = {"url": asked["injectionURL"]} if "injectionURL" in asked else {"service": service}
    client = {**where, "caBundle": asked.get("injectionCABundle")}
    hook = {"name": "rev.namespace.sidecar-injector.istio.io", "failurePolicy": "Fail", "clientConfig": client}
    return _object(ADMISSION, "MutatingWebhookConfiguration", name, None, labels, webhooks=[hook])


def _validator(name: str, istiod: str, values: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    asked = values.get("base", {})
    service = {"name": istiod, "namespace": namespace, "path": "/validate"}
    where = {"url": asked["validationURL"]} if "validationURL" in asked else {"service": service}
    client = {**where, "caBundle": asked.get("validationCABundle")}
    policy = asked.get("validationFailurePolicy", "Ignore")
    hook = {"name": "validation.istio.io", "failurePolicy": policy, "clientConfig": client}
    return _object(ADMISSION, "ValidatingWebhookConfiguration", name, webhooks=[hook])


def _node(name: str) -> Callable[[Mapping[str, Any], str], Objects]:
    def objects(_: Mapping[str, Any], namespace: str) -> Objects:
        return [
            _object("v1", "ServiceAccount", name, namespace),
            _object("apps/v1", "DaemonSet", name, namespace, spec={"template": {}}),
        ]

    return objects


def _addon(*named: str, runs: str = "Deployment") -> Callable[[Mapping[str, Any], str], Objects]:
    """What all add-ons have; `named` is where the chart's values say what they are called."""

    def objects(values: Mapping[str, Any], namespace: str) -> Objects:
        found: Any = values
        for key in named:
            found = found[key]
        name = str(found)
        shown = {"values": json.dumps(dict(values))}
        made = [
            _object("v1", "ServiceAccount", name, namespace),
            _object("v1", "ConfigMap", name, namespace, data=shown),
        ]
        if values.get("deployment", {}).get("remote_cluster_resources_only"):
            return made
        annotations = values.get("deployment", {}).get("pod_annotations", {})
        pod = {"metadata": {"annotations": annotations}, "spec": {"serviceAccountName": name}}
        # One without a namespace, as some charts leave it to whoever installs them.
        return [
            *made,
            _object("v1", "Service", name, spec={"ports": []}),
            _object("apps/v1", runs, name, namespace, spec={"template": pod}),
        ]

    return objects


def _object(
    api_version: str,
    kind: str,
    name: str,
    namespace: str | None = None,
    labels: Mapping[str, str] | None = None,
    **rest: Any,
) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    stated = {key: value for key, value in metadata.items() if value is not None}
    return {"apiVersion": api_version, "kind": kind, "metadata": stated, **rest}


ADMISSION = "admissionregistration.k8s.io/v1"
CHARTS: dict[str, Callable[[Mapping[str, Any], str], Objects]] = {
    "base": _base,
    "istiod": _istiod,
    "cni": _node("istio-cni-node"),
    "ztunnel": _node("ztunnel"),
    "prometheus": _addon("server", "fullnameOverride"),
    "kiali-server": _addon("deployment", "instance_name"),
    "grafana": _addon("fullnameOverride"),
    "jaeger": _addon("fullnameOverride"),
    "loki": _addon("fullnameOverride", runs="StatefulSet"),
    "opentelemetry-collector": _addon("fullnameOverride"),
}
