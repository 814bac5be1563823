"""Ambient and sidecars: what Istio can do with them in several clusters, and what it cannot yet
(https://istio.io/latest/docs/ambient/install/multicluster/). Remotes are in `roles`, versions in `versions`."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.settings.gateway import EastWestSettings
from mesh_components.topology.plan import needs_ambient_gateway, networks
from mesh_components.topology.roles import members
from mesh_components.topology.rules.context import Context, at, clusters_named, error, warning


def one_network(context: Context) -> Iterator[Finding]:
    """MESH417 (istio#42137)."""
    mesh = context.mesh
    if mesh.istio.data_plane == "sidecar":
        return
    for network in networks(mesh):
        shared = tuple(c for c in members(mesh) if c.network == network)
        if len(shared) > 1:
            yield warning(
                "MESH417",
                "istio.dataPlane",
                f'{clusters_named(shared)} share network "{network}"; Istio calls ambient in several clusters of one '
                "network untested, and perhaps broken",
                "give each cluster a network of its own, with gateways in between, or use sidecars",
            )


def mixed(context: Context) -> Iterator[Finding]:
    """MESH418 (istio#61713, istio#60609; istio#61746 collects them)."""
    if context.mesh.istio.data_plane == "mixed" and len(networks(context.mesh)) > 1:
        yield warning(
            "MESH418",
            "istio.dataPlane",
            "once ambient crosses networks, sidecars too reach only those services of other clusters that carry the "
            "label istio.io/global (istio#61713), and ingress gateways take the ambient way (istio#60609)",
            "label the Services that others call in every cluster before you turn this on, and try it on a copy first",
        )


def no_plugin(context: Context) -> Iterator[Finding]:
    """MESH422."""
    istio = context.mesh.istio
    if istio.data_plane != "sidecar" and istio.cni is False:
        yield error(
            "MESH422",
            "istio.cni",
            "ambient has no sidecar that could redirect traffic: it is the CNI plugin that leads it to ztunnel, so "
            "without it no pod would be in the mesh",
            "leave `istio.cni` out, or set it to true",
        )


def not_for_ambient(context: Context) -> Iterator[Finding]:
    """MESH426. Beside a gateway for sidecars, which has it, the setting is heard."""
    mesh = context.mesh
    if mesh.istio.data_plane != "ambient":
        return
    for index, cluster in context.clusters():
        if needs_ambient_gateway(mesh, cluster) and cluster.east_west.hosts != EastWestSettings().hosts:
            yield error(
                "MESH426",
                at(index, "eastWest.hosts"),
                f'the ambient gateway of "{cluster.name}" does not have this, and would be open to more than is '
                "written here",
                "take it out; other networks reach the Services with the label istio.io/global, and no others",
            )


RULES = (one_network, mixed, no_plugin, not_for_ambient)
