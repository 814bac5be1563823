"""Policies for the whole mesh: mutual TLS, and nobody calls a workload unless a policy allows it.

Owns PeerAuthentications and AuthorizationPolicies of the root namespace and of namespaces that are named. Does not own
those of teams (`Team`), nor the namespaces.
"""

from __future__ import annotations

import pulumi

from mesh_components.component import ComponentArgs, child_options
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.kubernetes import KubernetesObject
from mesh_components.services import objects
from mesh_components.settings.tenancy import PolicySettings
from mesh_components.topology import names

GATEWAYS = (names.EAST_WEST_GATEWAY, names.CROSS_MESH_GATEWAY)
"""They pass TLS through to workloads, which have policies of their own; shut, they would cut networks off."""


class MeshPoliciesArgs(ComponentArgs):
    """What holds."""

    policies: PolicySettings
    namespace: str = "istio-system"
    """The root namespace."""
    open_namespaces: tuple[str, ...] = ()
    """Of ingress and egress gateways: with `authorization: deny` they stay open."""
    waypoints: bool = False
    """The cluster has waypoints: with `authorization: deny` they too let nothing through that no policy allows."""


class MeshPolicies(pulumi.ComponentResource):
    """One per cluster that holds configuration; hand it the cluster's provider through `opts.providers`.

    STRICT refuses callers without a sidecar or ztunnel: move the workloads in first, while it is PERMISSIVE
    (https://istio.io/latest/docs/tasks/security/authentication/mtls-migration/).
    """

    def __init__(self, name: str, args: MeshPoliciesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        stated = args.policies
        props = {"mtls": stated.mtls, "authorization": stated.authorization}
        super().__init__("mesh:index:MeshPolicies", name, props, opts)
        child = pulumi.ResourceOptions.merge(child_options(self, opts), retry_while_unserved(name))
        modes = {**({args.namespace: stated.mtls} if stated.mtls else {}), **stated.namespaces}
        for namespace, mode in modes.items():
            KubernetesObject(f"{name}-mtls-{namespace}", objects.mtls(namespace, mode), child)
        for item in stated.ports:
            manifest = objects.port_mtls(item.namespace, item.name, item.labels, item.ports)
            KubernetesObject(f"{name}-ports-{item.namespace}-{item.name}", manifest, child)
        if stated.authorization == "deny":
            self._deny(name, args, child)
        self.register_outputs({})

    def _deny(self, name: str, args: MeshPoliciesArgs, opts: pulumi.ResourceOptions) -> None:
        """First what stays open, then all else is shut; and the other way round when it goes."""
        manifests = {gateway: objects.open_gateway(args.namespace, gateway) for gateway in GATEWAYS}
        manifests |= {namespace: objects.open_namespace(namespace) for namespace in args.open_namespaces}
        open_ = [KubernetesObject(f"{name}-open-{what}", manifest, opts) for what, manifest in manifests.items()]
        after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=open_))
        KubernetesObject(f"{name}-deny", objects.deny(args.namespace), after)
        if args.waypoints:
            KubernetesObject(f"{name}-deny-at-waypoints", objects.deny_at_waypoints(args.namespace), after)
