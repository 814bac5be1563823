"""A Service for pods that are in other clusters: the mesh leads there, when the same Service is there too."""

from __future__ import annotations

import pulumi

from mesh_components.component import ComponentArgs, child_options
from mesh_components.kubernetes import KubernetesObject
from mesh_components.services.samples import EXPORTED, WITHOUT_PODS


class ServiceElsewhereArgs(ComponentArgs):
    """As the Service is called where its pods are."""

    name: str
    namespace: str = "istio-system"
    port: int
    protocol: str = "http"
    """Of the application, as Kubernetes says it (`appProtocol`)."""
    exported: bool = False
    """True in ambient: without a label of its own a Service is local to its cluster there."""


class ServiceElsewhere(pulumi.ComponentResource):
    """It gives the service a name in DNS, and proxies something to send to
    (https://istio.io/latest/docs/ops/configuration/traffic-management/multicluster/)."""

    def __init__(self, name: str, args: ServiceElsewhereArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:ServiceElsewhere", name, {"service": args.name}, opts)
        labels = {"labels": EXPORTED} if args.exported else {}
        manifest = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": args.name, "namespace": args.namespace, "annotations": WITHOUT_PODS, **labels},
            "spec": {"ports": [{"name": args.protocol, "port": args.port, "appProtocol": args.protocol}]},
        }
        KubernetesObject(f"{name}-service", manifest, child_options(self, opts))
        self.register_outputs({})
