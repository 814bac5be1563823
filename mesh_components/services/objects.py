"""Resources of Istio and Kubernetes about who sees and calls what, as plain data. Pure: settings in, objects out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mesh_components.kubernetes import GOES_AT_ONCE, Plain


def sidecar(namespace: Any, hosts: Sequence[str]) -> Plain:
    """What the sidecars of a namespace are told of the mesh; in the root namespace, those of all others
    (https://istio.io/latest/docs/reference/config/networking/sidecar/)."""
    spec = {"egress": [{"hosts": list(hosts)}]}
    return istio("networking", "Sidecar", "default", namespace, spec)


def service_export(group: str, namespace: Any, name: str) -> Plain:
    """Lets other clusters see the endpoints that a service has in this one
    (https://multicluster.sigs.k8s.io/concepts/multicluster-services-api/)."""
    return {
        "apiVersion": f"{group}/{'v1' if group == 'net.gke.io' else 'v1alpha1'}",
        "kind": "ServiceExport",
        "metadata": {"name": name, "namespace": namespace},
    }


def istio(group: str, kind: str, name: str, namespace: Any, spec: Any) -> Plain:
    """A resource of Istio's, of a group such as `networking`."""
    metadata = {"name": name, "namespace": namespace, "annotations": GOES_AT_ONCE}
    return {"apiVersion": f"{group}.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
