"""Jaeger: the traces of all clusters in one place. Does not own what makes proxies send them (`MeshTelemetry`, and the
mesh config), nor the Service by which proxies of other clusters find it (`ServiceElsewhere`).
"""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.addons.args import AddonArgs
from mesh_components.addons.chart import Chart, build
from mesh_components.settings.addons import JaegerSettings
from mesh_components.topology.addon_names import JAEGER, JAEGER_QUERY_PORT, url_of

REPOSITORY = "https://jaegertracing.github.io/helm-charts"
_PAGE = {"traffic.sidecar.istio.io/excludeInboundPorts": str(JAEGER_QUERY_PORT)}
"""Where Kiali and Grafana ask, which have no sidecar, and must reach it where plaintext is refused too."""


class JaegerArgs(AddonArgs):
    """Which version."""

    version: str = JaegerSettings().version


class Jaeger(pulumi.ComponentResource):
    """All of it in one pod, with the traces in memory; hand it the cluster's provider through `opts.providers`."""

    url: pulumi.Output[str]
    """Where its page and its API answer inside of the cluster, once it is there."""

    def __init__(self, name: str, args: JaegerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:Jaeger", name, {"version": args.version}, opts)
        chart = Chart("jaeger", args.version, REPOSITORY, JAEGER)
        sidecar = _PAGE if args.plane == "sidecar" else {}
        made = build(self, name, args, chart, values(), opts, annotations=sidecar, exported=[JAEGER])
        self.url = made.apply(lambda _: url_of(JAEGER, args.namespace, JAEGER_QUERY_PORT))
        self.register_outputs({"url": self.url})


def values() -> dict[str, Any]:
    """Values of the chart `jaeger`. The variable has it listen to other pods too, not to its own alone."""
    return {
        "fullnameOverride": JAEGER,
        "jaeger": {"extraEnv": [{"name": "JAEGER_LISTEN_HOST", "value": "0.0.0.0"}]},  # noqa: S104 - of its pod
    }
