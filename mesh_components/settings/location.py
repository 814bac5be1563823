"""Where a cluster runs, and what follows from that for its addresses. For components too: it costs next to nothing."""

from __future__ import annotations

from typing import Literal

from mesh_components.settings.base import Settings

Platform = Literal[
    "generic", "gke", "ibm", "eks", "aks", "openshift", "k3s", "k3d", "microk8s", "minikube", "kind", "lab"
]
Cloud = Literal["gke", "ibm", "ibm-classic", "eks", "aks"]
AddressType = Literal["ip", "hostname"]


class LocalitySettings(Settings):
    """Where the cluster runs; the words are those of the node labels `topology.kubernetes.io/region` and `zone`."""

    region: str
    zone: str | None = None
