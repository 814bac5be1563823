"""Trust between two meshes as Istio's own resources, as plain data. Pure: settings and facts in, objects out.

The roots of the other mesh are not among them: they are mesh config, and reach proxies through istiod
(`control_plane.mesh_config.other_meshes`). Names and fields: https://istio.io/latest/docs/reference/config/networking/
and https://istio.io/latest/docs/reference/config/security/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mesh_components.kubernetes import GOES_AT_ONCE, Plain
from mesh_components.settings.facts import ExportFact, GatewayFact, MeshFacts
from mesh_components.settings.meshes import ExportSettings, ImportSettings, OtherMesh
from mesh_components.topology import meshes, names

TLS_MODE_LABEL = "security.istio.io/tlsMode"
"""https://istio.io/latest/docs/reference/config/labels/#SecurityTlsMode: what stands behind an endpoint speaks Istio's
mTLS. Without it, proxies call in plaintext."""


def policy(namespace: Any, other: OtherMesh, exports: Sequence[ExportSettings]) -> Plain:
    """What keeps the other mesh out of everything that is not exported to it, whatever way it came.

    A DENY, in the root namespace: it holds for every workload, and takes nothing away from what the mesh's own policies
    say, as an ALLOW would. The service is known by the SNI that the caller asked for, since a gateway leaves TLS as it
    is and routes by nothing else.
    """
    everyone = [f"{other.trust_domain}/*"]
    open_to = {name for export in exports for name in _sni(export)}
    condition = {"when": [{"key": "connection.sni", "notValues": sorted(open_to)}]} if open_to else {}
    rules: list[dict[str, Any]] = [{"from": [{"source": {"principals": everyone}}], **condition}]
    for export in exports:
        if export.callers:
            allowed = sorted(meshes.principal(other.trust_domain, caller) for caller in export.callers)
            rules.append(
                {
                    "from": [{"source": {"principals": everyone, "notPrincipals": allowed}}],
                    "when": [{"key": "connection.sni", "values": sorted(_sni(export))}],
                }
            )
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": _metadata(f"exports-to-{meshes.slug(other.name)}", namespace),
        "spec": {"action": "DENY", "rules": rules},
    }


def service_entry(namespace: Any, wanted: ImportSettings, spec: Any) -> Plain:
    """The other mesh's service under the name that it has here."""
    return _networking("ServiceEntry", namespace, wanted, spec)


def service_entry_spec(other: OtherMesh, wanted: ImportSettings, facts: MeshFacts) -> dict[str, Any]:
    """What it says. The endpoints have no `network`: they are reached directly from everywhere, and one that is named
    would be looked up among the mesh's own gateways."""
    export = exported(wanted, facts)
    gateways = sorted(facts.gateways, key=lambda gateway: (gateway.cluster, gateway.address))
    static = all(names.is_ip(gateway.address) for gateway in gateways)
    return {
        "hosts": [meshes.called(wanted)],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC" if static else "DNS",
        "ports": [port.model_dump() for port in sorted(export.ports, key=lambda port: port.number)],
        "endpoints": [_endpoint(gateway, export) for gateway in gateways],
        "subjectAltNames": identities(other, export),
        **({"exportTo": sorted(wanted.namespaces)} if wanted.namespaces else {}),
    }


def needs_rule(wanted: ImportSettings) -> bool:
    """Whether the name here is another than there, so that proxies would ask for the wrong service."""
    return meshes.called(wanted) != meshes.full_host(wanted.host)


def destination_rule(namespace: Any, wanted: ImportSettings, spec: Any) -> Plain:
    """How proxies ask for a service that is called otherwise here."""
    return _networking("DestinationRule", namespace, wanted, spec)


def destination_rule_spec(other: OtherMesh, wanted: ImportSettings, facts: MeshFacts) -> dict[str, Any]:
    """What it says, by port: the port is part of the SNI."""
    export = exported(wanted, facts)
    ports = [
        {
            "port": {"number": port.number},
            "tls": {
                "mode": "ISTIO_MUTUAL",
                "sni": meshes.sni(port.number, export.host),
                "subjectAltNames": identities(other, export),
            },
        }
        for port in sorted(export.ports, key=lambda port: port.number)
    ]
    return {
        "host": meshes.called(wanted),
        "trafficPolicy": {"portLevelSettings": ports},
        **({"exportTo": sorted(wanted.namespaces)} if wanted.namespaces else {}),
    }


def identities(other: OtherMesh, export: ExportFact) -> list[str]:
    """Whom a caller has to find behind the gateway."""
    return sorted(meshes.identity(other.trust_domain, account) for account in export.accounts)


def exported(wanted: ImportSettings, facts: MeshFacts) -> ExportFact:
    """The service as the other mesh exports it. Raises KeyError; findings have looked before (MESH807)."""
    found = facts.export(meshes.full_host(wanted.host))
    if found is None:
        raise KeyError(wanted.host)
    return found


def _endpoint(gateway: GatewayFact, export: ExportFact) -> dict[str, Any]:
    return {
        "address": gateway.address,
        "ports": {port.name: gateway.port for port in sorted(export.ports, key=lambda port: port.number)},
        "labels": {TLS_MODE_LABEL: "istio"},
        **({"locality": gateway.locality} if gateway.locality else {}),
    }


def _sni(export: ExportSettings) -> list[str]:
    return [meshes.sni(port.number, meshes.full_host(export.host)) for port in export.ports]


def _networking(kind: str, namespace: Any, wanted: ImportSettings, spec: Any) -> Plain:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": _metadata(meshes.called(wanted), namespace),
        "spec": spec,
    }


def _metadata(name: str, namespace: Any) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "annotations": GOES_AT_ONCE}
