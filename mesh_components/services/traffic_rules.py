"""TrafficRules: how requests to services are led, as Istio's own objects in one cluster.

Owns a DestinationRule and a VirtualService for each service. Does not own the services, nor their namespaces, which
must be there before. istiod reads them in the cluster where its configuration is, so every such cluster needs its own.
"""

from __future__ import annotations

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, child_options
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.istio.destination_rule import DestinationRule
from mesh_components.istio.model import IstioResource
from mesh_components.kubernetes import GOES_AT_ONCE, KubernetesObject
from mesh_components.services import led
from mesh_components.settings.traffic import TrafficSettings


class TrafficRulesArgs(ComponentArgs):
    """As in the document; and resources of Istio that a program wrote itself."""

    services: tuple[TrafficSettings, ...] = ()
    clusters: tuple[str, ...] = ()
    """Names of all clusters with workloads, for `subset_per_cluster`."""
    namespace: str = "istio-system"
    """The root namespace: of rules for hosts outside of Kubernetes."""
    resources: tuple[IstioResource, ...] = Field(default=(), repr=False)
    """Further ones, such as what `mesh_components.services.traffic` helps to write."""


class TrafficRules(pulumi.ComponentResource):
    """One per cluster that holds configuration; hand it the cluster's provider through `opts.providers`."""

    hosts: list[str]
    """In full: those that the rules are about."""

    def __init__(self, name: str, args: TrafficRulesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:TrafficRules", name, {}, opts)
        patient = pulumi.ResourceOptions.merge(child_options(self, opts), retry_while_unserved(name))
        wanted = (*led.resources(args.services, args.clusters, args.namespace), *args.resources)
        rules = [_register(name, item, patient) for item in wanted if isinstance(item, DestinationRule)]
        # Where a route is known before the subset that it names, requests get an error (503).
        after = pulumi.ResourceOptions.merge(patient, pulumi.ResourceOptions(depends_on=rules))
        for item in wanted:
            if not isinstance(item, DestinationRule):
                _register(name, item, after)
        self.hosts = list(dict.fromkeys(host for item in wanted for host in led.hosts(item)))
        self.register_outputs({"hosts": self.hosts})


def _register(name: str, resource: IstioResource, opts: pulumi.ResourceOptions) -> KubernetesObject:
    metadata = resource.metadata
    annotations = {**GOES_AT_ONCE, **(metadata.annotations or {})}
    annotated = metadata.model_copy(update={"annotations": annotations})
    manifest = resource.model_copy(update={"metadata": annotated}).manifest()
    place = f"{metadata.namespace}-{metadata.name}" if metadata.namespace else metadata.name
    return KubernetesObject(f"{name}-{place}-{type(resource).__name__.lower()}", manifest, opts)
