"""A team's part of one cluster: its namespaces, and in clusters that hold configuration who may call what is in them.

Does not own what runs there, nor anybody's rights in Kubernetes: who may write into a namespace is the cluster's own
affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, child_options
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.kubernetes import KubernetesObject, PatchObject, Plain
from mesh_components.services import objects
from mesh_components.settings.tenancy import Mtls
from mesh_components.topology import names


class TeamArgs(ComponentArgs):
    """Which namespaces, and what holds in them."""

    namespaces: Annotated[tuple[str, ...], Field(min_length=1)]
    create: bool = True
    """False: they exist, and only get their labels."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    """Of the namespaces, those that put them into the mesh among them."""
    mtls: Mtls | None = None
    """Where configuration is."""
    allowed: Mapping[str, list[dict[str, Any]]] = Field(default_factory=dict)
    """Rules of an AuthorizationPolicy by namespace: what is named here is closed to all others. Where configuration
    is."""
    waypoints: Mapping[str, str] = Field(default_factory=dict)
    """Name of the waypoint by namespace, of those that have one. The waypoint is `Waypoint`'s."""


class Team(pulumi.ComponentResource):
    """One per team and cluster; hand it the cluster's provider through `opts.providers`.

    A policy that allows something closes a namespace to all else. Callers are known by certificate, so plaintext is
    refused with them, whatever `mtls` says (https://istio.io/latest/docs/concepts/security/#authorization-policies).
    Who comes through a waypoint calls as the waypoint, which is of the namespace: so it is closed to the same callers.
    """

    namespaces: pulumi.Output[list[str]]
    """Their names, once they are there."""

    def __init__(self, name: str, args: TeamArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:Team", name, {"namespaces": list(args.namespaces)}, opts)
        child = child_options(self, opts)
        make = KubernetesObject if args.create else PatchObject
        made = {
            item: make(f"{name}-{item}", objects.namespace(item, _labels(args, item)), child)
            for item in args.namespaces
        }
        for item, resource in made.items():
            after = pulumi.ResourceOptions(depends_on=[resource])
            patient = pulumi.ResourceOptions.merge(child, retry_while_unserved(f"{name}-{item}"))
            patient = pulumi.ResourceOptions.merge(patient, after)
            if args.mtls is not None:
                KubernetesObject(f"{name}-{item}-mtls", objects.mtls(item, args.mtls), patient)
            for role, manifest in _closed(args, item).items():
                KubernetesObject(f"{name}-{item}-{role}", manifest, patient)
        there = [resource.metadata.apply(lambda metadata: str(metadata["name"])) for resource in made.values()]
        self.namespaces = pulumi.Output.all(*there)
        self.register_outputs({"namespaces": self.namespaces})


def _labels(args: TeamArgs, namespace: str) -> Mapping[str, str]:
    used = {names.USE_WAYPOINT_LABEL: args.waypoints[namespace]} if namespace in args.waypoints else {}
    return {**args.labels, **used}


def _closed(args: TeamArgs, namespace: str) -> Mapping[str, Plain]:
    """At the workloads, and at the waypoint before them."""
    if namespace not in args.allowed:
        return {}
    rules = args.allowed[namespace]
    at_workloads = {"allowed": objects.allow(namespace, rules)}
    if namespace not in args.waypoints:
        return at_workloads
    return {**at_workloads, "allowed-at-waypoint": objects.allow_at(namespace, args.waypoints[namespace], rules)}
