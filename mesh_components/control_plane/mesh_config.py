"""Istio's mesh config and the sidecars' defaults from settings. Pure: plain data in, plain data out
(https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesh_components.control_plane.args import TrustedMesh
from mesh_components.control_plane.placeholders import other_roots
from mesh_components.settings.base import ResourceAmounts
from mesh_components.settings.istio import (
    AccessLogSettings,
    MeshConfigSettings,
    MeshNetwork,
    ProxySettings,
    TracingSettings,
)
from mesh_components.settings.visibility import VisibilitySettings
from mesh_components.topology import names, proxies
from mesh_components.topology import visibility as seen

_AS_ISTIO = VisibilitySettings()


def mesh_config(
    settings: MeshConfigSettings,
    local_hosts: Sequence[str] = (),
    *,
    multi_root: bool = False,
    visibility: VisibilitySettings = _AS_ISTIO,
) -> dict[str, Any]:
    """The part of `meshConfig` that the settings speak of; `local_hosts` are cluster-local beside theirs.

    Without `multi_root` a proxy trusts nothing but the root that its own certificate hangs on.
    """
    config: dict[str, Any] = {}
    metadata = proxies.metadata(dns_capture=settings.dns_capture, multi_root=multi_root)
    if metadata:
        config["defaultConfig"] = {"proxyMetadata": metadata}
    groups = seen.service_settings(visibility, tuple(dict.fromkeys((*local_hosts, *settings.cluster_local_hosts))))
    if groups:
        config["serviceSettings"] = groups
    if settings.outbound_traffic_policy:
        config["outboundTrafficPolicy"] = {"mode": settings.outbound_traffic_policy}
    return {**config, **_access_log(settings.access_log), **_tracing(settings.tracing)}


def visible(visibility: VisibilitySettings, namespace: str, *, ambient: bool) -> dict[str, Any]:
    """Who sees what, beside the hosts that stay in their cluster: namespaces, and ambient's scopes. `namespace` is the
    root namespace."""
    found = {
        "discoverySelectors": seen.selectors(visibility, namespace),
        "serviceScopeConfigs": seen.scopes(visibility, namespace) if ambient else [],
    }
    return {**{key: value for key, value in found.items() if value}, **seen.export_to(visibility)}


def other_meshes(trusted: Sequence[TrustedMesh]) -> dict[str, Any]:
    """The roots of other meshes, with the trust domains whose identities are let in
    (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-CertificateData).

    istiod puts all roots into one bundle for every proxy, and takes the trust domains for a list of names to let in: it
    does not tie the one to the other (pilot/pkg/trustbundle/trustbundle.go, pilot/pkg/networking/plugin/authn/util.go).
    """
    roots = [{"pem": other_roots(mesh.name), "trustDomains": [mesh.trust_domain]} for mesh in trusted]
    aliases = [mesh.trust_domain for mesh in trusted if mesh.alias]
    return {
        **({"caCertificates": roots} if roots else {}),
        **({"trustDomainAliases": aliases} if aliases else {}),
    }


def istiod_hosts(revisions: Sequence[str], namespace: str) -> tuple[str, ...]:
    """The istiods of a cluster, where there are several: each makes its own host cluster-local by itself
    (`GetDiscoveryAddress` in Istio's pilot/pkg/model/cluster_local.go), and no other's.

    Without it, a gateway that leads remotes to the istiod of another revision than its own would spread them over all
    clusters with that revision, and over the Services that stand for it in remotes, which lead back to the gateway.
    """
    if len(revisions) < 2:
        return ()
    return tuple(names.istiod_service(revision, namespace) for revision in revisions)


def proxy(settings: ProxySettings) -> dict[str, Any]:
    """`global.proxy`: defaults of every sidecar."""
    return {
        **resources(settings.requests, settings.limits),
        **_ranges("includeIPRanges", settings.include_ip_ranges),
        **_ranges("excludeIPRanges", settings.exclude_ip_ranges),
    }


def resources(requests: ResourceAmounts, limits: ResourceAmounts) -> dict[str, Any]:
    """`resources` as far as they are stated; what is not keeps the chart's default."""
    amounts = {"requests": requests.model_dump(exclude_none=True), "limits": limits.model_dump(exclude_none=True)}
    stated = {kind: amount for kind, amount in amounts.items() if amount}
    return {"resources": stated} if stated else {}


def mesh_networks(networks: Mapping[str, MeshNetwork]) -> dict[str, Any]:
    """`global.meshNetworks`, the content of `networks` in Istio's words."""
    return {
        name: network.model_dump(mode="json", by_alias=True, exclude_none=True) for name, network in networks.items()
    }


def _access_log(log: AccessLogSettings | None) -> dict[str, Any]:
    if log is None:
        return {}
    chosen = {"accessLogFile": log.file, "accessLogEncoding": log.encoding}
    return {**chosen, "accessLogFormat": log.format} if log.format else chosen


def _tracing(tracing: TracingSettings | None) -> dict[str, Any]:
    if tracing is None or tracing.provider is None:
        return {}
    return {"defaultProviders": {"tracing": [tracing.provider]}}


def _ranges(key: str, ranges: Sequence[str]) -> dict[str, str]:
    return {key: ",".join(ranges)} if ranges else {}
