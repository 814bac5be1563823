"""From an add-on's chart to resources: rendered as Istio's are, and its pods put into the mesh or kept out of it.

Every chart has other values for labels of pods, and some have none. So what the mesh wants of a pod is written into the
rendered object, and is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from mesh_components.addons.args import AddonArgs
from mesh_components.control_plane import charts
from mesh_components.control_plane.register import register, when_made
from mesh_components.control_plane.values import merge
from mesh_components.kubernetes import KubernetesObject, Plain
from mesh_components.services.samples import EXPORTED
from mesh_components.topology import names

_RUNS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


@dataclass(frozen=True)
class Chart:
    """One chart, and where its project has it."""

    name: str
    version: str
    repository: str
    release: str
    """Name of the release, by which its objects are told from those of another one."""


def build(
    component: pulumi.Resource,
    name: str,
    args: AddonArgs,
    chart: Chart,
    wanted: Mapping[str, Any],
    opts: pulumi.ResourceOptions | None,
    *,
    annotations: Mapping[str, str] | None = None,
    exported: Iterable[str] = (),
    known: Mapping[str, pulumi.Output[str]] | None = None,
) -> pulumi.Output[str]:
    """Render and register; the release's name, once all of it is there.

    Args:
        component: the parent of all objects.
        name: beginning of their resources' names.
        args: what the component was told.
        chart: which.
        wanted: its values; `args.values` are merged over them.
        opts: the component's own.
        annotations: of its pods.
        exported: names of Services that are called from other clusters.
        known: what replaces placeholders in the rendered objects.
    """
    rendered = charts.render(
        args.charts,
        chart.name,
        version=chart.version,
        release=chart.release,
        namespace=args.namespace,
        values=merge(wanted, args.values),
        provider=args.renderer or charts.renderer(f"{name}-charts", component),
        repository=chart.repository,
    )
    in_place = [_placed(item, args, annotations or {}, frozenset(exported)) for item in rendered]
    made: list[KubernetesObject] = register(component, name, in_place, known or {}, opts)
    return when_made(chart.release, made)


def pod_labels(args: AddonArgs) -> dict[str, str]:
    """What decides on a pod whether and how it is in the mesh."""
    if args.plane == "ambient":
        return {"istio.io/dataplane-mode": "ambient"}
    if args.plane == "none":
        return {"sidecar.istio.io/inject": "false"}
    return {"sidecar.istio.io/inject": "true", **({names.REVISION_LABEL: args.revision} if args.revision else {})}


def _placed(item: Plain, args: AddonArgs, annotations: Mapping[str, str], exported: frozenset[str]) -> Plain:
    if item["kind"] in _RUNS:
        metadata = {"labels": pod_labels(args), **({"annotations": dict(annotations)} if annotations else {})}
        item = merge(item, {"spec": {"template": {"metadata": metadata}}})
    if item["kind"] == "Service" and args.plane == "ambient" and item["metadata"]["name"] in exported:
        item = merge(item, {"metadata": {"labels": EXPORTED}})
    # Some charts leave it to whoever installs them in which namespace an object is.
    namespaced = item["kind"] not in _CLUSTER_WIDE and "namespace" not in item["metadata"]
    return merge(item, {"metadata": {"namespace": args.namespace}}) if namespaced else item


_CLUSTER_WIDE = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "MutatingWebhookConfiguration",
        "Namespace",
        "PersistentVolume",
        "PriorityClass",
        "StorageClass",
        "ValidatingWebhookConfiguration",
    }
)
