"""Faults of gateways, and objects that somebody changes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from tests.support.faults import NAMESPACE, SERVICE, Mesh

_AUTOSCALER = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers/istio-eastwestgateway"
_DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
_GATEWAYS = f"/apis/networking.istio.io/v1/namespaces/{NAMESPACE}/gateways"


def no_gateway(mesh: Mesh) -> None:
    mesh.delete("cluster2", SERVICE)


def wrong_type(mesh: Mesh) -> None:
    mesh.patch("cluster2", SERVICE, {"spec": {"type": "ClusterIP"}})


def no_address(mesh: Mesh) -> Callable[[], object]:
    """While the lab's cloud does nothing, a load balancer has no address."""
    (pid,) = (row.pid for row in mesh.lab.status() if row.program == "stand-in" and row.pid)
    os.kill(pid, signal.SIGSTOP)
    mesh.patch("cluster2", f"{SERVICE}/status", {"status": {"loadBalancer": {"ingress": None}}})
    return lambda: os.kill(pid, signal.SIGCONT)


def closed_port(mesh: Mesh) -> Callable[[], object]:
    mesh.shut(2, 15443)
    return mesh.listen


def lacking_port(mesh: Mesh) -> None:
    mesh.patch("cluster2", SERVICE, {"spec": {"ports": [{"name": "status-port", "port": 15021}]}})


def no_proxies(mesh: Mesh) -> Callable[[], object]:
    _scale(mesh, 0)
    return lambda: _scale(mesh, 1)


def _scale(mesh: Mesh, replicas: int) -> None:
    mesh.patch("cluster2", f"{_DEPLOYMENTS}/istio-eastwestgateway", {"spec": {"replicas": replicas}})
    path = f"/api/v1/namespaces/{NAMESPACE}/pods?labelSelector=istio%3Deastwestgateway"
    end = time.monotonic() + 30
    while len(mesh.apis["cluster2"].get(path)["items"]) != replicas and time.monotonic() < end:
        time.sleep(0.1)


def no_opening(mesh: Mesh) -> None:
    mesh.delete("cluster2", f"{_GATEWAYS}/cross-network-gateway")


def other_hosts(mesh: Mesh) -> None:
    server = {
        "port": {"number": 15443, "name": "tls", "protocol": "TLS"},
        "tls": {"mode": "AUTO_PASSTHROUGH"},
        "hosts": ["*.test.svc.cluster.local"],
    }
    mesh.patch("cluster2", f"{_GATEWAYS}/cross-network-gateway", {"spec": {"servers": [server]}})


def gateway_of_another_network(mesh: Mesh) -> None:
    mesh.patch("cluster2", SERVICE, {"metadata": {"labels": {"topology.istio.io/network": "network9"}}})


def no_autoscaler(mesh: Mesh) -> None:
    mesh.delete("cluster2", _AUTOSCALER)


def scaled_by_hand(mesh: Mesh) -> None:
    mesh.patch("cluster2", _AUTOSCALER, {"spec": {"maxReplicas": 9}})
