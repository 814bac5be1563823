"""Questions to one API server, with answers that never raise: what could not be had says why."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from mesh_components.topology import names
from mesh_components.topology.plan import ClusterPlan
from mesh_components.topology.rights import Right, rights
from meshctl.check.facts import Answer, Credential, How, Object, Objects, Part, Unread
from meshctl.local.model import Unreachable
from meshctl.local.providers.kubernetes.errors import ApiError
from meshctl.local.providers.kubernetes.transport import Transport

FAILURES = (ApiError, Unreachable, OSError)
METRICS_PORT = 15014
SYNC_METRIC = "istiod_remote_cluster_sync_status"
_PAGE = "500"
_REVIEW = "/apis/authorization.k8s.io/v1"
_HOOKS = "/apis/admissionregistration.k8s.io/v1"
_INSIDE = {
    Part.ACCOUNTS: "/api/v1/namespaces/{}/serviceaccounts",
    Part.SERVICES: "/api/v1/namespaces/{}/services",
    Part.DEPLOYMENTS: "/apis/apps/v1/namespaces/{}/deployments",
    Part.PODS: "/api/v1/namespaces/{}/pods",
    Part.CONFIG_MAPS: "/api/v1/namespaces/{}/configmaps",
    Part.SECRETS: "/api/v1/namespaces/{}/secrets",
    Part.GATEWAYS: "/apis/networking.istio.io/v1/namespaces/{}/gateways",
    Part.AMBIENT_GATEWAYS: "/apis/gateway.networking.k8s.io/v1/namespaces/{}/gateways",
}
_EVERYWHERE = {
    Part.ROOTS: ("/api/v1/configmaps", f"metadata.name={names.ROOT_CERT}"),
    Part.INJECTORS: (f"{_HOOKS}/mutatingwebhookconfigurations", ""),
    Part.VALIDATORS: (f"{_HOOKS}/validatingwebhookconfigurations", ""),
}
_WITHOUT_RELEASES = "type!=helm.sh/release.v1"
"""Helm keeps whole charts in Secrets."""


def version(transport: Transport) -> tuple[Answer, str]:
    """Whether a server answers, and which version of Kubernetes it is."""
    try:
        found = transport.request("GET", "/version")[1]
    except FAILURES as failure:
        return answer(transport, failure), ""
    return Answer(How.GOOD, transport.server), str(found.get("gitVersion", ""))


def answer(transport: Transport, failure: Exception) -> Answer:
    """What a failure means."""
    if isinstance(failure, ApiError):
        if failure.code == 401:
            return Answer(How.REFUSED, transport.server, "it answers 401: it knows no such credential")
        return Answer(How.GOOD, transport.server, f"{failure.code}: {failure.message}")
    chain = tuple(_chain(failure))
    words = next((str(one) for one in chain if isinstance(one, ConnectionError)), "")
    if any(isinstance(one, ssl.SSLError) for one in chain):
        return Answer(How.UNTRUSTED, transport.server, words)
    if words:
        return Answer(How.SILENT, transport.server, words)
    text = str(failure).partition("; fix:")[0]
    return Answer(How.UNUSABLE, transport.server, text.partition(": ")[2] or text)


def _chain(failure: BaseException) -> Iterator[BaseException]:
    """A failure with all that led to it, urllib3's reasons included."""
    waiting: list[BaseException | None] = [failure]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        reason = getattr(one, "reason", None)
        waiting += [one.__context__, one.__cause__, reason if isinstance(reason, BaseException) else None]


def clock(transport: Transport) -> timedelta | None:
    """How far the server's clock is ahead; its header has whole seconds."""
    try:
        return parsedate_to_datetime(transport.date) - datetime.now(UTC)
    except (TypeError, ValueError):
        return None


def uid(transport: Transport) -> str:
    """Of kube-system; empty where that may not be read. Raises what `answer` explains."""
    try:
        found = transport.request("GET", "/api/v1/namespaces/kube-system")[1]
    except ApiError as failure:
        if failure.code in (403, 404):
            return ""
        raise
    return str(found["metadata"]["uid"])


def part(transport: Transport, wanted: Part, plan: ClusterPlan, root: str) -> Objects:
    """The objects of a part."""
    found: list[Object] = []
    try:
        for path, fields in paths(wanted, plan, root):
            found += _listed(transport, path, fields)
    except ApiError as failure:
        return Unread(f"{failure.code}: {failure.message}", absent=failure.code == 404)
    except (Unreachable, OSError) as failure:
        return Unread(answer(transport, failure).why)
    return tuple(found)


