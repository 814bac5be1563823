"""Questions to the API server of one cluster. Reads only; of Secrets the names and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_components.settings.kubeconfig import Kubeconfig
from meshctl.local.providers.kubernetes.absence import METADATA
from meshctl.local.providers.kubernetes.cluster import Cluster
from meshctl.local.providers.kubernetes.errors import ApiError
from meshctl.local.providers.kubernetes.transport import Transport
from meshctl.restart.find import listed

Object = Mapping[str, Any]
NETWORKING = "/apis/networking.istio.io/v1"
GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"


class Asking:
    """Raises ApiError, or Unreachable."""

    def __init__(self, name: str, kubeconfig: Kubeconfig) -> None:
        self.name = name
        self._cluster = Cluster(name, Transport(name, kubeconfig.contents, kubeconfig.context))

    def one(self, path: str) -> Object | None:
        """An object; None where it is not there."""
        return self._cluster.get(path)

    def all(self, path: str, selector: str = "") -> list[Object]:
        """What is there; of a kind that the cluster does not know, nothing."""
        return self._known(path, {"labelSelector": selector} if selector else None)

    def secrets(self, namespace: str) -> list[Mapping[str, Any]]:
        """Metadata of the Secrets of a namespace: their values are not asked for."""
        found = self._known(f"/api/v1/namespaces/{namespace}/secrets", accept=METADATA)
        return [item["metadata"] for item in found]

    def _known(self, path: str, query: Mapping[str, str] | None = None, accept: str = "") -> list[Object]:
        try:
            if accept:
                return list(self._cluster.request("GET", path, query, accept=accept)[1].get("items") or ())
            return list(listed(self._cluster, path, query))
        except ApiError as error:
            if error.code == 404:
                return []
            raise
