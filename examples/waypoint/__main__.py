"""HelloWorld in ambient, a waypoint for its namespace, and a retry that the waypoint does."""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    HelloWorld,
    HelloWorldArgs,
    TrafficRules,
    TrafficRulesArgs,
    Waypoint,
    WaypointArgs,
)
from mesh_components.istio.virtual_service import HTTPRoute
from mesh_components.services import traffic

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))
inside = pulumi.ResourceOptions(providers=[cluster.provider])
application = HelloWorld(
    "helloworld", HelloWorldArgs(labels={"istio.io/dataplane-mode": "ambient"}, exported=True), inside
)
after = pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[application])

waypoint = Waypoint("waypoint", WaypointArgs(namespace="sample", min_replicas=2), after)

HOST = "helloworld.sample.svc.cluster.local"
routes = [HTTPRoute(route=traffic.to(HOST), timeout="5s", retries=traffic.retries(2, per_try="1s", on=["5xx"]))]
rules = TrafficRulesArgs(resources=(traffic.virtual_service("helloworld", "sample", HOST, routes),))
TrafficRules("traffic", rules, after)

pulumi.export("waypoint", waypoint.gateway)
