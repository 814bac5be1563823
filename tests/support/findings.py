"""Documents with one thing changed, and what the rules find in them."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from mesh_components.settings import Finding, MeshSettings, Severity, parse
from mesh_components.settings.kubeconfig import Kubeconfig, read

Patch = Mapping[str, Any]

GOOD: Patch = {
    "id": "mesh1",
    "istio": {"version": "1.30.5"},
    "clusters": [
        {"name": "east", "network": "network1", "kubeconfig": {"file": "east"}},
        {"name": "west", "network": "network2", "kubeconfig": {"file": "west"}},
    ],
}


def mesh(top: Patch | None = None, east: Patch | None = None, west: Patch | None = None) -> MeshSettings:
    """The good mesh with some keys changed."""
    document = copy.deepcopy({**GOOD, **(top or {})})
    for cluster, patch in zip(document["clusters"], (east, west), strict=False):
        cluster.update(patch or {})
    return parse(document)


def istio(**keys: Any) -> MeshSettings:
    return mesh({"istio": {**GOOD["istio"], **keys}})


def rotating(version: str) -> MeshSettings:
    """A mesh with a credential that somebody else rotates."""
    return mesh({"istio": {**GOOD["istio"], "version": version}}, east={"peerKubeconfig": {"secret": "east-peers"}})


def kubeconfig(
    server: str = "https://203.0.113.10:6443", user: Patch | None = None, cluster: Patch | None = None
) -> Kubeconfig:
    document = {
        "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "u", "user": user or {"token": "secret-token"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    return read(json.dumps(document))


def codes(found: tuple[Finding, ...]) -> list[str]:
    return [finding.code for finding in found]


def brief(found: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.severity.value, finding.place) for finding in found]


def one(found: tuple[Finding, ...], code: str, severity: Severity, place: str) -> Finding:
    """The only finding, as expected."""
    assert brief(found) == [(code, severity.value, place)], "\n".join(map(str, found))
    return found[0]


ERROR, WARNING = Severity.ERROR, Severity.WARNING
SAME = {"network": "network1"}
NO_GATEWAY = {"eastWest": {"enabled": False}}
LONG = "n" * 64


def clusters(*members: Patch, **top: Any) -> MeshSettings:
    """A mesh of these clusters: each in a network of its own, and reachable, unless it says otherwise."""
    found = [
        {"name": f"c{n}", "network": f"network{n}", "kubeconfig": {"file": f"c{n}"}, **member}
        for n, member in enumerate(members)
    ]
    return parse({**GOOD, "clusters": found, **top, "istio": {**GOOD["istio"], **top.get("istio", {})}})


PRIMARY: Patch = {"role": "primary"}
REMOTE: Patch = {"role": "remote"}
EXTERNAL: Patch = {"role": "external"}
CONFIG: Patch = {"role": "config"}
OUTSIDE: Patch = {"istio": {"namespace": "external-istiod"}}
"""What an external control plane needs."""
