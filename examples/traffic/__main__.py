"""Lead requests to HelloWorld: testers see v2, a tenth of all others too, and what fails is left out."""

from pathlib import Path

import pulumi

from mesh_components import (
    AttachedCluster,
    AttachedClusterArgs,
    HelloWorld,
    HelloWorldArgs,
    TrafficRules,
    TrafficRulesArgs,
)
from mesh_components.istio.destination_rule import TrafficPolicy
from mesh_components.istio.virtual_service import HTTPRoute
from mesh_components.services import traffic

config = pulumi.Config()
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=Path(config.require("kubeconfig")).read_text()))
inside = pulumi.ResourceOptions(providers=[cluster.provider])
application = HelloWorld("helloworld", HelloWorldArgs(), inside)

HOST = "helloworld.sample.svc.cluster.local"
versions = traffic.subsets({"v1": {"version": "v1"}, "v2": {"version": "v2"}})
policy = traffic.with_failover(TrafficPolicy(load_balancer=traffic.balance("RANDOM")))
routes = [
    HTTPRoute(
        match=[traffic.match(headers={"end-user": "jason"})],
        route=traffic.to(HOST, "v2"),
        fault=traffic.delay("2s", percent=50),
    ),
    HTTPRoute(
        route=traffic.split(HOST, {"v1": 90, "v2": 10}),
        timeout="5s",
        retries=traffic.retries(2, per_try="1s", on=["5xx", "connect-failure"]),
    ),
]
rules = TrafficRules(
    "traffic",
    TrafficRulesArgs(
        resources=(
            traffic.destination_rule("helloworld", "sample", HOST, subsets=versions, policy=policy),
            traffic.virtual_service("helloworld", "sample", HOST, routes),
        )
    ),
    pulumi.ResourceOptions(providers=[cluster.provider], depends_on=[application]),
)

pulumi.export("hosts", rules.hosts)
