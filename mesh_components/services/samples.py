"""What sample applications consist of, as plain data. Names, labels and ports are those of Istio's samples, so that
every guide that speaks of them fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from mesh_components.component import child_options
from mesh_components.kubernetes import KubernetesObject, Plain

EXPORTED = {"istio.io/global": "true"}
"""Label of a Service that ambient is to know in all clusters
(https://istio.io/latest/docs/reference/config/labels/)."""
WITHOUT_PODS = {"pulumi.com/skipAwait": "true"}
"""A Service whose pods are in other clusters never has any here, and is not waited for."""


@dataclass(frozen=True)
class Workload:
    """What one Deployment runs."""

    app: str
    image: str
    version: str = ""
    port: int = 0
    account: str = ""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    writable: Mapping[str, str] = field(default_factory=dict)
    """Folders that it writes to, by the name of their volume."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the Deployment."""
        return f"{self.app}-{self.version}" if self.version else self.app


def register(
    component: pulumi.Resource,
    name: str,
    namespace: Plain,
    parts: Mapping[str, Plain],
    opts: pulumi.ResourceOptions | None,
) -> None:
    """Register an application's objects under its component: the namespace, then accounts, then what runs as them.

    Services wait for ready pods by themselves, so nothing that runs may wait for a Service.
    """
    space = KubernetesObject(f"{name}-namespace", namespace, child_options(component, opts))
    accounts = [
        KubernetesObject(f"{name}-{role}", manifest, child_options(component, opts, space))
        for role, manifest in parts.items()
        if manifest["kind"] == "ServiceAccount"
    ]
    for role, manifest in parts.items():
        if manifest["kind"] != "ServiceAccount":
            after = accounts if manifest["kind"] == "Deployment" else []
            KubernetesObject(f"{name}-{role}", manifest, child_options(component, opts, space, *after))


def namespace(name: str, labels: Mapping[str, str]) -> Plain:
    """The namespace, with what brings its pods into the mesh."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


def account(namespace: str, name: str) -> Plain:
    """By which the mesh knows who calls."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def service(namespace: str, app: str, port: int, *, pods: bool, exported: bool) -> Plain:
    """The Service of all versions; `pods`: whether one of them runs in this cluster."""
    metadata = {
        "name": app,
        "namespace": namespace,
        "labels": {"app": app, "service": app, **(EXPORTED if exported else {})},
        **({} if pods else {"annotations": WITHOUT_PODS}),
    }
    spec = {"selector": {"app": app}, "ports": [{"name": "http", "port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def deployment(namespace: str, workload: Workload) -> Plain:
    """One version, with one pod."""
    labels = {"app": workload.app, **({"version": workload.version} if workload.version else {})}
    about = {"annotations": dict(workload.annotations)} if workload.annotations else {}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels, **about}, "spec": _pod(workload)},
    }
    metadata = {"name": workload.name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _pod(workload: Workload) -> dict[str, Any]:
    container: dict[str, Any] = {"name": workload.app, "image": workload.image}
    if workload.command:
        container["command"] = list(workload.command)
    if workload.env:
        container["env"] = [{"name": name, "value": value} for name, value in workload.env.items()]
    if workload.port:
        container["ports"] = [{"containerPort": workload.port}]
    if workload.requests:
        container["resources"] = {"requests": dict(workload.requests)}
    pod: dict[str, Any] = {"containers": [container]}
    if workload.account:
        pod = {"serviceAccountName": workload.account, **pod}
    if workload.command:
        pod["terminationGracePeriodSeconds"] = 0  # a shell that sleeps hears no signal, and would be waited for
    if workload.writable:
        container["volumeMounts"] = [{"name": name, "mountPath": path} for name, path in workload.writable.items()]
        pod["volumes"] = [{"name": name, "emptyDir": {}} for name in workload.writable]
    return pod
