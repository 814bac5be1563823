"""Which proxy a pod runs, and which one it would get if it were born now. Pure: objects as the API server gives them.

What runs is what the injector noted on the pod (annotation `sidecar.istio.io/status`; istio/istio
pkg/kube/inject/webhook.go) and the image of its proxy. What it would get follows from the labels that the selectors of
Istio's webhooks look at, and from the document's revisions and tags.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mesh_components.settings import MeshSettings
from mesh_components.topology.images import pinned
from mesh_components.topology.names import MULTI_ROOT_PROXY, REVISION_LABEL, UNNAMED_REVISION
from mesh_components.topology.revisions import default_version, revisions, tags
from mesh_components.topology.upgrade import follows_default
from mesh_components.topology.versions import parse

Object = Mapping[str, Any]

STATUS = "sidecar.istio.io/status"
INJECT = "sidecar.istio.io/inject"
IMAGE = "sidecar.istio.io/proxyImage"
INJECTION = "istio-injection"
MANAGED = "gateway.istio.io/managed"
"""On pods of gateways and waypoints of the Gateway API: istiod writes their Deployments, and rolls them itself."""

_VARIANT = re.compile(r"-(distroless|debug)$")


@dataclass(frozen=True)
class Proxy:
    """One proxy: who injected it, and its version where the image has one."""

    revision: str
    version: str | None
    multi_root: bool = False
    """Whether it takes more than one root: an environment variable, which a pod gets when it is born."""

    def __str__(self) -> str:
        name = self.revision or "the revision without a name"
        return (f"{name} ({self.version})" if self.version else name) + ", several roots" * self.multi_root


class NobodyError(Exception):
    """Born now, the pod would have no proxy: in words for the user, why."""


@dataclass(frozen=True)
class Injectors:
    """The control planes of one cluster, as its document has them."""

    versions: Mapping[str, str | None]
    """By revision; None where what a proxy's image says is not the document's to know."""
    tags: Mapping[str, str]
    only: str | None = None
    """The one revision that injects, whatever a label names; None where each injects its own."""
    multi_root: bool = False
    """Whether a proxy that they inject takes more than one root."""

    def wanted(self, namespace: Object, pod: Object) -> Proxy:
        """What the pod would get. Raises NobodyError."""
        inside, own = _labels(namespace), _labels(pod)
        where = f"namespace {namespace['metadata']['name']}"
        if _inject(pod) == "false":
            raise NobodyError(f"its pods say {INJECT}=false")
        if INJECTION in inside:
            if inside[INJECTION] != "enabled":
                raise NobodyError(f"{where} says {INJECTION}={inside[INJECTION]}")
            return self._by_label(UNNAMED_REVISION, f"{where} says {INJECTION}=enabled")
        if REVISION_LABEL in inside:
            return self._by_label(inside[REVISION_LABEL], f"{where} says {REVISION_LABEL}={inside[REVISION_LABEL]}")
        if REVISION_LABEL in own:
            return self._by_label(own[REVISION_LABEL], f"its pods say {REVISION_LABEL}={own[REVISION_LABEL]}")
        if own.get(INJECT) == "true":
            return self._by_label(UNNAMED_REVISION, f"its pods say {INJECT}=true")
        raise NobodyError(f"neither {where} nor its pods have a label that asks for a proxy")

    def _by_label(self, value: str, who: str) -> Proxy:
        revision = self.tags.get(value, "" if value == UNNAMED_REVISION else value)
        if revision not in self.versions:
            raise NobodyError(f"{who}, which is neither a revision nor a tag of this cluster in the document")
        injects = revision if self.only is None else self.only
        return Proxy(injects, self.versions[injects], self.multi_root)


def injectors(mesh: MeshSettings, cluster: str) -> Injectors:
    """The control planes of a cluster, and what it can be said of the proxies that they inject.

    With `install: none` the document does not decide which version runs; with an image tag of one's own in the charts'
    values its text is no version of ours.
    """
    settings = next(item for item in mesh.clusters if item.name == cluster)
    own_images = any(chart == "istiod" for chart, _, _ in pinned(mesh))
    unknown = mesh.istio.install == "none" or own_images
    if settings.role == "external":
        # No workload of the mesh is here; the Istio that runs the gateway has no revision's name and no tags.
        return Injectors({"": None if unknown else default_version(mesh)}, {}, multi_root=mesh.trust.multi_root)
    versions = {item.name: None if unknown else item.version for item in revisions(mesh, cluster)}
    only = mesh.istio.revision if follows_default(mesh, cluster) else None
    return Injectors(versions, dict(tags(mesh, settings)), only, mesh.trust.multi_root)


def running(pod: Object) -> Proxy | None:
    """The proxy that a pod runs; None where nobody injected one."""
    note = _annotations(pod).get(STATUS)
    if note is None or MANAGED in _labels(pod):
        return None
    try:
        revision = json.loads(note)["revision"]
    except (ValueError, LookupError, TypeError):
        revision = _annotations(pod).get(REVISION_LABEL, "")
    return Proxy("" if revision == UNNAMED_REVISION else str(revision), _version(pod), _multi_root(pod))


def is_old(runs: Proxy, wanted: Proxy) -> bool:
    """Whether a new pod would have another proxy. Versions count where both are known. One that takes several roots is
    as good as one that takes a single one, but not the other way round."""
    if runs.revision != wanted.revision or (wanted.multi_root and not runs.multi_root):
        return True
    return None not in (runs.version, wanted.version) and not _is_version(str(runs.version), str(wanted.version))


def is_alive(pod: Object) -> bool:
    """Whether the pod runs, or is going to: neither ended nor on its way out."""
    return "deletionTimestamp" not in pod["metadata"] and pod.get("status", {}).get("phase") not in (
        "Succeeded",
        "Failed",
    )


def _container(pod: Object) -> Object:
    spec = pod["spec"]
    containers = [*spec.get("containers", ()), *(spec.get("initContainers") or ())]
    return next((item for item in containers if item["name"] == "istio-proxy"), {})


def _multi_root(pod: Object) -> bool:
    """What the mesh config calls proxyMetadata is the environment of the container."""
    stated = {"name": MULTI_ROOT_PROXY, "value": "true"}
    return any(stated.items() <= item.items() for item in _container(pod).get("env") or ())


def _version(pod: Object) -> str | None:
    """The image's tag where it is a version; None also where somebody chose the image, since a restart keeps it."""
    if IMAGE in _annotations(pod):
        return None
    image = _container(pod).get("image", "")
    tag = _VARIANT.sub("", image.partition("@")[0].rpartition("/")[2].partition(":")[2])
    return tag if parse(tag) else None


def _is_version(tag: str, version: str) -> bool:
    """A build of one's own may add to the version; what precedes a release does too, and is another version."""
    rest = tag.removeprefix(f"{version}-")
    return tag == version or (rest != tag and not rest.startswith(("alpha", "beta", "rc")))


def _inject(pod: Object) -> str | None:
    """The label, or the annotation of old; istiod heeds the label first."""
    found: str | None = _labels(pod).get(INJECT, _annotations(pod).get(INJECT))
    return found


def _labels(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("labels") or {}


def _annotations(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("annotations") or {}
