"""Applications to see a mesh work: Istio's own samples, spread over the clusters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mesh_components.settings.base import Settings

HelloWorldVersion = Literal["v1", "v2"]
BookinfoVersion = Literal["productpage-v1", "details-v1", "reviews-v1", "reviews-v2", "reviews-v3", "ratings-v1"]


class _ApplicationSettings(Settings):
    """What all applications have."""

    revision: str | None = None
    """Revision or tag that injects it; `istio.revision` when left out."""
    data_plane: Literal["sidecar", "ambient"] | None = None
    """Where the mesh has both: which of them carries it; sidecars when left out."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Further labels of its namespace, such as those that `visibility.discoverySelectors` want."""
    hub: str = "registry.istio.io/release"
    """Registry and folder that have the images, where a mirror is used."""


class HelloWorldSettings(_ApplicationSettings):
    """A service that says which version of it answered
    (https://istio.io/latest/docs/setup/install/multicluster/verify/)."""

    namespace: str = "sample"
    versions: dict[HelloWorldVersion, tuple[str, ...]] = Field(default_factory=dict)
    """Names of clusters by version, `{v1: [east], v2: [west]}`; with `[]` it is nowhere. A version that is left out is
    in every other cluster: v1 in the first, v2 in the second, and so on."""
    client: bool = True
    """A pod with curl in every cluster, from which `mesh verify` calls."""
    client_image: str = "docker.io/curlimages/curl:8.16.0"


class BookinfoSettings(_ApplicationSettings):
    """A page about a book that asks other services for its parts
    (https://istio.io/latest/docs/examples/bookinfo/)."""

    namespace: str = "bookinfo"
    versions: dict[BookinfoVersion, tuple[str, ...]] = Field(default_factory=dict)
    """Names of clusters by version, `{reviews-v2: [west]}`; with `[]` it is nowhere. What is left out: the page and
    details in the first cluster with workloads, the reviews in the others in turn, ratings in the second."""


ApplicationSettings = HelloWorldSettings | BookinfoSettings


class ApplicationsSettings(Settings):
    """Which applications there are; none when left out."""

    helloworld: HelloWorldSettings | None = None
    bookinfo: BookinfoSettings | None = None
