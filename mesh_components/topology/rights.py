"""What an istiod may do in a cluster that it reads, rule by rule, and what for.

Read off istiod's source of 1.30 (istio/istio): the informers that it starts for every remote cluster, in
pkg/kube/multicluster/cluster.go and in the components registered there. Until each of them has synced the cluster
counts as not synced, so a right too few is a cluster that nobody sees. What the chart's `istio-reader-clusterrole`
grants beyond this is not asked for: `*` of all of Istio's kinds, endpoints, replication controllers, replica sets,
Gateways of the experimental API; and MCS, which is off unless istiod's environment turns it on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

READ = ("get", "list", "watch")


@dataclass(frozen=True)
class Right:
    """One rule of a ClusterRole."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str
    """What istiod does with it, and where in its source."""

    def rule(self) -> dict[str, Any]:
        """As Kubernetes writes it."""
        return {"apiGroups": [self.group], "resources": list(self.resources), "verbs": list(self.verbs)}


EVERYWHERE = (
    Right("", ("namespaces", "nodes", "pods", "services"), READ,
          "services and where they run (pkg/kube/multicluster/cluster.go)"),
    Right("discovery.k8s.io", ("endpointslices",), READ, "endpoints (pkg/kube/multicluster/cluster.go)"),
    Right("gateway.networking.k8s.io", ("gateways",), READ,
          "the ambient gateways of other networks (pkg/kube/multicluster/cluster.go)"),
    Right("apiextensions.k8s.io", ("customresourcedefinitions",), READ,
          "whether the cluster knows Gateways and WorkloadEntries at all (pkg/kube/kclient/crdwatcher.go)"),
    Right("networking.istio.io", ("workloadentries",), READ,
          "endpoints outside of Kubernetes (pilot/pkg/serviceregistry/kube/controller/multicluster.go)"),
    Right("", ("configmaps",), READ,
          "`istio`, for the cluster's trust domain (pilot/pkg/serviceregistry/kube/controller/multicluster.go)"),
    Right("", ("secrets",), READ,
          "certificates of Gateways. Its informer runs for every cluster, used or not, so it cannot be left out "
          "(pilot/pkg/credentials/kube/secrets.go)"),
)  # fmt: skip

SERVED = (
    Right("authentication.k8s.io", ("tokenreviews",), ("create",),
          "whose token a proxy of that cluster presents (security/pkg/k8s/tokenreview/k8sauthn.go)"),
    Right("authorization.k8s.io", ("subjectaccessreviews",), ("create",),
          "whether a gateway of that cluster may have a Secret (pilot/pkg/credentials/kube/secrets.go)"),
    Right("", ("configmaps",), ("create", "update"),
          "`istio-ca-root-cert` in every namespace, and which istiod writes it "
          "(pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go, pilot/pkg/leaderelection)"),
    Right("admissionregistration.k8s.io", ("mutatingwebhookconfigurations",), (*READ, "update", "patch"),
          "the CA bundle of the injector (pkg/webhooks/webhookpatch.go)"),
)  # fmt: skip
"""Where the reader also serves the cluster: proxies there talk to it."""


def exports(group: str, *, automatic: bool) -> tuple[Right, ...]:
    """What is added where ServiceExports decide who sees a service.

    Args:
        group: of the API, `multicluster.x-k8s.io`.
        automatic: istiod writes them.
    """
    read = Right(group, ("serviceexports", "serviceimports"), READ,
                 "what is exported (pilot/pkg/serviceregistry/kube/controller/serviceexportcache.go)")  # fmt: skip
    written = Right(group, ("serviceexports",), ("create", "delete"),
                    "one for each service "
                    "(pilot/pkg/serviceregistry/kube/controller/autoserviceexportcontroller.go)")  # fmt: skip
    return (read, written) if automatic else (read,)


def rights(*, served: bool) -> tuple[Right, ...]:
    """Of the account with which one cluster is read.

    Args:
        served: True for a remote or a config cluster, whose proxies talk to an istiod elsewhere.
    """
    return (*EVERYWHERE, *SERVED) if served else EVERYWHERE


def rules(granted: Iterable[Right]) -> list[dict[str, Any]]:
    """The rules of a ClusterRole."""
    return [right.rule() for right in granted]
