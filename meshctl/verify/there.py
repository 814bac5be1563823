"""What there is of the application in a cluster. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from mesh_components.services.helloworld import CLIENT
from meshctl.check.facts import Object
from meshctl.check.gateways import pretended
from meshctl.local.model import Unreachable
from meshctl.local.providers.kubernetes.errors import ApiError, explain
from meshctl.local.providers.kubernetes.transport import Transport
from meshctl.restart.proxies import is_alive

APP = "helloworld"
_PROXY = "istio-proxy"


@dataclass(frozen=True)
class There:
    """One cluster's part, as its API server has it."""

    cluster: str
    unread: str = ""
    """Why it could not be looked at; empty where it was."""
    service: bool = False
    pods: Mapping[str, str] = field(default_factory=dict)
    """Version by pod that is ready."""
    endpoints: int = 0
    """How many of them the Service has found."""
    bare: tuple[str, ...] = ()
    """Pods without a sidecar."""
    client: Object | None = field(default=None, repr=False)


def look(cluster: str, transport: Transport, namespace: str) -> There:
    """Look into the application's namespace."""
    try:
        return _look(cluster, transport, quote(namespace))
    except ApiError as error:
        return There(cluster, unread=explain(cluster, error))
    except Unreachable as error:
        return There(cluster, unread=str(error))


def _look(cluster: str, transport: Transport, namespace: str) -> There:
    inside = f"/api/v1/namespaces/{namespace}"
    services = _list(transport, f"{inside}/services")
    pods = [pod for pod in _list(transport, f"{inside}/pods") if is_alive(pod)]
    slices = _list(
        transport,
        f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
        {"labelSelector": f"kubernetes.io/service-name={APP}"},
    )
    own = [pod for pod in pods if _label(pod, "app") == APP]
    found = [endpoint for one in slices for endpoint in one.get("endpoints") or ()]
    return There(
        cluster,
        service=any(item["metadata"]["name"] == APP for item in services),
        pods={pod["metadata"]["name"]: _label(pod, "version") for pod in own if _ready(pod)},
        endpoints=sum(1 for one in found if (one.get("conditions") or {}).get("ready", True)),
        bare=tuple(pod["metadata"]["name"] for pod in own if not _has_proxy(pod) and not pretended(pod)),
        client=next((pod for pod in pods if _label(pod, "app") == CLIENT and _ready(pod)), None),
    )


def _list(transport: Transport, path: str, query: Mapping[str, str] | None = None) -> list[Object]:
    return list(transport.request("GET", path, query)[1].get("items") or ())


def _label(pod: Object, key: str) -> str:
    return str((pod["metadata"].get("labels") or {}).get(key, ""))


def _ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _has_proxy(pod: Object) -> bool:
    spec = pod["spec"]
    return any(one["name"] == _PROXY for one in (*spec["containers"], *(spec.get("initContainers") or ())))
