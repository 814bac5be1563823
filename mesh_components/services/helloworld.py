"""HelloWorld: a service that says which of its versions answered, and a pod that calls it.

Owns its namespace, the Service, the versions that run in this cluster and the pod with curl. Does not own what brings
them together: the mesh does that, when the same Service is in every cluster.
"""

from __future__ import annotations

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs
from mesh_components.kubernetes import Plain
from mesh_components.services import samples
from mesh_components.settings.applications import HelloWorldSettings, HelloWorldVersion

PORT = 5000
CLIENT = "curl"
"""Of the client's Deployment, its container and its account."""
_IMAGE_TAG = "1.0"
_SETTINGS = HelloWorldSettings()


class HelloWorldArgs(ComponentArgs):
    """What of it is in one cluster."""

    versions: tuple[HelloWorldVersion, ...] = ("v1", "v2")
    """Those that run here; none is as good: the Service is there, and leads to the versions of other clusters."""
    namespace: str = _SETTINGS.namespace
    labels: dict[str, str] = Field(default_factory=lambda: {"istio-injection": "enabled"})
    """Of the namespace: what brings its pods into the mesh."""
    exported: bool = False
    """True in ambient: without a label of its own a Service is local to its cluster there."""
    client: bool = _SETTINGS.client
    """A pod with curl."""
    client_image: str = _SETTINGS.client_image
    hub: str = _SETTINGS.hub


class HelloWorld(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`
    (https://istio.io/latest/docs/setup/install/multicluster/verify/)."""

    host: pulumi.Output[str]
    """`helloworld.<namespace>:5000`, as the client calls it; the path is `/hello`."""

    def __init__(self, name: str, args: HelloWorldArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:HelloWorld", name, {"versions": list(args.versions)}, opts)
        samples.register(self, name, samples.namespace(args.namespace, args.labels), _parts(args), opts)
        self.host = pulumi.Output.from_input(f"helloworld.{args.namespace}:{PORT}")
        self.register_outputs({"host": self.host})


def _parts(args: HelloWorldArgs) -> dict[str, Plain]:
    space = args.namespace
    parts = {"service": samples.service(space, "helloworld", PORT, pods=bool(args.versions), exported=args.exported)}
    for version in args.versions:
        image = f"{args.hub}/examples-helloworld-{version}:{_IMAGE_TAG}"
        workload = samples.Workload("helloworld", image, version, PORT, requests={"cpu": "100m"})
        parts[version] = samples.deployment(space, workload)
    if args.client:
        # It sleeps: who wants to call something runs curl in it.
        client = samples.Workload(CLIENT, args.client_image, account=CLIENT, command=("/bin/sleep", "infinity"))
        parts["client-account"] = samples.account(space, CLIENT)
        parts["client"] = samples.deployment(space, client)
    return parts
