"""Control planes: roles that fit together, and chart values that do not undo what the mesh decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesh_components.settings import Finding
from mesh_components.settings.istio import MeshConfigSettings
from mesh_components.topology.rules.context import Context, at, error, quoted, warning

OWNED = {
    "global.meshID": "`id`",
    "global.network": "`clusters[].network`",
    "global.multiCluster": "`clusters[].name`",
    "global.istioNamespace": "`istio.namespace`",
    "global.trustDomain": "`trustDomain`",
    "revision": "`istio.revision`",
    "defaultRevision": "`istio.revision`",
    "meshConfig.trustDomain": "`trustDomain`",
    "meshConfig.rootNamespace": "`istio.namespace`",
    "meshConfig.defaultConfig.meshId": "`id`",
    "base.validationCABundle": "the root of `trust`",
    "base.enableCRDTemplates": "`istio.crds`",
    "defaults": "the chart (it refuses to render)",
    "_internal_defaults_do_not_set": "the chart",
}
"""Keys of the charts' values that follow from the document, and where they do."""

CHARTS = ("base", "istiod")


def remote_alone(context: Context) -> Iterator[Finding]:
    """MESH403 (https://istio.io/latest/docs/ops/deployment/deployment-models/#control-plane-models)."""
    clusters = context.mesh.clusters
    if any(cluster.role == "primary" for cluster in clusters):
        return
    for index, cluster in context.clusters():
        yield error(
            "MESH403",
            at(index, "role"),
            f'"{cluster.name}" is a remote, which takes its configuration from a primary\'s istiod, and there is none',
            "give at least one cluster the role primary",
        )


def owned_values(context: Context) -> Iterator[Finding]:
    """MESH404. A value in two places drifts apart, and a mesh whose clusters disagree about it fails silently."""
    values = context.mesh.istio.values
    for chart, tree in (("base", values.base), ("istiod", values.istiod)):
        for path, owner in _owned(tree, ""):
            yield error(
                "MESH404",
                f"istio.values.{chart}.{path}",
                f"this follows from {owner}; values are merged last, so this would override it here and nowhere else, "
                "and the parts of the mesh would no longer fit together",
                f"take it out; {owner} is where to say it",
            )


def several_sources(context: Context) -> Iterator[Finding]:
    """MESH405, the document."""
    charts = context.mesh.istio.charts
    stated = [name for name in ("repository", "oci", "folder") if getattr(charts, name) is not None]
    if len(stated) > 1:
        yield error(
            "MESH405",
            "istio.charts",
            f"the charts come from one place, and this names {len(stated)}: {', '.join(stated)}",
            "keep one of them",
        )


def incomplete_folder(context: Context) -> Iterator[Finding]:
    """MESH405, the folder."""
    folder = context.mesh.istio.charts.folder
    if folder is None or context.holds_chart is None or context.mesh.istio.install == "none":
        return
    missing = [chart for chart in CHARTS if not context.holds_chart(folder, chart)]
    if missing:
        yield error(
            "MESH405",
            "istio.charts.folder",
            f"{quoted(folder)} holds no chart {' and no chart '.join(missing)}, so nothing can be rendered",
            "name the folder that has one chart each in `base` and `istiod`; a chart is a folder with a Chart.yaml",
        )


def nobody_reads(context: Context) -> Iterator[Finding]:
    """MESH406."""
    istio = context.mesh.istio
    if istio.install == "charts":
        return
    stated = {
        "meshConfig": istio.mesh_config != MeshConfigSettings(),
        "values": bool(istio.values.base or istio.values.istiod),
    }
    for key, set_ in stated.items():
        if set_:
            yield warning(
                "MESH406",
                f"istio.{key}",
                "with `istio.install: none` another tool installs Istio and nobody reads this",
                "say it to that tool, and take it out here",
            )


def _owned(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Owned keys in a chart's values, each as it is spelled there, with its owner."""
    for key, value in tree.items():
        path = f"{prefix}{key}"
        owner = _owner(path, value)
        if owner:
            yield path, owner
        elif isinstance(value, Mapping):
            yield from _owned(value, f"{path}.")


def _owner(path: str, value: Any) -> str:
    """Who owns the key; empty when nobody does.

    The istiod chart merges everything under `pilot.` over the top level, so `pilot.revision` is another spelling of
    `revision`. A parent that is null or a scalar erases every key below it, the owned ones too.
    """
    spelled = path.removeprefix("pilot.")
    for owned, owner in OWNED.items():
        below = spelled == owned or spelled.startswith(f"{owned}.")
        erased = owned.startswith(f"{spelled}.") and not isinstance(value, Mapping)
        if below or erased:
            return owner
    return ""


RULES = (remote_alone, owned_values, several_sources, incomplete_folder, nobody_reads)
