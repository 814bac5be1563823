"""What a mesh is on an API server: the objects, without what the server puts into them by itself."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import yaml
from kubernetes import client, config

from meshctl.lab.api import Api, ApiError
from meshctl.lab.prepare import DEFINITIONS, DISCOVERY
from meshctl.local.providers.kubernetes.absence import METADATA
from tests.support.project import Project

NAMESPACE = "istio-system"
PATHS = (
    "/api/v1/namespaces/istio-system/secrets",
    "/api/v1/namespaces/istio-system/services",
    "/api/v1/namespaces/istio-system/serviceaccounts",
    "/apis/apps/v1/namespaces/istio-system/deployments",
    "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers",
    "/apis/policy/v1/namespaces/istio-system/poddisruptionbudgets",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/istio-system/roles",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/istio-system/rolebindings",
    "/apis/networking.istio.io/v1/namespaces/istio-system/gateways",
)
"""Every kind that a mesh without charts consists of."""


def inventory(api: Api) -> dict[str, Any]:
    """Every object of the mesh's namespace by kind and name, with its labels and its spec or its data's keys."""
    found: dict[str, Any] = {"Namespace": api.get(f"/api/v1/namespaces/{NAMESPACE}")["metadata"]["labels"]}
    for path in PATHS:
        for item in api.get(path)["items"]:
            metadata = item["metadata"]
            spec = dict(item.get("spec") or {})
            for assigned in ("clusterIP", "clusterIPs", "healthCheckNodePort"):
                spec.pop(assigned, None)
            spec["ports"] = [{**port, "nodePort": None} for port in spec.get("ports", [])]
            found[f"{path.rsplit('/', 1)[-1]}/{metadata['name']}"] = {
                # The API server writes down, once a day, that a token was used.
                "labels": {k: v for k, v in metadata.get("labels", {}).items() if "legacy-token" not in k},
                "spec": spec,
                "data": sorted(item.get("data") or {}),
            }
    return found


def secret(api: Api, name: str) -> dict[str, str]:
    """A Secret's data, decoded."""
    found = api.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}")
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


def client_of(kubeconfig: str) -> client.ApiClient:
    """A client made of nothing but the contents of a kubeconfig, as istiod makes one."""
    made: client.ApiClient = config.new_client_from_config_dict(yaml.safe_load(kubeconfig))
    return made


_COMES_AND_GOES = {
    "apiservices",
    "controllerrevisions",
    "endpoints",
    "endpointslices",
    "events",
    "leases",
    "pods",
    "replicasets",
}
"""What controllers make of other objects, and take away in their own time."""


def everything(api: Api) -> set[str]:
    """Path of every object of a cluster, of whatever kind, but for what controllers make by themselves."""
    kinds = [
        (f"/{root}{group['metadata'].get('name', '')}/{group['versions'][0]['version']}", kind["resource"])
        for root in ("api", "apis/")
        for group in api.get(f"/{root.rstrip('/')}", DISCOVERY)["items"]
        for kind in group["versions"][0]["resources"]
        if "list" in kind["verbs"] and kind["resource"] not in _COMES_AND_GOES
    ]
    with ThreadPoolExecutor(8) as pool:
        listed = pool.map(lambda kind: _listed(api, "/".join(kind)), kinds)
    return {
        f"{name}/{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
        for (_, name), items in zip(kinds, listed, strict=True)
        for item in items
    }


@contextmanager
def nothing_left(project: Project, apis: Sequence[Api], *words: str) -> Iterator[None]:
    """What is applied inside is destroyed in the end, and nothing with one of these words in its path has stayed."""
    before = [everything(api) for api in apis]
    try:
        yield
    finally:
        project.done("destroy", "--yes")
    new = set().union(*(everything(api) - then for api, then in zip(apis, before, strict=True)))
    assert not (left := {path for path in new if any(word in path for word in words)}), left


def custom(api: Api) -> set[str]:
    """Those of kinds that a CRD has brought."""
    specs = [item["spec"] for item in api.get(DEFINITIONS)["items"]]
    return {
        f"{spec['names']['plural']}.{spec['group']}/{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
        for spec in specs
        for item in _listed(api, f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}")
    }


def _listed(api: Api, path: str) -> list[dict[str, Any]]:
    """What is there; nothing where the CRD behind it has gone a moment ago."""
    try:
        listed: list[dict[str, Any]] = api.get(path, METADATA)["items"] or []
    except ApiError as error:
        if error.status != 404:
            raise
        return []
    return listed
