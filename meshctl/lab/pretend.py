"""What the stand-in would have a node and a cloud say: objects in, changes out, nothing done.

Each rule looks at one object as it is and answers with the next change it needs, or None when all is well. So an event
that comes twice, late or after a restart does no harm.
"""

import datetime
import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from meshctl.lab.api import MERGE, Object
from meshctl.lab.state import Cluster

NODE = "stand-in"
LABELS = {"mesh-components.dev/stand-in": "true"}
ADDRESS_ANNOTATION = "mesh-components.dev/stand-in-address"
"""On a Service, or on a Gateway for the Service that would be made of it: the load balancer's address, an IP or a host
name. It is the stand-in's own; to a real cloud it says nothing."""
CLASSES = ("istio-east-west", "istio")
"""Of Gateways for which istiod runs a proxy that other clusters, or the world outside, reach."""
WAYPOINT_CLASS = "istio-waypoint"
"""Of Gateways for which istiod runs a proxy that is reached inside of the cluster."""
GATEWAY_API = "/apis/gateway.networking.k8s.io/v1"
SERVICE_TYPE_ANNOTATION = "networking.istio.io/service-type"
"""With which istiod makes something other than a load balancer of a Gateway."""


@dataclass(frozen=True)
class Change:
    """One request to the API server."""

    method: str
    path: str
    body: Object
    content: str = "application/json"


def node(cluster: Cluster) -> Object:
    """The one node of a cluster, large enough for whatever is put on it, and in a region and zone of its own."""
    region = f"lab-{cluster.index}"
    size = {"cpu": "1k", "memory": "1Ti", "pods": "10k"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": NODE,
            "labels": {
                **LABELS,
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": NODE,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/region": region,
                "topology.kubernetes.io/zone": f"{region}-a",
            },
        },
        # The API server marks every new node as not ready; the controller that takes the mark away is not running.
        "spec": {"taints": []},
        "status": {
            "capacity": size,
            "allocatable": size,
            "addresses": [{"type": "InternalIP", "address": f"{cluster.pods}1"}, {"type": "Hostname", "address": NODE}],
            "conditions": [{"type": "Ready", "status": "True", "reason": "StandIn", "message": "runs no pod"}],
        },
    }


def pod_change(pod: Object, address: str) -> Change | None:
    """Delete what is to go, bind what has no node, report the rest as running at `address`."""
    path = _path("pods", pod)
    if "deletionTimestamp" in pod["metadata"]:
        return Change("DELETE", path, {"gracePeriodSeconds": 0})
    if not pod["spec"].get("nodeName"):
        if pod["spec"].get("schedulingGates"):
            return None
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod["metadata"]["name"]},
            "target": target,
        }
        return Change("POST", f"{path}/binding", binding)
    if pod["status"].get("phase", "Pending") != "Pending":
        return None
    status = _succeeded(pod) if _is_of_job(pod) else _running(pod)
    status |= {"hostIP": f"{address.rpartition('.')[0]}.1", "podIP": address, "podIPs": [{"ip": address}]}
    return Change("PATCH", f"{path}/status", {"status": status}, MERGE)


def service_change(service: Object, address: str) -> Change | None:
    """Give a load balancer the address it asks for (`ADDRESS_ANNOTATION`, `spec.loadBalancerIP`), else `address`; it
    keeps what it has."""
    has = bool(service.get("status", {}).get("loadBalancer", {}).get("ingress"))
    wants = service["spec"].get("type") == "LoadBalancer" and "deletionTimestamp" not in service["metadata"]
    if has or not wants:
        return None
    annotations = service["metadata"].get("annotations", {})
    given = annotations.get(ADDRESS_ANNOTATION) or service["spec"].get("loadBalancerIP") or address
    body = {"status": {"loadBalancer": {"ingress": [{"ip" if is_ip(given) else "hostname": given}]}}}
    return Change("PATCH", f"{_path('services', service)}/status", body, MERGE)


