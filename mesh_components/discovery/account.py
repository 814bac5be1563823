"""With which rights a cluster is read. Owns the account, a ClusterRole with what istiod asks for, and the binding.

Istio's charts bring an account of their own, with more. This one is for who wants less, and for clusters without it.
"""

from __future__ import annotations

import pulumi

from mesh_components.component import ComponentArgs, child_options
from mesh_components.kubernetes import KubernetesObject, Plain
from mesh_components.settings.visibility import VisibilitySettings
from mesh_components.topology import names
from mesh_components.topology.rights import Right, exports, rights, rules


class ReaderAccountArgs(ComponentArgs):
    """Which cluster's account."""

    served: bool = False
    """True: proxies in this cluster talk to the istiod that reads it, as in a remote. It then also writes: the root
    certificate into every namespace, and the injector's CA bundle."""
    namespace: str = "istio-system"
    visibility: VisibilitySettings = VisibilitySettings()
    """With `mcs`, istiod reads ServiceExports too."""
    account: str = names.OWN_READER
    user: str | None = None
    """Who has the rights instead of an account: a user as the API server calls it, by a certificate or by OIDC."""


class ReaderAccount(pulumi.ComponentResource):
    """Less than the chart's reader, and still every Secret of the cluster: istiod watches them in every cluster that it
    reads, and knows nothing of a cluster where it may not."""

    account: pulumi.Output[str]
    """Name of the account, or of the user, once it has its rights: an istiod that comes too early waits for nothing."""

    def __init__(self, name: str, args: ReaderAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:ReaderAccount", name, {"served": args.served}, opts)
        child = child_options(self, opts)
        scoped = f"{args.account}-{args.namespace}"
        if args.user is None:
            KubernetesObject(f"{name}-account", _object("v1", "ServiceAccount", args.account, args.namespace), child)
        role = {**_object(_RBAC, "ClusterRole", scoped), "rules": rules(self._rights(args))}
        KubernetesObject(f"{name}-role", role, child)
        binding = {
            **_object(_RBAC, "ClusterRoleBinding", scoped),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": scoped},
            "subjects": [_subject(args)],
        }
        bound = KubernetesObject(f"{name}-binding", binding, child)
        self.account = bound.metadata.apply(lambda _: args.user or args.account)
        self.register_outputs({"account": self.account})

    def _rights(self, args: ReaderAccountArgs) -> tuple[Right, ...]:
        found, mcs = rights(served=args.served), args.visibility.mcs
        if mcs is None:
            return found
        return (*found, *exports(mcs.api_group, automatic=args.visibility.across != "selective"))


_RBAC = "rbac.authorization.k8s.io/v1"


def _subject(args: ReaderAccountArgs) -> Plain:
    if args.user is not None:
        return {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": args.user}
    return {"kind": "ServiceAccount", "name": args.account, "namespace": args.namespace}


def _object(api_version: str, kind: str, name: str, namespace: str | None = None) -> Plain:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}
