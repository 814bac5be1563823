"""What istiod's chart was told, as a document says it. Pure.

The other direction is `mesh_components.control_plane.values`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from mesh_components.settings.base import Settings
from mesh_components.settings.istio import MeshConfigSettings, PilotSettings
from mesh_components.topology.proxies import DNS_CAPTURE
from mesh_components.topology.visibility import EVERY_SERVICE
from meshctl.importing.wrong import wrong

Values = Mapping[str, Any]


class UnreadableError(ValueError):
    """Values that no document of this library leads to: where, and what."""


def pilot(values: Values) -> dict[str, Any]:
    """`istio.pilot`."""
    return _dumped(
        PilotSettings,
        min_replicas=values.get("autoscaleMin", 1),
        max_replicas=values.get("autoscaleMax", 5),
        **_amounts(values),
    )


def network_policies(values: Values) -> bool:
    """`istio.networkPolicies`."""
    return bool(_mapping(_global(values).get("networkPolicy")).get("enabled"))


def mesh_config(values: Values, derived: Collection[str] = ()) -> dict[str, Any]:
    """`istio.meshConfig`; `derived` are hosts that are cluster-local without being named."""
    said = _mapping(values.get("meshConfig"))
    if not said:
        return {}
    proxy, metadata = _mapping(_global(values).get("proxy")), _mapping(said.get("defaultConfig")).get("proxyMetadata")
    log = {"file": said.get("accessLogFile"), "encoding": said.get("accessLogEncoding", "TEXT")}
    tracing = (_mapping(said.get("defaultProviders")).get("tracing") or [None])[0]
    return _dumped(
        MeshConfigSettings,
        access_log={**log, "format": said.get("accessLogFormat")} if log["file"] else None,
        outbound_traffic_policy=_mapping(said.get("outboundTrafficPolicy")).get("mode"),
        tracing={"sampling": values["traceSampling"], "provider": tracing} if "traceSampling" in values else None,
        proxy={
            **_amounts(proxy),
            **{key: tuple(str(proxy.get(key) or "").split(",")) for key in _RANGES if proxy.get(key)},
        },
        dns_capture=_mapping(metadata).get(DNS_CAPTURE) == "true",
        cluster_local_hosts=[
            host
            for group in said.get("serviceSettings") or ()
            if _mapping(group.get("settings")).get("clusterLocal")
            for host in group.get("hosts") or ()
            if host not in {*derived, EVERY_SERVICE}
        ],
    )


_RANGES = ("includeIPRanges", "excludeIPRanges")


def _dumped(model: type[Settings], **stated: Any) -> dict[str, Any]:
    try:
        found = model.model_validate(stated)
    except ValidationError as error:
        raise UnreadableError(wrong(error)) from None
    return found.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _amounts(values: Values) -> dict[str, Any]:
    found = _mapping(values.get("resources"))
    kinds = {kind: _mapping(found.get(kind)) for kind in ("requests", "limits")}
    return {
        kind: {key: str(amount) for key, amount in amounts.items() if key in ("cpu", "memory")}
        for kind, amounts in kinds.items()
    }


def _global(values: Values) -> Mapping[str, Any]:
    return _mapping(values.get("global"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
