"""Chart values from settings. Pure: plain data in, plain data out
(https://istio.io/latest/docs/setup/install/multicluster/, values of the `base` and `istiod` charts)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesh_components.settings.cluster import Platform
from mesh_components.settings.istio import AccessLogSettings, MeshConfigSettings, ProxySettings, TracingSettings

CHART_PLATFORMS: dict[Platform, str] = {"gke": "gke", "k3s": "k3s", "openshift": "openshift"}
"""Platforms for which Istio's charts have a profile. IBM, EKS and AKS have none: they run with the defaults."""


def base(revision: str, namespace: str, ca_bundle: str) -> dict[str, Any]:
    """Values of `base`. None leaves out its CRDs: without `enableCRDTemplates` the chart prints them as they are."""
    return {
        # With a revision, the default validator would point at a Service `istiod` that does not exist.
        "defaultRevision": revision or "default",
        "base": {"validationCABundle": ca_bundle, "validationFailurePolicy": "Fail"},
        "global": {"istioNamespace": namespace},
    }


def crds() -> dict[str, Any]:
    """Values with which `base` holds nothing but the CRDs."""
    return {"defaultRevision": "", "global": {"enableReaderRBAC": False}}


def istiod(
    *,
    mesh_id: str,
    cluster: str,
    network: str,
    trust_domain: str,
    revision: str,
    namespace: str,
    platform: Platform,
    mesh_config: MeshConfigSettings,
    ca_bundle: str,
) -> dict[str, Any]:
    """Values of `istiod` for a primary."""
    values: dict[str, Any] = {
        "global": {
            "meshID": mesh_id,
            "network": network,
            "multiCluster": {"clusterName": cluster},
            "istioNamespace": namespace,
            **_proxy(mesh_config.proxy),
        },
        "meshConfig": {"trustDomain": trust_domain, **_mesh_config(mesh_config)},
        # The same as istiod writes into its webhook, so that nothing differs afterwards
        # (https://github.com/pulumi/pulumi-kubernetes/issues/2210).
        "base": {"validationCABundle": ca_bundle, "validationFailurePolicy": "Fail"},
    }
    if revision:
        values["revision"] = revision
    if platform in CHART_PLATFORMS:
        values["platform"] = CHART_PLATFORMS[platform]
    if mesh_config.tracing is not None:
        values["pilot"] = {"traceSampling": mesh_config.tracing.sampling}
    return values


def merge(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` on top of `values`: mappings are merged key by key, anything else is replaced."""
    merged = dict(values)
    for key, value in over.items():
        mine = merged.get(key)
        merged[key] = merge(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
    return merged


def _mesh_config(settings: MeshConfigSettings) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if settings.dns_capture:
        config["defaultConfig"] = {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}
    return {**config, **_access_log(settings.access_log), **_tracing(settings.tracing)}


def _access_log(log: AccessLogSettings | None) -> dict[str, Any]:
    if log is None:
        return {}
    chosen = {"accessLogFile": log.file, "accessLogEncoding": log.encoding}
    return {**chosen, "accessLogFormat": log.format} if log.format else chosen


def _tracing(tracing: TracingSettings | None) -> dict[str, Any]:
    if tracing is None or tracing.provider is None:
        return {}
    return {"defaultProviders": {"tracing": [tracing.provider]}}


def _proxy(proxy: ProxySettings) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    requests = proxy.requests.model_dump(exclude_none=True)
    limits = proxy.limits.model_dump(exclude_none=True)
    if requests or limits:
        amounts = {"requests": requests, "limits": limits}
        chosen["resources"] = {kind: amount for kind, amount in amounts.items() if amount}
    chosen |= _ranges("includeIPRanges", proxy.include_ip_ranges)
    chosen |= _ranges("excludeIPRanges", proxy.exclude_ip_ranges)
    return {"proxy": chosen} if chosen else {}


def _ranges(key: str, ranges: Sequence[str]) -> dict[str, str]:
    return {key: ",".join(ranges)} if ranges else {}
