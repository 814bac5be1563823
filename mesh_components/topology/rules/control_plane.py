"""Where the charts come from, and settings of the control planes that somebody reads."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.settings.istio import IstioSettings
from mesh_components.topology.plan import needs_cni
from mesh_components.topology.roles import is_member
from mesh_components.topology.rules.context import Context, at, error, quoted, versions, warning
from mesh_components.topology.versions import parse, text

RETIRED = ("istio-release.storage.googleapis.com/", "gcr.io/istio-release/", "registry.istio.io/")
"""Hosts that the Istio project gives up in December 2026 (https://istio.io/latest/blog/2026/retirement-of-gcp/)."""

LAST_ON_RETIRED = (1, 30)


def several_sources(context: Context) -> Iterator[Finding]:
    """MESH405, the document."""
    stated = context.mesh.istio.charts.stated
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
    needed = _charts(context)
    missing = [chart for chart in needed if not context.holds_chart(folder, chart)]
    if missing:
        names = [f"`{chart}`" for chart in needed]
        yield error(
            "MESH405",
            "istio.charts.folder",
            f"{quoted(folder)} holds no chart {' and no chart '.join(missing)}, so nothing can be rendered",
            f"name the folder that has one chart each in {', '.join(names[:-1])} and {names[-1]}; a chart is a folder "
            "with a Chart.yaml",
        )


def _charts(context: Context) -> list[str]:
    """The charts that this mesh uses."""
    mesh = context.mesh
    cni = any(needs_cni(mesh, cluster) for cluster in mesh.clusters)
    ztunnel = mesh.istio.data_plane != "sidecar"
    return ["base", "istiod", *(["cni"] if cni else []), *(["ztunnel"] if ztunnel else [])]


def nobody_reads(context: Context) -> Iterator[Finding]:
    """MESH406."""
    if context.mesh.istio.install == "charts":
        return
    stated, plain = context.mesh.istio, IstioSettings()
    places = [
        f"istio.{alias}"
        for key, alias in (
            ("cni", "cni"),
            ("gateway_api", "gatewayApi"),
            ("charts", "charts"),
            ("crds", "crds"),
            ("keep_crds", "keepCrds"),
            ("pilot", "pilot"),
            ("mesh_config", "meshConfig"),
            ("mesh_networks", "meshNetworks"),
            ("tags", "tags"),
            ("values", "values"),
        )
        if getattr(stated, key) != getattr(plain, key)
    ]
    places += [at(index, "tags") for index, cluster in context.clusters() if cluster.tags]
    for place in places:
        yield warning(
            "MESH406",
            place,
            "with `istio.install: none` another tool installs Istio and nobody reads this",
            "say it to that tool, and take it out here",
        )


def no_tags_here(context: Context) -> Iterator[Finding]:
    """MESH406, an external control plane's cluster."""
    for index, cluster in context.clusters():
        if cluster.tags and not is_member(cluster) and context.mesh.istio.install == "charts":
            yield warning(
                "MESH406",
                at(index, "tags"),
                f'"{cluster.name}" has no workloads of the mesh, so no namespace there follows a tag',
                "say it for the clusters it serves",
            )


def crds_stay(context: Context) -> Iterator[Finding]:
    """MESH416."""
    istio = context.mesh.istio
    if not istio.keep_crds and istio.crds != "objects" and istio.install == "charts":
        why = "the release that holds them keeps them" if istio.crds == "release" else "this program does not have them"
        yield error(
            "MESH416",
            "istio.keepCrds",
            f"with `crds: {istio.crds}` destroy cannot take the CRDs away: {why}",
            "set `crds: objects`, or leave `keepCrds` out and delete them by hand afterwards",
        )


def retired_repository(context: Context) -> Iterator[Finding]:
    """MESH420 (https://istio.io/latest/blog/2026/retirement-of-gcp/)."""
    istio = context.mesh.istio
    charts = istio.charts
    if istio.install == "none" or charts.folder is not None:
        return
    source = charts.oci or charts.repository or ""
    if not f"{source.partition('://')[2]}/".startswith(RETIRED):
        return
    place = "istio.charts"
    fix = (
        "set `istio.charts.repository` to https://blob.istio.io/istio-release/charts, or `istio.charts.oci` to "
        "oci://ghcr.io/istio/release/charts; both have all versions"
    )
    for _, stated in [("", istio.version), *versions(context)]:
        version = parse(stated)
        if version and version[:2] > LAST_ON_RETIRED:
            reason = f"its last charts are those of {text(LAST_ON_RETIRED)}; {stated} is not there"
            yield error("MESH420", place, f"{quoted(source)} is given up by the Istio project: {reason}", fix)
            return
    reason = "it goes away in December 2026, and the next preview with it"
    yield warning("MESH420", place, f"{quoted(source)} is given up by the Istio project: {reason}", fix)


RULES = (
    several_sources,
    incomplete_folder,
    nobody_reads,
    no_tags_here,
    crds_stay,
    retired_repository,
)
