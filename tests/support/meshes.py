"""Meshes to try things on: documents, kubeconfigs and what stands for charts under mocks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from mesh_components import MeshFederation, MeshFederationArgs
from mesh_components.control_plane.placeholders import CA_BUNDLE
from mesh_components.settings import MeshSettings, parse
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError, read
from tests.support.graph import Graph, run
from tests.support.rendered import rendered


def document(*clusters: str, **mesh: Any) -> dict[str, Any]:
    """A valid document: one primary a name, each in a network of its own."""
    members = [{"name": name, "network": f"network-of-{name}", "kubeconfig": {"file": name}} for name in clusters]
    return {"id": "mesh1", "istio": {"install": "none"}, "clusters": members, **mesh}


def kubeconfig(name: str) -> str:
    """A kubeconfig with a token, as text."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example.com:6443"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
            "users": [{"name": name, "user": {"token": f"admin-token-of-{name}"}}],
        }
    )


def kubeconfigs(mesh: MeshSettings) -> dict[int, Kubeconfig | KubeconfigError]:
    """One for every cluster of the mesh, by position."""
    return {position: read(kubeconfig(cluster.name)) for position, cluster in enumerate(mesh.clusters)}


def federation(wanted: Mapping[str, Any], *, preview: bool = False) -> Graph:
    """The graph of a document."""
    mesh = parse(wanted)

    def program() -> None:
        made = MeshFederation("mesh", MeshFederationArgs(mesh=mesh, kubeconfigs=kubeconfigs(mesh)))
        for name, value in made.outputs().items():
            pulumi.export(name, value)

    return run(program, charts=CHARTS, preview=preview)


def _object(kind: str, name: str, api_version: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "istio-system"}, **rest}


_CLIENT = {"service": {"name": "istiod", "namespace": "istio-system"}, "caBundle": CA_BUNDLE}
CHARTS: dict[str, list[dict[str, Any]]] = {
    "base": [
        _object("CustomResourceDefinition", "gateways.networking.istio.io", "apiextensions.k8s.io/v1"),
        _object("ServiceAccount", "istio-reader-service-account", "v1"),
    ],
    "istiod": [
        _object("ServiceAccount", "istiod", "v1"),
        _object("ConfigMap", "values", "v1", data={"merged-values": f"bundle: {CA_BUNDLE}\nrest: as it was\n"}),
        _object("Deployment", "istiod", "apps/v1", spec={"selector": {"matchLabels": {"app": "istiod"}}}),
        _object(
            "ValidatingWebhookConfiguration",
            "istio-validator-istio-system",
            "admissionregistration.k8s.io/v1",
            webhooks=[{"name": "validation.istio.io", "failurePolicy": "Fail", "clientConfig": _CLIENT}],
        ),
    ],
    "cni": rendered("cni", {}),
    "ztunnel": rendered("ztunnel", {}),
}
"""A few of the objects that the official charts render, in their shape."""
