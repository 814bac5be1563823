"""Faults of control planes that this program installs."""

from __future__ import annotations

import json

from tests.support import authorities
from tests.support.faults import NAMESPACE, REVISION, Mesh, encoded

_HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
_INJECTOR = f"{_HOOKS}/istio-sidecar-injector-{REVISION}-{NAMESPACE}"
_TAG = f"{_HOOKS}/istio-revision-tag-prod-{NAMESPACE}"
_ISTIOD = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/istiod-{REVISION}"
_VALUES = f"/api/v1/namespaces/{NAMESPACE}/configmaps/istio-sidecar-injector-{REVISION}"


def no_istiod(mesh: Mesh) -> None:
    mesh.delete("cluster2", _ISTIOD)


def another_version(mesh: Mesh) -> None:
    """By hand; the other fields of the container stay."""
    spec = mesh.apis["cluster2"].get(_ISTIOD)["spec"]["template"]["spec"]
    spec["containers"][0]["image"] = "istiod-stand-in:1.30.1"
    mesh.patch("cluster2", _ISTIOD, {"spec": {"template": {"spec": {"containers": spec["containers"]}}}})


def no_injector(mesh: Mesh) -> None:
    mesh.delete("cluster2", _INJECTOR)


def no_tag(mesh: Mesh) -> None:
    mesh.delete("cluster2", _TAG)


def _bundle(mesh: Mesh, bundle: str | None) -> None:
    hooks = mesh.apis["cluster2"].get(_INJECTOR)["webhooks"]
    for hook in hooks:
        hook["clientConfig"]["caBundle"] = bundle
    mesh.patch("cluster2", _INJECTOR, {"webhooks": hooks})


def no_bundle(mesh: Mesh) -> None:
    _bundle(mesh, None)


def another_bundle(mesh: Mesh) -> None:
    _bundle(mesh, encoded(authorities.root(authorities.key(number=7)).pem))


def another_revision(mesh: Mesh) -> None:
    mesh.patch("cluster2", _TAG, {"metadata": {"labels": {"istio.io/rev": "other"}}})


def another_network(mesh: Mesh) -> None:
    values = json.loads(mesh.apis["cluster2"].get(_VALUES)["data"]["values"])
    values["global"]["network"] = "network9"
    mesh.patch("cluster2", _VALUES, {"data": {"values": json.dumps(values)}})
