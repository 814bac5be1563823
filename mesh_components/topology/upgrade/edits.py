"""What an upgrade changes in a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mesh_components.topology.edits import REMOVED, with_key
from mesh_components.topology.steps import Document

_ORDER = ("version", "revision", "revisions", "tags")
"""How the keys that an upgrade changes follow each other at the head of `istio`."""


def with_istio(document: Document, **changes: Any) -> Document:
    """The document with keys of `istio` set or removed."""
    istio = dict(document.get("istio") or {})
    for key, value in changes.items():
        istio = with_key(istio, key, value, _ORDER[: _ORDER.index(key)])
    return with_key(document, "istio", istio, ("id", "trustDomain"))


def with_tags(document: Document, cluster: str, tags: Mapping[str, str]) -> Document:
    """The document with exactly these tags of one cluster."""
    return _with_cluster(document, cluster, "tags", dict(tags) or REMOVED)


def tags_of(document: Document, cluster: str) -> dict[str, str]:
    """What the document says of one cluster's own tags."""
    return dict(_cluster(document, cluster).get("tags") or {})


def with_gateway_revision(document: Document, cluster: str, revision: str | None) -> Document:
    """The document with `eastWest.revision` of one cluster set or removed."""
    before = _cluster(document, cluster).get("eastWest") or {}
    if revision is REMOVED and "revision" not in before:
        return document
    return _with_cluster(
        document, cluster, "eastWest", with_key(before, "revision", revision, tuple(before)) or REMOVED
    )


def gateway_revision(document: Document, cluster: str) -> str | None:
    """What the document says of the revision of one cluster's gateway; None where it says nothing."""
    found: str | None = (_cluster(document, cluster).get("eastWest") or {}).get("revision")
    return found


def with_application_revision(document: Document, name: str, revision: str | None) -> Document:
    """The document with `applications.<name>.revision` set or removed."""
    stated = document["applications"]
    return {**document, "applications": {**stated, name: with_key(stated[name], "revision", revision, ("namespace",))}}


def revision_entry(name: str, version: str | None = None, clusters: Sequence[str] | None = None) -> dict[str, Any]:
    """An entry of `istio.revisions` without what it need not say."""
    entry: dict[str, Any] = {"name": name}
    if version is not None:
        entry["version"] = version
    if clusters is not None:
        entry["clusters"] = list(clusters)
    return entry


def _cluster(document: Document, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(item for item in document["clusters"] if item["name"] == name)
    return found


def _with_cluster(document: Document, name: str, key: str, value: Any) -> Document:
    clusters = [
        with_key(item, key, value, tuple(item)) if item["name"] == name else item for item in document["clusters"]
    ]
    return {**document, "clusters": clusters}
