"""Faults of control planes that something else installed, and of the namespace around them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from mesh_components.settings import parse
from meshctl.lab.api import ApiError
from tests.support import authorities
from tests.support.faults import NAMESPACE, Mesh, encoded

_HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
_CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


def other_network(mesh: Mesh) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}"
    mesh.patch("cluster2", path, {"metadata": {"labels": {"topology.istio.io/network": "network9"}}})


def no_namespace(mesh: Mesh) -> None:
    path = f"/api/v1/namespaces/{NAMESPACE}"
    mesh.delete("cluster2", path)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            mesh.apis["cluster2"].get(path)
        except ApiError:
            return
        time.sleep(0.2)


def istiod(mesh: Mesh, version: str, cluster_id: str = "cluster2") -> Callable[[], object]:
    """Something else has installed an istiod."""
    labels = {"app": "istiod"}
    container = {
        "name": "discovery",
        "image": f"registry.istio.io/release/pilot:{version}",
        "env": [{"name": "CLUSTER_ID", "value": cluster_id}],
    }
    spec = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    mesh.post("cluster2", _DEPLOYMENTS, {"metadata": {"name": "istiod"}, "spec": spec})
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if mesh.apis["cluster2"].get(f"{_DEPLOYMENTS}/istiod").get("status", {}).get("availableReplicas"):
            break
        time.sleep(0.1)
    return lambda: mesh.delete("cluster2", f"{_DEPLOYMENTS}/istiod")


def another_version(mesh: Mesh) -> Callable[[], object]:
    return istiod(mesh, "1.30.0")


def skewed(mesh: Mesh) -> Callable[[], object]:
    return istiod(mesh, "1.28.4-distroless")


def another_cluster_id(mesh: Mesh) -> Callable[[], object]:
    return istiod(mesh, _version(mesh), "Kubernetes")


def waiting_istiod(mesh: Mesh) -> Callable[[], object]:
    """Its pods are held back, so none becomes available."""
    heal = istiod(mesh, _version(mesh))
    gates = {"spec": {"replicas": 0}}
    mesh.patch("cluster2", f"{_DEPLOYMENTS}/istiod", gates)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if not mesh.apis["cluster2"].get(f"{_DEPLOYMENTS}/istiod").get("status", {}).get("availableReplicas"):
            break
        time.sleep(0.1)
    return heal


def _version(mesh: Mesh) -> str:
    return parse(mesh.project.document).istio.version


def _config_map(mesh: Mesh, name: str, data: dict[str, str]) -> Callable[[], object]:
    mesh.post("cluster2", _CONFIG_MAPS, {"metadata": {"name": name}, "data": data})
    return lambda: mesh.delete("cluster2", f"{_CONFIG_MAPS}/{name}")


def another_mesh_id(mesh: Mesh) -> Callable[[], object]:
    return _config_map(mesh, "istio", {"mesh": "defaultConfig: {meshId: mesh9}"})


def another_trust_domain(mesh: Mesh) -> Callable[[], object]:
    return _config_map(mesh, "istio", {"mesh": "{trustDomain: other.example, defaultConfig: {meshId: mesh1}}"})


def another_network_of_istiod(mesh: Mesh) -> Callable[[], object]:
    return _config_map(mesh, "istio-sidecar-injector", {"values": json.dumps({"global": {"network": "network9"}})})


def _webhook(mesh: Mesh, bundle: dict[str, str]) -> Callable[[], object]:
    name = "istio-sidecar-injector-check"
    hook = {
        "name": "rev.namespace.sidecar-injector.istio.io",
        "clientConfig": {"service": {"name": "istiod", "namespace": NAMESPACE, "path": "/inject"}, **bundle},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "objectSelector": {"matchLabels": {"nobody": "has-this"}},
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
    }
    metadata = {"name": name, "labels": {"istio.io/rev": "default"}}
    mesh.post("cluster2", _HOOKS, {"metadata": metadata, "webhooks": [hook]})
    return lambda: mesh.delete("cluster2", f"{_HOOKS}/{name}")


def no_bundle(mesh: Mesh) -> Callable[[], object]:
    return _webhook(mesh, {})


def another_bundle(mesh: Mesh) -> Callable[[], object]:
    return _webhook(mesh, {"caBundle": encoded(authorities.root(authorities.key(number=7)).pem)})
