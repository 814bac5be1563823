"""When an object is ready, by kind, as Pulumi waits for it (pulumi-kubernetes, `provider/pkg/await`).

Each check answers with what is still missing, in words, or "" when there is nothing left to wait for. Other kinds are
ready as soon as they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from .cluster import Cluster
from .errors import ApiError
from .objects import TOKEN_SECRET

Live = Mapping[str, Any]
Check = Callable[[Live, Cluster], str]


class Failed(Exception):  # noqa: N818  a state of the object, not of the program
    """It will not become ready, however long one waits."""


def condition(live: Live, type_: str) -> Live:
    """The condition of that type, {} if there is none."""
    for item in live.get("status", {}).get("conditions") or ():
        if item.get("type") == type_:
            return dict(item)
    return {}


def _is(live: Live, type_: str) -> bool:
    return condition(live, type_).get("status") == "True"


def _observed(live: Live) -> bool:
    return int(live.get("status", {}).get("observedGeneration", 0)) >= int(live["metadata"].get("generation", 0))


def _deployment(live: Live, _: Cluster) -> str:
    spec, status = live.get("spec", {}), live.get("status", {})
    wanted = spec.get("replicas", 1)
    if not _observed(live):
        return "the deployment controller"
    if spec.get("paused"):
        return ""
    progress = condition(live, "Progressing")
    updated = status.get("updatedReplicas", 0)
    rolled = not progress or progress.get("reason") == "NewReplicaSetAvailable"
    if not rolled or updated < wanted or status.get("replicas", 0) > updated:
        return f"the new replicas ({updated} of {wanted} updated, {status.get('availableReplicas', 0)} available)"
    return (
        "" if _is(live, "Available") else f"{status.get('availableReplicas', 0)} of {wanted} replicas to be available"
    )


def _stateful_set(live: Live, _: Cluster) -> str:
    spec, status = live.get("spec", {}), live.get("status", {})
    wanted = spec.get("replicas", 1)
    if not _observed(live):
        return "the stateful set controller"
    ready = status.get("readyReplicas", 0)
    if ready < wanted:
        return f"replicas ({ready} of {wanted} ready)"
    rolling = spec.get("updateStrategy", {})
    if rolling.get("type") == "OnDelete" or rolling.get("rollingUpdate", {}).get("partition"):
        return ""
    done = status.get("updateRevision") in (None, status.get("currentRevision"))
    return "" if done else f"the new revision ({status.get('updatedReplicas', 0)} of {wanted} updated)"


def _daemon_set(live: Live, _: Cluster) -> str:
    status = live.get("status", {})
    if not _observed(live):
        return "the daemon set controller"
    wanted = status.get("desiredNumberScheduled", 0)
    updated = status.get("updatedNumberScheduled", 0)
    if live.get("spec", {}).get("updateStrategy", {}).get("type") != "OnDelete" and updated < wanted:
        return f"updated pods ({updated} of {wanted})"
    available = status.get("numberAvailable", 0)
    return "" if available >= wanted else f"pods ({available} of {wanted} available)"


def _service(live: Live, cluster: Cluster) -> str:
    spec = live.get("spec", {})
    if spec.get("type") == "ExternalName":
        return ""
    if spec.get("type") == "LoadBalancer" and not live.get("status", {}).get("loadBalancer", {}).get("ingress"):
        return "a load balancer address"
    if not spec.get("selector") or spec.get("clusterIP") == "None":
        return ""
    return _endpoints(live["metadata"], cluster)


def _endpoints(metadata: Live, cluster: Cluster) -> str:
    selector = {"labelSelector": f"kubernetes.io/service-name={metadata['name']}"}
    path = f"/apis/discovery.k8s.io/v1/namespaces/{quote(metadata['namespace'])}/endpointslices"
    try:
        slices = cluster.request("GET", path, selector)[1].get("items") or []
    except ApiError as error:
        if error.code in (403, 404):  # who may write a Service need not be one who may read its endpoints
            return ""
        raise
    endpoints = [endpoint for one in slices for endpoint in one.get("endpoints") or ()]
    ready = sum(1 for endpoint in endpoints if endpoint.get("conditions", {}).get("ready", True))
    if endpoints and ready == len(endpoints):
        return ""
    return f"pods behind it ({ready} of {len(endpoints)} ready)" if endpoints else "pods that its selector finds"


def _secret(live: Live, _: Cluster) -> str:
    return "its token" if live.get("type") == TOKEN_SECRET and not live.get("data", {}).get("token") else ""


def _crd(live: Live, _: Cluster) -> str:
    if condition(live, "NamesAccepted").get("status") == "False":
        raise Failed(f"its names are not accepted: {condition(live, 'NamesAccepted').get('message', '')}")
    return "" if _is(live, "Established") else "the API server to serve it"


def _namespace(live: Live, _: Cluster) -> str:
    phase = live.get("status", {}).get("phase")
    return "" if phase == "Active" else f"phase Active (it is {phase})"


def _pod(live: Live, _: Cluster) -> str:
    phase = live.get("status", {}).get("phase")
    if phase == "Failed":
        raise Failed(f"the pod failed: {live['status'].get('message') or live['status'].get('reason') or ''}")
    return "" if phase == "Succeeded" or _is(live, "Ready") else f"condition Ready (phase {phase})"


def _job(live: Live, _: Cluster) -> str:
    if _is(live, "Failed"):
        raise Failed(f"the job failed: {condition(live, 'Failed').get('message', '')}")
    if live.get("spec", {}).get("suspend"):
        return ""
    return "" if _is(live, "Complete") else f"the job to complete ({live.get('status', {}).get('succeeded', 0)} done)"


CHECKS: Mapping[tuple[str, str], Check] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("apps", "DaemonSet"): _daemon_set,
    ("", "Service"): _service,
    ("", "Secret"): _secret,
    ("", "Namespace"): _namespace,
    ("", "Pod"): _pod,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
    ("batch", "Job"): _job,
}


def missing(live: Live, cluster: Cluster) -> str:
    """What this object still waits for, "" when it is ready."""
    group = str(live["apiVersion"]).rpartition("/")[0]
    check = CHECKS.get((group, str(live["kind"])))
    return check(live, cluster) if check else ""