def paths(wanted: Part, plan: ClusterPlan, root: str) -> Iterator[tuple[str, str]]:
    """Where the objects of a part are listed: paths, with field selectors."""
    if wanted is Part.NAMESPACE:
        yield "/api/v1/namespaces", f"metadata.name={root}"
        return
    if wanted in _EVERYWHERE:
        yield _EVERYWHERE[wanted]
        return
    # In front of an external control plane is a gateway of another Istio.
    several = wanted in (Part.SERVICES, Part.PODS) and plan.role == "external"
    for namespace in dict.fromkeys([root, *([names.LOCAL_NAMESPACE] if several else [])]):
        yield _INSIDE[wanted].format(quote(namespace)), _WITHOUT_RELEASES if wanted is Part.SECRETS else ""


def _listed(transport: Transport, path: str, fields: str) -> Iterator[Object]:
    token = ""
    while True:
        query = {"limit": _PAGE, "continue": token, **({"fieldSelector": fields} if fields else {})}
        found = transport.request("GET", path, query)[1]
        yield from found.get("items") or ()
        token = (found.get("metadata") or {}).get("continue") or ""
        if not token:
            return


def credential(transport: Transport, root: str, *, served: bool) -> Credential:
    """Use a kubeconfig as the reader's istiod would."""
    try:
        found = uid(transport)
    except FAILURES as failure:
        return Credential(answer(transport, failure))
    good = Answer(How.GOOD, transport.server)
    try:
        return Credential(good, found, _lacking(transport, root, rights(served=served)))
    except FAILURES as failure:
        return Credential(good, found, Unread(f"its rights cannot be asked for: {failure}"))


def _lacking(transport: Transport, root: str, wanted: tuple[Right, ...]) -> tuple[str, ...]:
    """The rights that are not carried. Where an authorizer cannot list rights, each that seems to lack is asked for."""
    body = {"spec": {"namespace": root}}
    status = transport.request("POST", f"{_REVIEW}/selfsubjectrulesreviews", body=body)[1]["status"]
    rules = status.get("resourceRules") or ()
    asked = [
        (verb, right.group, resource)
        for right in wanted
        for resource in right.resources
        for verb in right.verbs
        if not any(_grants(rule, verb, right.group, resource) for rule in rules)
    ]
    if status.get("incomplete"):
        asked = [one for one in asked if not _allowed(transport, *one)]
    return tuple(f"{verb} {resource}{f'.{group}' if group else ''}" for verb, group, resource in asked)


def _grants(rule: Mapping[str, Any], verb: str, group: str, resource: str) -> bool:
    return not rule.get("resourceNames") and all(
        value in (granted := rule.get(key) or ()) or "*" in granted
        for key, value in (("verbs", verb), ("apiGroups", group), ("resources", resource))
    )


def _allowed(transport: Transport, verb: str, group: str, resource: str) -> bool:
    body = {"spec": {"resourceAttributes": {"verb": verb, "group": group, "resource": resource}}}
    found = transport.request("POST", f"{_REVIEW}/selfsubjectaccessreviews", body=body)[1]
    return bool(found["status"].get("allowed"))


def view(transport: Transport, pod: Object) -> Mapping[str, str] | Unread:
    """What an istiod says of the clusters that it reads, through the API server's proxy to its pod.

    `/debug/clusterz` has it, for callers whom istiod knows. The proxy takes our credentials off the request, so an
    istiod that asks for some answers 401, and its metrics, which are open, have the same since 1.29
    (https://istio.io/latest/news/releases/1.29.x/announcing-1.29/change-notes/).
    """
    metadata = pod["metadata"]
    base = f"/api/v1/namespaces/{quote(metadata['namespace'])}/pods/{quote(metadata['name'])}:{METRICS_PORT}/proxy"
    try:
        found: Any = transport.request("GET", f"{base}/debug/clusterz")[1]
        if isinstance(found, list):
            return {str(item.get("id")): str(item.get("syncStatus")) for item in found}
    except FAILURES:
        pass
    try:
        return synced(transport.text(f"{base}/metrics"))
    except FAILURES as failure:
        return Unread(f"its pod {metadata['name']} cannot be asked: {failure}")


def synced(metrics: str) -> Mapping[str, str] | Unread:
    """The states of clusters in istiod's metrics: one sample per cluster and state, 1 for the state that it is in."""
    found: dict[str, str] = {}
    for line in metrics.splitlines():
        name, _, rest = line.partition("{")
        labels, _, value = rest.rpartition("}")
        if name != SYNC_METRIC or not value.strip().startswith("1"):
            continue
        pairs = dict(pair.split("=", 1) for pair in labels.split(",") if "=" in pair)
        found[pairs.get("cluster", "").strip('"')] = pairs.get("status", "").strip('"')
    if not found and SYNC_METRIC not in metrics:
        return Unread(f"its metrics have no {SYNC_METRIC}: it is older than 1.29, or reads nobody")
    return found
