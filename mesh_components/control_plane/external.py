"""The istiod of other clusters: it runs here, reads its configuration from a cluster elsewhere, and has no workloads.

Does not own the gateway in front of it, the root namespace, `cacerts`, or the Secret `istio-kubeconfig` by which it
reads the config cluster: the last three must exist before it (`depends_on`)
(https://istio.io/latest/docs/setup/install/external-controlplane/).
"""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.component import MaybeOutput
from mesh_components.control_plane import charts, values
from mesh_components.control_plane.args import ControlPlaneArgs
from mesh_components.control_plane.placeholders import known_later, known_roots
from mesh_components.control_plane.register import register, when_made
from mesh_components.settings.discovery import MountedSettings
from mesh_components.settings.istio import PilotSettings
from mesh_components.settings.location import AddressType
from mesh_components.topology import names


class ExternalIstiodArgs(ControlPlaneArgs):
    """Whom it serves, and how it is reached. `cluster_name` and `network` are those of the config cluster, which istiod
    takes for its own."""

    address: MaybeOutput[str]
    """Of the gateway in front of it."""
    address_type: AddressType = "ip"
    public_certificate: bool = False
    """That gateway has a certificate of a public authority; else it has one under our root."""
    pilot: PilotSettings = PilotSettings()
    network_policies: bool = False
    mounted: MountedSettings | None = None
    """Where the kubeconfigs of other clusters are, in the place of remote secrets."""


class ExternalIstiod(pulumi.ComponentResource):
    """One per external control plane and revision; hand it the cluster's provider through `opts.providers`."""

    ready: pulumi.Output[str]
    """Name of istiod's Deployment, once it is available."""

    def __init__(self, name: str, args: ExternalIstiodArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {"configCluster": args.cluster_name, "version": args.version, "revision": args.revision}
        super().__init__("mesh:index:ExternalIstiod", name, props, opts)
        renderer = args.renderer or charts.renderer(f"{name}-charts", self)
        rendered = charts.istiod(args, chart_values(args), renderer)
        known = known_later(args.root_cert_pem, args.address, args.address_type, name) | known_roots(args.trusted)
        made = register(self, name, rendered, known, opts)
        self.ready = when_made(names.istiod(args.revision), made)
        self.register_outputs({"ready": self.ready})


def chart_values(args: ExternalIstiodArgs) -> dict[str, Any]:
    """Values of the chart `istiod`."""
    size = values.deployment(args.revision, args.pilot, args.network_policies)
    merged = values.merge(values.common(args), size, values.external(args.revision, trusted=args.public_certificate))
    return values.with_mounted(merged, args.mounted)
