"""Resources of Istio and Kubernetes about who sees and calls what, as plain data. Pure: settings in, objects out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesh_components.istio.authorization_policy import AuthorizationPolicy
from mesh_components.istio.model import IstioResource
from mesh_components.istio.peer_authentication import PeerAuthentication
from mesh_components.istio.sidecar import Sidecar
from mesh_components.kubernetes import GOES_AT_ONCE, Plain
from mesh_components.topology import names


def sidecar(namespace: str, hosts: Sequence[str]) -> Plain:
    """What the sidecars of a namespace are told of the mesh; in the root namespace, those of all others
    (https://istio.io/latest/docs/reference/config/networking/sidecar/)."""
    return _istio(Sidecar, "default", namespace, {"egress": [{"hosts": list(hosts)}]})


def service_export(group: str, namespace: str, name: str) -> Plain:
    """Lets other clusters see the endpoints that a service has in this one
    (https://multicluster.sigs.k8s.io/concepts/multicluster-services-api/)."""
    return {
        "apiVersion": f"{group}/{'v1' if group == 'net.gke.io' else 'v1alpha1'}",
        "kind": "ServiceExport",
        "metadata": {"name": name, "namespace": namespace},
    }


def namespace(name: str, labels: Mapping[str, str]) -> Plain:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


def mtls(namespace: str, mode: str) -> Plain:
    """Of a namespace; in the root namespace, of the mesh
    (https://istio.io/latest/docs/reference/config/security/peer_authentication/)."""
    return _istio(PeerAuthentication, "default", namespace, {"mtls": {"mode": mode}})


def port_mtls(namespace: str, name: str, labels: Mapping[str, str], ports: Mapping[int, str]) -> Plain:
    """Of single ports of some workloads; their other ports are as before."""
    modes = {str(port): {"mode": mode} for port, mode in ports.items()}
    spec = {"selector": {"matchLabels": dict(labels)}, "portLevelMtls": modes}
    return _istio(PeerAuthentication, name, namespace, spec)


def allow(namespace: str, rules: Sequence[Any]) -> Plain:
    """Closes a namespace to all but these
    (https://istio.io/latest/docs/reference/config/security/authorization-policy/)."""
    return _istio(AuthorizationPolicy, "team", namespace, {"action": "ALLOW", "rules": list(rules)})


def allow_at(namespace: str, waypoint: str, rules: Sequence[Any]) -> Plain:
    """Closes a waypoint to all but these: a policy for the whole namespace does not hold there."""
    target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": waypoint}
    spec = {"targetRefs": [target], "action": "ALLOW", "rules": list(rules)}
    return _istio(AuthorizationPolicy, "team-at-waypoint", namespace, spec)


def deny(namespace: str) -> Plain:
    """In the root namespace: allows nothing, so that what nothing else allows is refused."""
    return _istio(AuthorizationPolicy, "default-deny", namespace, {})


def deny_at_waypoints(namespace: str) -> Plain:
    """In the root namespace: the same of all waypoints, where a policy without a target does not hold
    (https://istio.io/latest/docs/ambient/usage/l7-features/#considerations-for-authorization-policies)."""
    target = {"group": "gateway.networking.k8s.io", "kind": "GatewayClass", "name": names.WAYPOINT_CLASS}
    return _istio(AuthorizationPolicy, "default-deny-at-waypoints", namespace, {"targetRefs": [target]})


def open_gateway(namespace: str, gateway: str) -> Plain:
    """What a gateway passes through is allowed or refused where it ends."""
    label = gateway.removeprefix("istio-")
    spec = {"selector": {"matchLabels": {"istio": label}}, "action": "ALLOW", "rules": [{}]}
    return _istio(AuthorizationPolicy, f"open-{label}", namespace, spec)


def open_namespace(namespace: str) -> Plain:
    """Lets everybody call what is in a namespace of gateways."""
    return _istio(AuthorizationPolicy, "open-gateways", namespace, {"action": "ALLOW", "rules": [{}]})


def _istio(kind: type[IstioResource], name: str, namespace: str, spec: Any) -> Plain:
    metadata = {"name": name, "namespace": namespace, "annotations": GOES_AT_ONCE}
    return kind.parse({"metadata": metadata, "spec": spec}).manifest()
