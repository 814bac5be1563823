"""The names and ports by which add-ons find each other. No document is asked, so that a component alone needs none."""

from __future__ import annotations

from typing import Literal

from mesh_components.topology import names

PROMETHEUS, GRAFANA, JAEGER, KIALI, LOKI = "prometheus", "grafana", "jaeger", "kiali", "loki"
LOG_COLLECTOR = "mesh-access-logs"
"""Of the collector of access logs: its objects, and the provider by which proxies know it."""
PROMETHEUS_PORT, GRAFANA_PORT, LOKI_PORT = 9090, 3000, 3100
GRAFANA_ADMIN = "grafana-admin"
"""Secret with the password of Grafana's administrator."""
OTLP_PORT = 4317
"""Where traces and logs are taken (https://opentelemetry.io/docs/specs/otlp/)."""
JAEGER_QUERY_PORT = 16686

Plane = Literal["none", "sidecar", "ambient"]
"""What carries the requests of a pod."""


def url_of(name: str, namespace: str, port: int) -> str:
    """A service of a namespace as a URL, with its name in full: proxies of other clusters know no shorter one."""
    return f"http://{names.service_host(name, namespace)}:{port}"
