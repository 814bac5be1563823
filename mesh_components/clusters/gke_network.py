"""The VPC of GKE clusters: one network of the mesh. Owns the VPC, a router with a NAT in each region, and the rule that
lets pods of its clusters reach each other. Subnets are their clusters' own."""

from __future__ import annotations

import pulumi
from pulumi_gcp import compute
from pydantic import Field

from mesh_components.clusters import gke_objects
from mesh_components.component import ComponentArgs, MaybeOutput


class GkeNetworkArgs(ComponentArgs):
    """Which VPC."""

    project: str
    network_name: str
    """What Google calls the VPC, and what the names of all in it begin with."""
    existing: MaybeOutput[str] | None = None
    """A VPC that is there already, `projects/PROJECT/global/networks/NAME`; its routers and NATs are its owner's."""
    regions: tuple[str, ...] = ()
    """Where nodes need a way out."""
    pods: dict[str, str] = Field(default_factory=dict)
    """Pod range by the tag of a cluster's nodes. With two or more there is a rule that lets them reach each other."""


class GkeNetwork(pulumi.ComponentResource):
    """One per network of the mesh."""

    network: pulumi.Output[str]
    """ID of the VPC."""
    nat_addresses: dict[str, pulumi.Output[str]]
    """By region, the address that pods there come from; empty for an existing VPC."""

    def __init__(self, name: str, args: GkeNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:GkeNetwork", name, {"project": args.project, "network": args.network_name}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.nat_addresses = {}
        if args.existing is not None:
            self.network = pulumi.Output.from_input(args.existing)
        else:
            described = gke_objects.network(args.network_name, args.project)
            self.network = compute.Network(f"{name}-network", **described, opts=child).id
            for region in args.regions:
                self._way_out(name, args, region)
        if len(args.pods) > 1:
            compute.Firewall(
                f"{name}-pods",
                **gke_objects.pods_firewall(
                    f"{args.network_name}-pods",
                    args.project,
                    self.network,
                    sorted(args.pods.values()),
                    sorted(args.pods),
                ),
                opts=child,
            )
        self.register_outputs({"network": self.network, "natAddresses": self.nat_addresses})

    def _way_out(self, name: str, args: GkeNetworkArgs, region: str) -> None:
        child = pulumi.ResourceOptions(parent=self)
        named = {"name": f"{args.network_name}-{region}", "project": args.project, "region": region}
        address = compute.Address(f"{name}-nat-address-{region}", **named, opts=child)
        router = compute.Router(f"{name}-router-{region}", **named, network=self.network, opts=child)
        described = gke_objects.nat(named["name"], args.project, region, router.name, address.self_link)
        compute.RouterNat(f"{name}-nat-{region}", **described, opts=child)
        self.nat_addresses[region] = address.address