def gateway_change(gateway: Object, address: str) -> Change | None:
    """Report a Gateway for which istiod would run the proxy as programmed at an address, as istiod does once it runs.
    Neither proxy nor Service is made here."""
    ours = gateway["spec"].get("gatewayClassName") in (*CLASSES, WAYPOINT_CLASS)
    if not ours or "deletionTimestamp" in gateway["metadata"]:
        return None
    generation, status = gateway["metadata"]["generation"], gateway.get("status", {})
    if status.get("addresses") and _programmed(status, generation):
        return None
    given = _gateway_address(gateway, address)
    entry = {"type": "IPAddress" if is_ip(given) else "Hostname", "value": given}
    condition = {
        "type": "Programmed",
        "status": "True",
        "reason": "Programmed",
        "message": "by the lab's stand-in; no proxy runs",
        "observedGeneration": generation,
        "lastTransitionTime": _now(),
    }
    body = {"status": {"addresses": status.get("addresses") or [entry], "conditions": [condition]}}
    return Change("PATCH", f"{_path('gateways', gateway, GATEWAY_API)}/status", body, MERGE)


def pod_addresses(pod: Object) -> set[str]:
    """The addresses that a pod holds; one that has ended holds none."""
    status = pod.get("status", {})
    return set() if status.get("phase") in ("Succeeded", "Failed") else {ip["ip"] for ip in status.get("podIPs", [])}


def service_addresses(service: Object) -> set[str]:
    """The addresses that a load balancer holds."""
    return {
        entry["ip"] for entry in service.get("status", {}).get("loadBalancer", {}).get("ingress", []) if "ip" in entry
    }


def gateway_addresses(gateway: Object) -> set[str]:
    """The addresses that a Gateway holds."""
    return {entry["value"] for entry in gateway.get("status", {}).get("addresses", []) if entry["type"] == "IPAddress"}


def is_ip(address: str) -> bool:
    """Whether this is an IP, and no host name."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


def first_free(prefix: str, used: Collection[str]) -> str:
    """The lowest address that nobody has. 1 is the node's; when all 253 are taken the last is shared."""
    return next((f"{prefix}{n}" for n in range(2, 255) if f"{prefix}{n}" not in used), f"{prefix}254")


def _path(plural: str, thing: Object, root: str = "/api/v1") -> str:
    return f"{root}/namespaces/{thing['metadata']['namespace']}/{plural}/{thing['metadata']['name']}"


def _programmed(status: Object, generation: int) -> bool:
    wanted = {"type": "Programmed", "status": "True", "observedGeneration": generation}
    return any(wanted.items() <= condition.items() for condition in status.get("conditions", []))


def _gateway_address(gateway: Object, address: str) -> str:
    metadata = gateway["metadata"]
    # What stands in `infrastructure` is what istiod puts on the objects that it makes of the Gateway.
    annotations = metadata.get("annotations", {}) | gateway["spec"].get("infrastructure", {}).get("annotations", {})
    default = "ClusterIP" if gateway["spec"]["gatewayClassName"] == WAYPOINT_CLASS else "LoadBalancer"
    if annotations.get(SERVICE_TYPE_ANNOTATION, default) != "LoadBalancer":
        return f"{metadata['name']}.{metadata['namespace']}.svc.cluster.local"
    return annotations.get(ADDRESS_ANNOTATION) or address


def _is_of_job(pod: Object) -> bool:
    return any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", []))


def _running(pod: Object) -> Object:
    now = _now()
    state = {"running": {"startedAt": now}}
    initial = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
    spec = pod["spec"]
    return {
        "phase": "Running",
        "startTime": now,
        "conditions": _conditions(now, "True"),
        "containerStatuses": [_container(item, state) for item in spec["containers"]],
        "initContainerStatuses": [
            _container(item, state if item.get("restartPolicy") == "Always" else initial)
            for item in spec.get("initContainers", [])
        ],
    }


def _succeeded(pod: Object) -> Object:
    """A job's pod has nothing to do here, and has done it."""
    now = _now()
    state = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
    return {
        "phase": "Succeeded",
        "startTime": now,
        "conditions": _conditions(now, "False"),
        "containerStatuses": [{**_container(item, state), "ready": False} for item in pod["spec"]["containers"]],
    }


def _conditions(now: str, ready: str) -> list[dict[str, str]]:
    states = {"PodScheduled": "True", "Initialized": "True", "ContainersReady": ready, "Ready": ready}
    return [{"type": kind, "status": status, "lastTransitionTime": now} for kind, status in states.items()]


def _container(container: Object, state: dict[str, Any]) -> Object:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "containerID": f"stand-in://{container['name']}",
        "ready": True,
        "started": "running" in state,
        "restartCount": 0,
        "state": state,
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
