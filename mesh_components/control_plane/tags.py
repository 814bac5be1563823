"""A revision tag: a name of its own for a revision, which namespaces follow
(https://istio.io/latest/docs/setup/upgrade/canary/#stable-revision-labels).

Owns the tag's webhook, and its Service where istiod runs in the cluster. Must come after the control plane that it
points at (`depends_on`).
"""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.component import ComponentArgs
from mesh_components.control_plane import charts, istiod, remote, values
from mesh_components.control_plane.istiod import IstiodArgs
from mesh_components.control_plane.placeholders import known_later
from mesh_components.control_plane.register import register, when_made
from mesh_components.control_plane.remote import RemoteIstiodArgs
from mesh_components.kubernetes import Plain

TAG_LABEL = "istio.io/tag"


class RevisionTagArgs(ComponentArgs):
    """The name, and what it points at."""

    tag: str
    """`default` also takes the namespaces with `istio-injection: enabled`."""
    of: IstiodArgs | RemoteIstiodArgs
    """The control plane of this cluster, as it was told to be."""


class RevisionTag(pulumi.ComponentResource):
    """One per cluster and tag; hand it the cluster's provider through `opts.providers`.

    Its resources are called after the tag alone, so a tag that moves is changed in place, and at no time is a namespace
    without an injector.
    """

    ready: pulumi.Output[str]
    """The tag, once it injects."""

    def __init__(self, name: str, args: RevisionTagArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        of = args.of
        super().__init__("mesh:index:RevisionTag", name, {"tag": args.tag, "revision": of.revision}, opts)
        renderer = of.renderer or charts.renderer(f"{name}-charts", self)
        release = f"istio-revision-tag-{args.tag}"
        rendered = charts.istiod(of, chart_values(args), renderer, release=release)
        wanted = [manifest for manifest in rendered if _is_of(manifest, args)]
        made = register(self, name, wanted, _known(args, name), opts)
        self.ready = when_made(args.tag, made)
        self.register_outputs({"ready": self.ready})


def chart_values(args: RevisionTagArgs) -> dict[str, Any]:
    """Values of the chart `istiod`: those of the control plane, and the tag."""
    of = args.of
    theirs = istiod.chart_values(of) if isinstance(of, IstiodArgs) else remote.chart_values(of)
    return values.merge(theirs, {"revisionTags": [args.tag]})


def _known(args: RevisionTagArgs, name: str) -> dict[str, pulumi.Output[str]]:
    of = args.of
    if isinstance(of, RemoteIstiodArgs):
        return known_later(of.root_cert_pem, of.address, of.address_type, name)
    return known_later(of.root_cert_pem)


def _is_of(manifest: Plain, args: RevisionTagArgs) -> bool:
    """The chart renders the revision along with its tags. In a remote it also renders the tag's Service, which would
    select pods that are not there, and wait for them."""
    labels = manifest["metadata"].get("labels") or {}
    served_here = isinstance(args.of, IstiodArgs)
    return labels.get(TAG_LABEL) == args.tag and (served_here or manifest["kind"] != "Service")
