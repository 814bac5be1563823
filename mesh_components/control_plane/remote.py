"""A cluster whose pods are served by the istiod of another one: its webhook, its way to istiod, and istiod's rights.

Does not own what a cluster has once (`IstioBase`) or the root namespace, which must exist before it and name who may
write here (`topology.istio.io/controlPlaneClusters`). No pod is injected before istiod serves and its gateway lets the
webhook through.
"""

from __future__ import annotations

from typing import Any, Self

import pulumi
from pydantic import model_validator

from mesh_components.component import MaybeOutput
from mesh_components.control_plane import charts, values
from mesh_components.control_plane.args import ControlPlaneArgs
from mesh_components.control_plane.placeholders import known_later, known_roots
from mesh_components.control_plane.register import register, when_made
from mesh_components.settings.location import AddressType
from mesh_components.topology import names


class RemoteIstiodArgs(ControlPlaneArgs):
    """Which istiod serves this cluster, and how it is reached."""

    address: MaybeOutput[str]
    """Of the gateway in front of that istiod."""
    address_type: AddressType = "ip"
    by_url: bool = False
    """The webhook goes to the address itself. So it must behind a host name, where a Service cannot turn the port 443
    that webhooks call into the gateway's, and with an external control plane."""
    external: bool = False
    """An external control plane: proxies know its address from the mesh config, so no Service stands for it here."""
    config: bool = False
    """This cluster also holds the configuration of that external control plane."""
    public_certificate: bool = False
    """API servers trust the certificate at the address by themselves, and our root did not sign it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.external or self.config) and not self.by_url:
            raise ValueError(
                "by_url is False, but no Service stands for an external control plane, so the webhook has nowhere to "
                "go; set by_url to True"
            )
        return self


class RemoteIstiod(pulumi.ComponentResource):
    """One per remote or config cluster and revision; hand it the cluster's provider through `opts.providers`."""

    ready: pulumi.Output[str]
    """Name under which proxies of this cluster know istiod, once everything is there."""

    def __init__(self, name: str, args: RemoteIstiodArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {
            "cluster": args.cluster_name,
            "network": args.network,
            "version": args.version,
            "revision": args.revision,
        }
        # A cluster that was a primary keeps the objects that both have: as new ones they would be refused.
        same = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="mesh:index:Istiod")])
        super().__init__("mesh:index:RemoteIstiod", name, props, pulumi.ResourceOptions.merge(opts, same))
        renderer = args.renderer or charts.renderer(f"{name}-charts", self)
        rendered = charts.istiod(args, chart_values(args), renderer)
        known = known_later(args.root_cert_pem, args.address, args.address_type, name) | known_roots(args.trusted)
        made = register(self, name, rendered, known, opts)
        self.ready = when_made(names.istiod(args.revision), made)
        self.register_outputs({"ready": self.ready})


def chart_values(args: RemoteIstiodArgs) -> dict[str, Any]:
    """Values of the chart `istiod`."""
    served = values.remote(
        args.cluster_name,
        args.network,
        address_type=args.address_type,
        by_url=args.by_url,
        service=not (args.external or args.config),
        config=args.config,
        trusted=args.public_certificate,
    )
    return values.merge(values.common(args), served)
