"""What Istio's charts would have brought to a cluster: its kinds, its namespace, the account that istiod reads with;
and the Gateway API's kinds, which ambient needs.

Istio's charts are in no package registry, so the lab federates clusters with `istio.install: none` and has
stand-ins. The kinds have no schema: the API server takes whatever their specs hold. Everything carries `LABELS`.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple

from meshctl.lab import LabError
from meshctl.lab.api import Api, ApiError, Object, Unreachable
from meshctl.lab.pretend import LABELS

NAMESPACE = "istio-system"
"""The root namespace that every cluster has; further ones on request."""
READER = "istio-reader-service-account"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""All groups with their kinds in one answer:
https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery"""
ESTABLISHED_SECONDS = 60.0


class Kind(NamedTuple):
    """One kind of Istio, or of the Gateway API."""

    group: str
    kind: str
    plural: str
    versions: tuple[str, ...]
    """All served; the first is the one that is stored."""
    scope: str = "Namespaced"


_STABLE = ("v1", "v1beta1", "v1alpha3")
KINDS = (
    Kind("extensions.istio.io", "TrafficExtension", "trafficextensions", ("v1alpha1",)),
    Kind("extensions.istio.io", "WasmPlugin", "wasmplugins", ("v1alpha1",)),
    Kind("networking.istio.io", "DestinationRule", "destinationrules", _STABLE),
    Kind("networking.istio.io", "EnvoyFilter", "envoyfilters", ("v1alpha3",)),
    Kind("networking.istio.io", "Gateway", "gateways", _STABLE),
    Kind("networking.istio.io", "ProxyConfig", "proxyconfigs", ("v1beta1",)),
    Kind("networking.istio.io", "ServiceEntry", "serviceentries", _STABLE),
    Kind("networking.istio.io", "Sidecar", "sidecars", _STABLE),
    Kind("networking.istio.io", "VirtualService", "virtualservices", _STABLE),
    Kind("networking.istio.io", "WorkloadEntry", "workloadentries", _STABLE),
    Kind("networking.istio.io", "WorkloadGroup", "workloadgroups", _STABLE),
    Kind("security.istio.io", "AuthorizationPolicy", "authorizationpolicies", ("v1", "v1beta1")),
    Kind("security.istio.io", "PeerAuthentication", "peerauthentications", ("v1", "v1beta1")),
    Kind("security.istio.io", "RequestAuthentication", "requestauthentications", ("v1", "v1beta1")),
    Kind("telemetry.istio.io", "Telemetry", "telemetries", ("v1alpha1", "v1")),
)
_GATEWAY_API = "gateway.networking.k8s.io"
GATEWAY_KINDS = (
    Kind(_GATEWAY_API, "GatewayClass", "gatewayclasses", ("v1", "v1beta1"), "Cluster"),
    Kind(_GATEWAY_API, "Gateway", "gateways", ("v1", "v1beta1")),
    Kind(_GATEWAY_API, "HTTPRoute", "httproutes", ("v1", "v1beta1")),
    Kind(_GATEWAY_API, "GRPCRoute", "grpcroutes", ("v1",)),
    Kind(_GATEWAY_API, "ReferenceGrant", "referencegrants", ("v1beta1",)),
)
"""Those of the Gateway API's standard channel that Istio reads by default
(https://gateway-api.sigs.k8s.io/concepts/versioning/)."""


class Rule(NamedTuple):
    """One row of a ClusterRole."""

    groups: str
    resources: str
    verbs: str = "get list watch"


READER_RULES = (
    Rule(
        "config.istio.io security.istio.io networking.istio.io authentication.istio.io rbac.istio.io "
        "telemetry.istio.io extensions.istio.io",
        "*",
    ),
    Rule("core", "endpoints pods services nodes replicationcontrollers namespaces secrets configmaps"),
    Rule("networking.istio.io", "workloadentries"),
    Rule("networking.x-k8s.io gateway.networking.k8s.io", "gateways"),
    Rule("apiextensions.k8s.io", "customresourcedefinitions"),
    Rule("discovery.k8s.io", "endpointslices"),
    Rule("multicluster.x-k8s.io", "serviceexports", "get list watch create delete"),
    Rule("multicluster.x-k8s.io", "serviceimports"),
    Rule("apps", "replicasets"),
    Rule("authentication.k8s.io", "tokenreviews", "create"),
    Rule("authorization.k8s.io", "subjectaccessreviews", "create"),
)
"""What istiod may do in a cluster that it reads from; the same as in Istio 1.30's `istiod` chart."""


