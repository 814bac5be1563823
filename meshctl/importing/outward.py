"""Which hosts outside of the mesh workloads reach, and through what: from Istio's resources to what a document says.
Pure.

The other direction is `mesh_components.gateways.egress_objects`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mesh_components.settings.egress import EgressSettings
from mesh_components.topology import names
from mesh_components.topology.outside import host_name
from meshctl.importing.asking import Object
from meshctl.importing.doors import Door


def declares(entry: Object) -> bool:
    """Whether a ServiceEntry is of the kind that a document's egress makes."""
    spec: Mapping[str, Any] = entry.get("spec") or {}
    hosts = list(spec.get("hosts") or ())
    return (
        spec.get("location") == "MESH_EXTERNAL"
        and len(hosts) == 1
        and entry["metadata"]["name"] == host_name(str(hosts[0]))
    )


def egress(name: str, namespace: str, door: Door | None, objects: Iterable[Object]) -> EgressSettings:
    """A cluster's way out.

    Args:
        name: of the proxy's objects; of no account where there is no proxy.
        namespace: where it and what is said of the hosts are.
        door: the proxy; None where every proxy goes out by itself.
        objects: ServiceEntries and Gateways of the namespace.

    Raises:
        ValidationError: where something of it is nothing that a document can say.
    """
    entries: dict[str, Object] = {}
    order: list[str] = []
    for item in objects:
        spec = item.get("spec") or {}
        if item["kind"] == "ServiceEntry" and declares(item):
            entries[str(spec["hosts"][0])] = item
        if item["kind"] == "Gateway" and item["metadata"]["name"] == names.gateway_label(name):
            order += [str(host) for server in spec.get("servers") or () for host in server.get("hosts") or ()]
    hosts = [*(host for host in dict.fromkeys(order) if host in entries), *sorted(entries.keys() - set(order))]
    size = door.size() if door else {}
    return EgressSettings.model_validate(
        {
            "gateway": door is not None,
            **({"name": name} if door else {}),
            "namespace": namespace,
            "hosts": [{"host": host, **_called(entries[host])} for host in hosts],
            **size,
        }
    )


def _called(entry: Object) -> dict[str, Any]:
    """How a host is called, and its port where it is not the usual one."""
    ports = [(str(port.get("protocol")), port.get("number")) for port in entry["spec"].get("ports") or ()]
    protocol, number = ports[-1] if ports else ("TLS", None)
    tls = "passthrough" if protocol == "TLS" else "originate" if protocol == "HTTPS" else "none"
    usual = 80 if tls == "none" else 443
    return {"tls": tls, "port": None if number == usual else number}
