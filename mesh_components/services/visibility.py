"""Visibility: what a cluster has of objects that say who sees what.

Owns Sidecars and ServiceExports. Does not own the rest of `visibility`, which is mesh config (`Istiod`) and the hosts
of gateways, nor the namespaces that the objects are in, which must exist before it (`depends_on`).
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, child_options
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.kubernetes import KubernetesObject
from mesh_components.services import objects
from mesh_components.settings.visibility import McsSettings


class VisibilityArgs(ComponentArgs):
    """What is said where."""

    sidecars: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Hosts by namespace; those of the root namespace hold for all that have none of their own. Only in clusters that
    hold configuration."""
    exports: tuple[tuple[str, str], ...] = ()
    """Namespace and name of services that other clusters see, where istiod asks ServiceExports."""
    mcs: McsSettings = McsSettings()


class Visibility(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`.

    A ServiceExport counts for nothing, and its absence hides nothing, where istiod was not told to ask for it
    (`Istiod`, `visibility`).
    """

    def __init__(self, name: str, args: VisibilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {"sidecars": sorted(args.sidecars), "exports": [f"{name}.{where}" for where, name in args.exports]}
        super().__init__("mesh:index:Visibility", name, props, opts)
        child = child_options(self, opts)
        patient = pulumi.ResourceOptions.merge(child, retry_while_unserved(name))
        for namespace, hosts in args.sidecars.items():
            KubernetesObject(f"{name}-sidecar-{namespace}", objects.sidecar(namespace, hosts), patient)
        for namespace, service in args.exports:
            manifest = objects.service_export(args.mcs.api_group, namespace, service)
            KubernetesObject(f"{name}-export-{service}.{namespace}", manifest, child)
        self.register_outputs({})