def prepare(api: Api, namespaces: Iterable[str] = (NAMESPACE,)) -> None:
    """Bring the stand-ins to one cluster and wait until its API server serves all kinds. Idempotent."""
    for path, body in [*kinds(), *(item for name in namespaces for item in root_namespace(name))]:
        api.apply(path, body)
    _wait_established(api)


def kinds() -> list[tuple[str, Object]]:
    """The definitions of all kinds, each with its path."""
    bodies = [definition(kind) for kind in (*KINDS, *GATEWAY_KINDS)]
    return [(f"{DEFINITIONS}/{body['metadata']['name']}", body) for body in bodies]


def tells_all_kinds(api: Api) -> bool:
    """Whether discovery has what every CRD brings: after a start that is a moment later than `/readyz` says yes."""
    try:
        specs = [item["spec"] for item in api.get(DEFINITIONS)["items"]]
        groups = api.get("/apis", DISCOVERY)["items"]
    except (ApiError, *Unreachable):
        return False
    told = {
        (group["metadata"]["name"], version["version"], resource["resource"])
        for group in groups
        for version in group["versions"]
        for resource in version.get("resources", ())
    }
    return told >= {
        (spec["group"], version["name"], spec["names"]["plural"])
        for spec in specs
        for version in spec["versions"]
        if version["served"]
    }


def root_namespace(namespace: str) -> list[tuple[str, Object]]:
    """A root namespace and its reader account, each object with its path, in an order that works."""
    core, rbac = "/api/v1", "/apis/rbac.authorization.k8s.io/v1"
    account = {"kind": "ServiceAccount", "name": READER, "namespace": namespace}
    name = f"istio-reader-clusterrole-{namespace}"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    return [
        (f"{core}/namespaces/{namespace}", _object("v1", "Namespace", namespace)),
        (f"{core}/namespaces/{namespace}/serviceaccounts/{READER}", _object("v1", "ServiceAccount", READER)),
        (
            f"{rbac}/clusterroles/{name}",
            _object("rbac.authorization.k8s.io/v1", "ClusterRole", name)
            | {"rules": [_rule(rule) for rule in READER_RULES]},
        ),
        (
            f"{rbac}/clusterrolebindings/{name}",
            _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", name)
            | {"roleRef": role, "subjects": [account]},
        ),
    ]


def definition(kind: Kind) -> Object:
    """The CustomResourceDefinition of one kind, without a schema."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    versions = [
        {
            "name": version,
            "served": True,
            "storage": version == kind.versions[0],
            "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": anything},
        }
        for version in kind.versions
    ]
    body = _object("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{kind.plural}.{kind.group}")
    if kind.group.endswith(".k8s.io"):
        # The API server takes kinds of Kubernetes' own groups only with a word on who approved them.
        body["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a stand-in of the lab"}
    return body | {
        "spec": {
            "group": kind.group,
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.kind.lower(),
                "categories": ["istio-io" if kind.group.endswith(".istio.io") else "gateway-api"],
            },
            "scope": kind.scope,
            "versions": versions,
        }
    }


def _object(version: str, kind: str, name: str) -> Object:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": dict(LABELS)}}


def _rule(rule: Rule) -> Object:
    groups = ["" if group == "core" else group for group in rule.groups.split()]
    return {"apiGroups": groups, "resources": rule.resources.split(), "verbs": rule.verbs.split()}


def _wait_established(api: Api) -> None:
    end = time.monotonic() + ESTABLISHED_SECONDS
    wanted = {f"{kind.plural}.{kind.group}" for kind in (*KINDS, *GATEWAY_KINDS)}
    while missing := wanted - _established(api):
        if time.monotonic() > end:
            raise LabError(
                f"{', '.join(sorted(missing))}: not served {ESTABLISHED_SECONDS:.0f} s after being applied; "
                "`kubectl describe crd` tells why (a left-over of the same name, most likely)."
            )
        time.sleep(0.1)


def _established(api: Api) -> set[str]:
    listed = api.list(DEFINITIONS)
    return {
        item["metadata"]["name"]
        for item in listed.items
        for condition in item.get("status", {}).get("conditions") or []
        if condition["type"] == "Established" and condition["status"] == "True"
    }
