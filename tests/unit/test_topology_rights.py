"""The reader's rights against what istiod asks for: its informers, and the role of Istio's own chart."""

from __future__ import annotations

import pytest

from mesh_components.topology.rights import READ, Right, rights

Asked = set[tuple[str, str, str]]

INFORMERS: dict[str, Asked] = {
    file: {(group, resource, verb) for group, resource in kinds for verb in ("list", "watch")}
    for file, kinds in {
        "pkg/kube/multicluster/cluster.go": [
            ("", "namespaces"), ("", "pods"), ("", "services"), ("", "nodes"),
            ("discovery.k8s.io", "endpointslices"), ("gateway.networking.k8s.io", "gateways"),
        ],
        "pkg/kube/kclient/crdwatcher.go": [("apiextensions.k8s.io", "customresourcedefinitions")],
        "pkg/kube/inject/webhook.go": [("", "namespaces"), ("", "nodes")],
        "pilot/pkg/credentials/kube/secrets.go": [("", "secrets")],
        "pilot/pkg/serviceregistry/kube/controller/multicluster.go": [
            ("", "configmaps"), ("networking.istio.io", "workloadentries"),
        ],
        "security/pkg/server/ca/node_auth.go": [("", "pods")],
    }.items()
}  # fmt: skip
"""What istiod 1.30.3 watches in every remote cluster, by the file in istio/istio that says so."""

WRITES: Asked = {
    ("authentication.k8s.io", "tokenreviews", "create"),
    ("authorization.k8s.io", "subjectaccessreviews", "create"),
    ("", "configmaps", "create"),
    ("", "configmaps", "update"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "update"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "list"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "watch"),
}
"""What it also does where proxies of the cluster talk to it."""

CHART = [
    Right("networking.istio.io", ("workloadentries",), READ, ""),
    Right("", ("endpoints", "pods", "services", "nodes", "namespaces", "secrets", "configmaps"), READ, ""),
    Right("gateway.networking.k8s.io", ("gateways",), READ, ""),
    Right("apiextensions.k8s.io", ("customresourcedefinitions",), READ, ""),
    Right("discovery.k8s.io", ("endpointslices",), READ, ""),
    Right("authentication.k8s.io", ("tokenreviews",), ("create",), ""),
    Right("authorization.k8s.io", ("subjectaccessreviews",), ("create",), ""),
]
CHART_REMOTE = [
    Right("", ("configmaps",), ("create", "get", "list", "watch", "update"), ""),
    Right("admissionregistration.k8s.io", ("mutatingwebhookconfigurations",), (*READ, "update", "patch"), ""),
]
"""Of the chart's reader-clusterrole.yaml, 1.30.3, what is about the same; the second with `istiodRemote.enabled`."""


def flat(granted: list[Right] | tuple[Right, ...]) -> Asked:
    return {(item.group, resource, verb) for item in granted for resource in item.resources for verb in item.verbs}


@pytest.mark.parametrize("served", [False, True])
@pytest.mark.parametrize("file", INFORMERS)
def test_every_informer_may_list_and_watch(file: str, served: bool) -> None:
    """A right too few, and istiod never counts the cluster as synced."""
    assert INFORMERS[file] <= flat(rights(served=served))


def test_what_serves_a_cluster_may_write_what_it_has_to() -> None:
    assert flat(rights(served=True)) >= WRITES
    assert not flat(rights(served=False)) & WRITES


@pytest.mark.parametrize("served", [False, True])
def test_nothing_is_granted_that_nobody_asks_for(served: bool) -> None:
    asked = set().union(*INFORMERS.values()) | (WRITES if served else set())
    read = {(group, resource, "get") for group, resource, verb in asked if verb == "list"}
    assert flat(rights(served=served)) == asked | read


def test_it_is_less_than_the_chart_grants() -> None:
    assert flat(rights(served=False)) < flat(CHART)
    assert flat(rights(served=True)) < flat(CHART) | flat(CHART_REMOTE)


def test_every_right_says_what_for_and_where_in_istiod() -> None:
    assert all(".go" in item.why or "leaderelection" in item.why for item in rights(served=True))
