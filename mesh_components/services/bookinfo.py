"""Bookinfo: a page about a book that asks three services for its parts, one of which has three versions.

Owns its namespace, the Services, and the versions that run in this cluster with their accounts. Does not own routes
between versions, nor a way in for browsers.
"""

from __future__ import annotations

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs
from mesh_components.kubernetes import Plain
from mesh_components.services import samples
from mesh_components.settings.applications import BookinfoSettings, BookinfoVersion
from mesh_components.topology.applications import SERVICES

PORT = 9080
_IMAGE_TAG = "1.20.3"
_SETTINGS = BookinfoSettings()
_ALL: tuple[BookinfoVersion, ...] = (
    "productpage-v1",
    "details-v1",
    "reviews-v1",
    "reviews-v2",
    "reviews-v3",
    "ratings-v1",
)
_SCRAPED = {"prometheus.io/scrape": "true", "prometheus.io/port": str(PORT), "prometheus.io/path": "/metrics"}


class BookinfoArgs(ComponentArgs):
    """What of it is in one cluster."""

    versions: tuple[BookinfoVersion, ...] = _ALL
    """Those that run here; the Services of all are here in any case."""
    namespace: str = _SETTINGS.namespace
    labels: dict[str, str] = Field(default_factory=lambda: {"istio-injection": "enabled"})
    """Of the namespace: what brings its pods into the mesh."""
    exported: bool = False
    """True in ambient: without a label of its own a Service is local to its cluster there."""
    hub: str = _SETTINGS.hub


class Bookinfo(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`
    (https://istio.io/latest/docs/examples/bookinfo/)."""

    page: pulumi.Output[str]
    """`productpage.<namespace>:9080`; the page's path is `/productpage`."""

    def __init__(self, name: str, args: BookinfoArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:Bookinfo", name, {"versions": list(args.versions)}, opts)
        samples.register(self, name, samples.namespace(args.namespace, args.labels), _parts(args), opts)
        self.page = pulumi.Output.from_input(f"productpage.{args.namespace}:{PORT}")
        self.register_outputs({"page": self.page})


def _parts(args: BookinfoArgs) -> dict[str, Plain]:
    parts: dict[str, Plain] = {}
    for app, versions in SERVICES["bookinfo"].items():
        here = [version for version in args.versions if version in versions]
        parts[app] = samples.service(args.namespace, app, PORT, pods=bool(here), exported=args.exported)
        if here:
            parts[f"{app}-account"] = samples.account(args.namespace, _account(app))
        for version in here:
            parts[version] = samples.deployment(args.namespace, _workload(args, app, version))
    return parts


def _workload(args: BookinfoArgs, app: str, version: str) -> samples.Workload:
    writable = {"productpage": {"tmp": "/tmp"}, "reviews": {"tmp": "/tmp", "wlp-output": "/opt/ibm/wlp/output"}}  # noqa: S108 - a volume of the pod's own
    return samples.Workload(
        app,
        f"{args.hub}/examples-bookinfo-{version}:{_IMAGE_TAG}",
        version.removeprefix(f"{app}-"),
        PORT,
        account=_account(app),
        env={"LOG_DIR": "/tmp/logs"} if app == "reviews" else {},  # noqa: S108
        writable=writable.get(app, {}),
        annotations=_SCRAPED if app == "productpage" else {},
    )


def _account(app: str) -> str:
    return f"bookinfo-{app}"
