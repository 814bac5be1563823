"""A primary's control plane: one revision of the official chart.

Does not own what a cluster has once (`IstioBase`), the root namespace or `cacerts`: all of them must exist before it
(`depends_on`). Without `cacerts`, istiod signs with a root of its own and says nothing.
"""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.control_plane import charts, values
from mesh_components.control_plane.args import ControlPlaneArgs
from mesh_components.control_plane.placeholders import known_later, known_roots
from mesh_components.control_plane.register import register, when_made
from mesh_components.settings.discovery import MountedSettings
from mesh_components.settings.istio import PilotSettings
from mesh_components.topology import names


class IstiodArgs(ControlPlaneArgs):
    """What this control plane is called, what it trusts, whom it serves, and how large it is."""

    serves_remotes: bool = False
    """It also serves clusters without an istiod of their own, and writes into them."""
    custom_hosts: tuple[str, ...] = ()
    """Names beside its own for its certificate: a host name by which the webhooks of remotes call it."""
    pilot: PilotSettings = PilotSettings()
    network_policies: bool = False
    mounted: MountedSettings | None = None
    """Where the kubeconfigs of other clusters are, in the place of remote secrets."""


class Istiod(pulumi.ComponentResource):
    """One per primary cluster and revision; hand it the cluster's provider through `opts.providers`."""

    ready: pulumi.Output[str]
    """Name of istiod's Deployment, once it is available."""

    def __init__(self, name: str, args: IstiodArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {
            "cluster": args.cluster_name,
            "network": args.network,
            "version": args.version,
            "revision": args.revision,
        }
        # A cluster that was a remote keeps the objects that both have: as new ones they would be refused.
        same = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="mesh:index:RemoteIstiod")])
        super().__init__("mesh:index:Istiod", name, props, pulumi.ResourceOptions.merge(opts, same))
        renderer = args.renderer or charts.renderer(f"{name}-charts", self)
        rendered = charts.istiod(args, chart_values(args), renderer)
        made = register(self, name, rendered, known_later(args.root_cert_pem) | known_roots(args.trusted), opts)
        self.ready = when_made(names.istiod(args.revision), made)
        self.register_outputs({"ready": self.ready})


def chart_values(args: IstiodArgs) -> dict[str, Any]:
    """Values of the chart `istiod`."""
    serves = {"global": {"externalIstiod": True}} if args.serves_remotes else {}
    hosts = {"env": {"ISTIOD_CUSTOM_HOST": ",".join(args.custom_hosts)}} if args.custom_hosts else {}
    size = values.deployment(args.revision, args.pilot, args.network_policies)
    merged = values.merge(values.common(args), values.primary(args), size, serves, hosts)
    return values.with_mounted(merged, args.mounted)
