"""Chart values that do not undo what the mesh decided, and that somebody reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesh_components.settings import Finding
from mesh_components.topology.images import is_of, pinned
from mesh_components.topology.plan import needs_cni
from mesh_components.topology.revisions import all_revisions, default_version
from mesh_components.topology.rules.context import Context, error, quoted, warning

_MESH = {
    "global.meshID": "`id`",
    "global.network": "`clusters[].network`",
    "global.multiCluster": "`clusters[].name`",
    "global.istioNamespace": "`istio.namespace`",
    "global.trustDomain": "`trustDomain`",
    "global.platform": "`clusters[].platform`",
    "global.profile": "`clusters[].role` and `istio.dataPlane`",
    "platform": "`clusters[].platform`",
    "profile": "`clusters[].role` and `istio.dataPlane`",
    "revision": "`istio.revisions`",
    "defaults": "the chart (it refuses to render)",
    "_internal_defaults_do_not_set": "the chart",
}
"""Keys of every chart."""

_ISTIOD = {
    "revisionTags": "`istio.tags`",
    "meshConfig.trustDomain": "`trustDomain`",
    "meshConfig.rootNamespace": "`istio.namespace`",
    "meshConfig.defaultConfig.meshId": "`id`",
    "base.validationCABundle": "the root of `trust`",
    "base.validationURL": "`clusters[].role`",
    "cni.enabled": "`istio.cni`",
    "global.configCluster": "`clusters[].role`",
    "global.externalIstiod": "`clusters[].role`",
    "global.meshNetworks": "`istio.meshNetworks`",
    "global.remotePilotAddress": "`clusters[].controlPlane`",
    "istiodRemote": "`clusters[].role`",
    "trustedZtunnelName": "`istio.dataPlane`",
    "trustedZtunnelNamespace": "`istio.dataPlane`",
    "env.AMBIENT_ENABLE_MULTI_NETWORK": "`istio.dataPlane` and `clusters[].network`",
    "env.CLUSTER_ID": "`clusters[].name`",
    "env.EXTERNAL_ISTIOD": "`clusters[].role`",
    "env.ISTIOD_CUSTOM_HOST": "`clusters[].eastWest.address`",
    "env.PILOT_ENABLE_AMBIENT": "`istio.dataPlane`",
    "env.ISTIO_MULTIROOT_MESH": "`trust.multiRoot`",
    "env.REVISION": "`istio.revisions`",
    "meshConfig.defaultConfig.proxyMetadata.PROXY_CONFIG_XDS_AGENT": "`trust.multiRoot`",
}

_EXTERNAL = {
    "global.caAddress": "the role external",
    "global.configValidation": "the role external",
    "global.operatorManageWebhooks": "the role external",
    "meshConfig.defaultConfig.discoveryAddress": "the role external",
    "env.INJECTION_WEBHOOK_CONFIG_NAME": "the role external",
    "env.LOCAL_CLUSTER_SECRET_WATCHER": "the role external",
    "env.SHARED_MESH_CONFIG": "the role external",
    "env.VALIDATION_WEBHOOK_CONFIG_NAME": "the role external",
}
"""Keys of the chart istiod that only an external control plane needs for itself."""

_MESHES = {"meshConfig.caCertificates": "`meshes`", "meshConfig.trustDomainAliases": "`meshes[].alias`"}
"""Keys of the chart istiod where other meshes are trusted."""

_BASE = {
    "defaultRevision": "`istio.revision`",
    "base.validationCABundle": "the root of `trust`",
    "base.validationURL": "`clusters[].role`",
    "base.enableCRDTemplates": "`istio.crds`",
}

_CNI = {"ambient.enabled": "`istio.dataPlane`"}

_ZTUNNEL = {
    "multiCluster": "`clusters[].name`",
    "network": "`clusters[].network`",
    "istioNamespace": "`istio.namespace`",
    "resourceName": "`istio.dataPlane`",
    "caAddress": "`istio.revision`",
    "xdsAddress": "`istio.revision`",
}

_ALIASES = {"istiod": "pilot.", "cni": "cni."}
"""Charts that merge everything below this key over the top level."""


def owned(context: Context) -> Iterator[Finding]:
    """MESH404. A value in two places drifts apart, and a mesh whose clusters disagree about it fails silently."""
    for chart, keys in _owned_keys(context).items():
        for path, owner in _set(chart, keys, getattr(context.mesh.istio.values, chart), ""):
            yield error(
                "MESH404",
                f"istio.values.{chart}.{path}",
                f"this follows from {owner}; values are merged last, so this would override it here and nowhere else, "
                "and the parts of the mesh would no longer fit together",
                f"take it out; {owner} is where to say it",
            )


def unread(context: Context) -> Iterator[Finding]:
    """MESH419."""
    mesh = context.mesh
    if mesh.istio.install == "none":
        return  # MESH406
    used = {
        "cni": any(needs_cni(mesh, cluster) for cluster in mesh.clusters),
        "ztunnel": mesh.istio.data_plane != "sidecar",
    }
    for chart, installed in used.items():
        if getattr(mesh.istio.values, chart) and not installed:
            key = "`istio.cni: true`, or a data plane with ambient" if chart == "cni" else "`istio.dataPlane: ambient`"
            yield warning(
                "MESH419",
                f"istio.values.{chart}",
                f"the chart {chart} is not used in this mesh, so nobody reads its values",
                f"take them out, or set {key}",
            )


def pinned_images(context: Context) -> Iterator[Finding]:
    """MESH427."""
    node = default_version(context.mesh)
    running = [item.version for item in all_revisions(context.mesh)]
    for chart, place, tag in pinned(context.mesh):
        wanted = running if chart == "istiod" else [node]
        other = next((version for version in wanted if not is_of(tag, version)), None)
        if other is not None:
            yield warning(
                "MESH427",
                place,
                f"the images are {f'those of the tag {quoted(tag)}' if tag else 'pinned without a tag'}, and the "
                f"charts are of {other}: they may not fit together, and an upgrade would change the charts alone",
                "take it out; `hub` alone says in which registry the images of each version are",
            )


def _owned_keys(context: Context) -> dict[str, dict[str, str]]:
    others = _MESHES if context.mesh.meshes else {}
    external = any(cluster.role == "external" for cluster in context.mesh.clusters)
    return {
        "base": {**_MESH, **_BASE},
        "istiod": {**_MESH, **_ISTIOD, **(_EXTERNAL if external else {}), **others},
        "cni": {**_MESH, **_CNI},
        "ztunnel": {**_MESH, **_ZTUNNEL},
    }


def _set(chart: str, keys: Mapping[str, str], tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Owned keys in a chart's values, each as it is spelled there, with its owner."""
    for key, value in tree.items():
        path = f"{prefix}{key}"
        owner = _owner(chart, keys, path, value)
        if owner:
            yield path, owner
        elif isinstance(value, Mapping):
            yield from _set(chart, keys, value, f"{path}.")


def _owner(chart: str, keys: Mapping[str, str], path: str, value: Any) -> str:
    """Who owns the key; empty when nobody does.

    The charts istiod and cni merge everything under `pilot.` and `cni.` over the top level, so `pilot.revision` is
    another spelling of `revision`. A parent that is null or a scalar erases every key below it, the owned ones too.
    """
    for spelled in {path, path.removeprefix(_ALIASES.get(chart, path))}:
        for key, owner in keys.items():
            below = spelled == key or spelled.startswith(f"{key}.")
            erased = bool(spelled) and key.startswith(f"{spelled}.") and not isinstance(value, Mapping)
            if below or erased:
                return owner
    return ""


RULES = (owned, unread, pinned_images)
