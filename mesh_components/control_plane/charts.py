"""The official charts as objects: rendered by the provider's own Helm, with no cluster and no credentials.

`helm.v4.Chart` would show no children in a preview with unknown values, and fail where a cluster cannot be reached; the
provider function behind `helm.v3.Chart` does neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
import pulumi_kubernetes as kubernetes

from mesh_components.control_plane.args import ChartArgs, ControlPlaneArgs
from mesh_components.control_plane.values import merge
from mesh_components.kubernetes import Plain
from mesh_components.settings.istio import DEFAULT_REPOSITORY, ChartSource
from mesh_components.topology import names

KUBE_VERSION = "1.32.0"
"""The Kubernetes version that charts are rendered for: the oldest that Istio 1.30 supports. Given, so that no cluster
is asked and the same document renders the same objects everywhere."""

_NOWHERE = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "none", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
        "users": [{"name": "none", "user": {}}],
        "current-context": "none",
    }
)

_RENDERED: WeakKeyDictionary[pulumi.ProviderResource, dict[str, list[Plain]]] = WeakKeyDictionary()
"""What a renderer has answered, by what it was asked. Clusters ask the same of `base`, whose CRDs are megabytes."""


def renderer(name: str, parent: pulumi.Resource) -> kubernetes.Provider:
    """A provider that only renders: its kubeconfig names a server that nobody answers at."""
    return kubernetes.Provider(
        name,
        kubeconfig=_NOWHERE,
        cluster_identifier="charts/none",
        opts=pulumi.ResourceOptions(parent=parent),
    )


def location(source: ChartSource, chart: str, version: str, repository: str = DEFAULT_REPOSITORY) -> dict[str, Any]:
    """Where a chart is, in the provider's words (`path`, or `chart` with `version` and `fetch_opts`); in `repository`
    where the source says nothing."""
    if source.folder is not None:
        return {"path": str(Path(source.folder).expanduser() / chart)}
    if source.oci is not None:
        return {"chart": f"{source.oci.rstrip('/')}/{chart}", "version": version}
    return {"chart": chart, "version": version, "fetch_opts": {"repo": source.repository or repository}}


def render(
    source: ChartSource,
    chart: str,
    *,
    version: str,
    release: str,
    namespace: str,
    values: Mapping[str, Any],
    provider: pulumi.ProviderResource,
    repository: str = DEFAULT_REPOSITORY,
) -> list[Plain]:
    """The objects of one chart. Values are plain; what is known only later goes in as a placeholder.

    Raises:
        pulumi.RunError: when the chart cannot be had or does not render; names chart and source.
    """
    options = {
        **location(source, chart, version, repository),
        "namespace": namespace,
        "release_name": release,
        "values": dict(values),
        "kube_version": KUBE_VERSION,
        # Without it the engine warns that it cannot determine the cluster's API versions.
        "api_versions": ["v1"],
    }
    asked = json.dumps(options, sort_keys=True)
    known = _RENDERED.setdefault(provider, {})
    if asked not in known:
        try:
            answer = pulumi.runtime.invoke(
                "kubernetes:helm:template", {"jsonOpts": asked}, pulumi.InvokeOptions(provider=provider)
            )
        except Exception as error:
            where = options.get("path") or options["chart"]
            raise pulumi.RunError(f"the chart {chart} {version} ({where}) cannot be rendered: {error}") from error
        found = (answer.value or {}).get("result") or []
        known[asked] = [item for item in found if item and item.get("kind")]
    return known[asked]


def base(args: ChartArgs, values: Mapping[str, Any], provider: pulumi.ProviderResource) -> list[Plain]:
    """The objects of the chart `base`; the escape hatch is merged last."""
    return render(
        args.charts,
        "base",
        version=args.version,
        release="istio-base",
        namespace=args.namespace,
        values=merge(values, args.values),
        provider=provider,
    )


def istiod(
    args: ControlPlaneArgs, values: Mapping[str, Any], provider: pulumi.ProviderResource, *, release: str = ""
) -> list[Plain]:
    """The objects of the chart `istiod` for one revision; the escape hatch is merged last."""
    return render(
        args.charts,
        "istiod",
        version=args.version,
        release=release or names.istiod(args.revision),
        namespace=args.namespace,
        values=merge(values, args.values),
        provider=provider,
    )
