"""What runs on every node: Istio's CNI plugin, which sidecars can use too, and ztunnel, which is ambient's data plane.

Do not own the root namespace or istiod. ztunnel must come after the istiod that signs for it (`depends_on`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from mesh_components.control_plane import charts, values
from mesh_components.control_plane.args import ChartArgs
from mesh_components.control_plane.register import register, when_made
from mesh_components.settings.location import Platform


class NodeArgs(ChartArgs):
    """What both are told."""

    revision: str = ""
    network_policies: bool = False


class CniArgs(NodeArgs):
    """Which data plane the plugin sets up."""

    ambient: bool = False


class ZtunnelArgs(NodeArgs):
    """Who this cluster is."""

    cluster_name: str
    """The cluster ID, as istiod has it."""
    network: str


class Cni(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`."""

    ready: pulumi.Output[str]
    """Name of the DaemonSet, once it runs on every node."""

    def __init__(self, name: str, args: CniArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:Cni", name, {"version": args.version, "ambient": args.ambient}, opts)
        _build(self, name, args, "cni", "istio-cni", values.cni(args.platform, args.revision, args.ambient), opts)
        self.register_outputs({"ready": self.ready})


class Ztunnel(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`."""

    ready: pulumi.Output[str]
    """Name of the DaemonSet, once it runs on every node."""

    def __init__(self, name: str, args: ZtunnelArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:Ztunnel", name, {"version": args.version, "network": args.network}, opts)
        wanted = values.ztunnel(args.cluster_name, args.network, args.platform, args.revision, args.namespace)
        _build(self, name, args, "ztunnel", "ztunnel", wanted, opts)
        self.register_outputs({"ready": self.ready})


def node_namespace(platform: Platform, namespace: str) -> str:
    """OpenShift allows what these two do on a node in `kube-system` only
    (https://istio.io/latest/docs/ambient/install/platform-prerequisites/#openshift)."""
    return "kube-system" if platform == "openshift" else namespace


def _build(
    component: Cni | Ztunnel,
    name: str,
    args: NodeArgs,
    chart: str,
    release: str,
    wanted: Mapping[str, Any],
    opts: pulumi.ResourceOptions | None,
) -> None:
    rendered = charts.render(
        args.charts,
        chart,
        version=args.version,
        release=release,
        namespace=node_namespace(args.platform, args.namespace),
        values=values.merge(wanted, values.policies(args.network_policies), args.values),
        provider=args.renderer or charts.renderer(f"{name}-charts", component),
    )
    made = register(component, name, rendered, {}, opts)
    agent = next((item["metadata"]["name"] for item in rendered if item["kind"] == "DaemonSet"), release)
    component.ready = when_made(agent, made)
