"""What a gateway lets through, as plain data: Istio's own resources (`networking.istio.io`).

Those of an east-west gateway leave TLS untouched and route by SNI; shapes and names are those of Istio's
`samples/multicluster`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from mesh_components.kubernetes import GOES_AT_ONCE, Plain, encode
from mesh_components.topology import names

ISTIOD_GATEWAY = "istiod-gateway"
EXTERNAL_GATEWAY = "external-istiod-gw"
EXTERNAL_ROOT = "external-istiod-root"
OWN_ROOT = "/var/run/secrets/istio/root-cert.pem"
"""Where every proxy has the root of the Istio that injected it (`istiod-ca-cert` in the templates of Istio's chart)."""

_EAST_WEST = {"istio": "eastwestgateway"}
_ISTIOD_PORTS = (("tls-istiod", names.ISTIOD_PORT, 15012), ("tls-istiodwebhook", names.WEBHOOK_PORT, 443))
"""Name and port on the gateway, port of istiod's Service."""


def services(namespace: Any, hosts: Sequence[str]) -> Plain:
    """The Gateway that lets mesh traffic of other networks through
    (https://istio.io/latest/docs/setup/install/multicluster/multi-primary_multi-network/)."""
    server = {
        "port": {"number": names.MTLS_PORT, "name": "tls", "protocol": "TLS"},
        "tls": {"mode": "AUTO_PASSTHROUGH"},
        "hosts": list(hosts),
    }
    spec = {"selector": _EAST_WEST, "servers": [server]}
    return istio_object("Gateway", names.CROSS_NETWORK_GATEWAY, namespace, spec)


def to_other_meshes(namespace: Any, hosts: Sequence[str]) -> Plain:
    """The Gateway that lets other meshes through to what is exported, and to nothing else.

    It is on pods of its own. On those of an east-west gateway, whose hosts are `*.local`, it would take nothing away,
    and Envoy would refuse both: istiod makes a filter chain of each server for each service, and two with the same SNI
    end the whole listener (https://github.com/istio/istio/issues/42050).
    """
    server = {
        "port": {"number": names.MTLS_PORT, "name": "tls", "protocol": "TLS"},
        "tls": {"mode": "AUTO_PASSTHROUGH"},
        "hosts": list(hosts),
    }
    name = names.CROSS_MESH_GATEWAY.removeprefix("istio-")
    return istio_object("Gateway", name, namespace, {"selector": {"istio": name}, "servers": [server]})


def istiod(namespace: Any) -> Plain:
    """The Gateway through which remotes reach istiod
    (https://istio.io/latest/docs/setup/install/multicluster/primary-remote/)."""
    servers = [
        {
            "port": {"name": name, "number": port, "protocol": "TLS"},
            "tls": {"mode": "PASSTHROUGH"},
            "hosts": ["*"],
        }
        for name, port, _ in _ISTIOD_PORTS
    ]
    return istio_object("Gateway", ISTIOD_GATEWAY, namespace, {"selector": _EAST_WEST, "servers": servers})


def istiod_route_name(revision: str) -> str:
    """Name of the VirtualService that leads to one revision's istiod."""
    return f"istiod-vs-{revision}" if revision else "istiod-vs"


def istiod_sni_hosts(revisions: Sequence[str], namespace: str, extra_host: str | None) -> dict[str, list[str]]:
    """By revision, the SNI host names that lead to it; no name leads to two.

    Whoever calls istiod asks for its Service's name, so the names tell the revisions apart. The one without a name
    takes whatever comes only where it is alone: beside others, a mistyped revision must find nobody rather than the
    wrong one. A host name in a webhook's URL is the same for all; it leads to the first.
    """
    if list(revisions) == [""]:
        return {"": ["*"]}
    hosts = {
        revision: [names.istiod_host(revision, namespace), names.istiod_service(revision, namespace)]
        for revision in revisions
    }
    if extra_host:
        hosts[revisions[0]].append(extra_host)
    return hosts


def istiod_route(revision: str, namespace: Any, spec: Any) -> Plain:
    """The VirtualService that leads to one revision's istiod."""
    return istio_object("VirtualService", istiod_route_name(revision), namespace, spec)


def istiod_route_spec(revision: str, namespace: str, sni_hosts: Sequence[str]) -> dict[str, Any]:
    """What it says."""
    service = names.istiod_service(revision, namespace)
    routes = [
        {
            "match": [{"port": port, "sniHosts": list(sni_hosts)}],
            "route": [{"destination": {"host": service, "port": {"number": to}}}],
        }
        for _, port, to in _ISTIOD_PORTS
    ]
    return {"hosts": ["*"], "gateways": [ISTIOD_GATEWAY], "tls": routes}


def external_root(namespace: Any, root_cert_pem: pulumi.Input[str]) -> Plain:
    """The mesh's root where a gateway in front of an external control plane finds it whose own Istio has another.
    Nothing of it is secret; a Secret is what a `credentialName` can name in every version."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": EXTERNAL_ROOT, "namespace": namespace},
        "data": {"ca.crt": encode(root_cert_pem)},
    }


def external_gateway(namespace: Any, hosts: Sequence[Any], credential: Any) -> Plain:
    """The Gateway in front of an external control plane
    (https://istio.io/latest/docs/setup/install/external-controlplane/)."""
    servers = [
        {
            "port": {"name": name, "number": port, "protocol": "HTTPS"},
            "tls": {"mode": "SIMPLE", "credentialName": credential},
            "hosts": list(hosts),
        }
        for name, port in (("https-xds", names.ISTIOD_PORT), ("https-webhook", names.WEBHOOK_PORT))
    ]
    spec = {"selector": {"istio": "ingressgateway"}, "servers": servers}
    return istio_object("Gateway", EXTERNAL_GATEWAY, namespace, spec)


def external_route(namespace: Any, hosts: Sequence[Any], istiod: pulumi.Input[str]) -> Plain:
    """The VirtualService that leads from there to the external istiod, whose name in the cluster is given."""
    routes = [
        {
            "match": [{"port": port}],
            "route": [{"destination": {"host": _full(istiod), "port": {"number": to}}}],
        }
        for _, port, to in _ISTIOD_PORTS
    ]
    spec = {"hosts": list(hosts), "gateways": [EXTERNAL_GATEWAY], "http": routes}
    return istio_object("VirtualService", "external-istiod-vs", namespace, spec)


def external_rule(namespace: Any, istiod: pulumi.Input[str], *, own_root: bool) -> Plain:
    """How the gateway connects to the external istiod: with TLS, to nobody but it, and with HTTP/2 for gRPC. It knows
    istiod by the root that it has from its own Istio, or by the one of `external_root`."""
    known_by = {"caCertificates": OWN_ROOT} if own_root else {"credentialName": EXTERNAL_ROOT}
    tls = {"mode": "SIMPLE", **known_by, "sni": istiod, "subjectAltNames": [istiod]}
    ports = [
        {
            "port": {"number": names.ISTIOD_PORT},
            "tls": tls,
            "connectionPool": {"http": {"h2UpgradePolicy": "UPGRADE"}},
        },
        {"port": {"number": 443}, "tls": tls},
    ]
    spec = {"host": _full(istiod), "trafficPolicy": {"portLevelSettings": ports}}
    return istio_object("DestinationRule", "external-istiod-dr", namespace, spec)


def _full(istiod: pulumi.Input[str]) -> pulumi.Input[str]:
    return pulumi.Output.concat(istiod, ".cluster.local")


def istio_object(kind: str, name: str, namespace: Any, spec: Any) -> dict[str, Any]:
    """A resource of Istio's networking API, deleted without asking istiod."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "annotations": GOES_AT_ONCE},
        "spec": spec,
    }


def checked_object(kind: str, name: str, namespace: str, spec: Any) -> Plain:
    """The same of what a document says: Istio's own schema refuses what does not fit, with its path, before anything is
    created."""
    from mesh_components import istio

    resource: type[istio.IstioResource] = getattr(istio, kind)
    return resource.parse(istio_object(kind, name, namespace, spec)).manifest()
