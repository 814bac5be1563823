"""Waypoint: the proxy through which ambient leads requests to a namespace.

ztunnel carries connections and reads no requests: routes, retries, faults and policies about requests are the work of a
waypoint, for which istiod runs the proxy. Owns the Gateway, and the label by which a namespace uses it. Does not own
the namespace, nor what is said of requests. It must come after both the namespace and an istiod that knows the class
`istio-waypoint` (PILOT_ENABLE_AMBIENT).
"""

from __future__ import annotations

import pulumi

from mesh_components.component import child_options
from mesh_components.gateways import gateway_api
from mesh_components.gateways.proxy import ProxyArgs, ProxySizeArgs
from mesh_components.kubernetes import PatchObject
from mesh_components.settings.waypoints import WaypointFor
from mesh_components.topology import names
from mesh_components.topology.visibility import GLOBAL_LABEL

_LISTENER = {"name": "mesh", "port": names.HBONE_PORT, "protocol": "HBONE"}


class WaypointArgs(ProxySizeArgs):
    """Of which namespace it is, and what comes through it. As long as nothing is said of its size there is one proxy,
    with the resources that istiod's `global.waypoint` has, and no autoscaler."""

    namespace: str
    gateway_name: str = "waypoint"
    """Of the Gateway, and of all that istiod makes for it."""
    serves: WaypointFor = "service"
    exported: bool = True
    """Other clusters know it. Where a mesh has several, they have to: requests from there come to it."""
    labels_namespace: bool = True
    """False: something else puts `istio.io/use-waypoint` on the namespace, or on single Services."""


class Waypoint(pulumi.ComponentResource):
    """One per namespace and cluster; hand it the cluster's provider through `opts.providers`.

    A policy holds in a waypoint only where its `targetRefs` name the waypoint or a Service: those for a whole namespace
    hold at the workloads, who are then called by the waypoint
    (https://istio.io/latest/docs/ambient/usage/l7-features/#considerations-for-authorization-policies).
    """

    gateway: pulumi.Output[str]
    """`<namespace>/<name>`, once its proxy runs."""

    def __init__(self, name: str, args: WaypointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:Waypoint", name, {"namespace": args.namespace, "serves": args.serves}, opts)
        size = args.model_dump(include=set(ProxySizeArgs.model_fields))
        _, made = gateway_api.register(self, name, door(args), ProxyArgs(service_type="ClusterIP", **size), opts)
        if args.labels_namespace:
            # At last: as long as there is no proxy, requests go on without one.
            metadata = {"name": args.namespace, "labels": {names.USE_WAYPOINT_LABEL: args.gateway_name}}
            manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
            PatchObject(f"{name}-namespace", manifest, child_options(self, opts, made))
        self.gateway = made.metadata.apply(lambda metadata: f"{metadata['namespace']}/{metadata['name']}")
        self.register_outputs({"gateway": self.gateway})


def door(args: WaypointArgs) -> gateway_api.Door:
    """What its Gateway is for. istiod puts these labels on the Service too, where other clusters read them."""
    labels = {names.WAYPOINT_FOR_LABEL: args.serves, **({GLOBAL_LABEL: "true"} if args.exported else {})}
    return gateway_api.Door(args.gateway_name, names.WAYPOINT_CLASS, (_LISTENER,), labels, inside=True)
