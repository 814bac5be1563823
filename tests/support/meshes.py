"""Meshes to try things on: documents, kubeconfigs and what stands for charts under mocks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from mesh_components import AttachedCluster, AttachedClusterArgs, MeshFederation, MeshFederationArgs
from mesh_components.settings import MeshSettings, parse
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError, read
from mesh_components.settings.place import PlaceError
from mesh_components.topology.ibm import api_keys
from tests.support.graph import Answer, Graph, run
from tests.support.rendered import rendered


def document(*clusters: str, **mesh: Any) -> dict[str, Any]:
    """A valid document: one primary a name, each in a network of its own."""
    members = [{"name": name, "network": f"network-of-{name}", "kubeconfig": {"file": name}} for name in clusters]
    return {"id": "mesh1", "istio": {"install": "none"}, "clusters": members, **mesh}


def kubeconfig(name: str) -> str:
    """A kubeconfig with a token, as text."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example.com:6443"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
            "users": [{"name": name, "user": {"token": f"admin-token-of-{name}"}}],
        }
    )


def exported(name: str) -> dict[str, str]:
    """A cluster as another stack exports it."""
    return {"kubeconfig": kubeconfig(name), "apiServer": f"https://{name}.example.com:6443"}


def kubeconfigs(mesh: MeshSettings) -> dict[int, Kubeconfig | KubeconfigError]:
    """One for every cluster of the mesh, by position."""
    return {position: read(kubeconfig(cluster.name)) for position, cluster in enumerate(mesh.clusters)}


def in_a_cluster(make: Callable[[pulumi.ResourceOptions], Any], *, preview: bool = False) -> Graph:
    """The graph of components of one cluster; the address is exported where there is one."""

    def program() -> None:
        cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=kubeconfig("east")))
        made = make(pulumi.ResourceOptions(providers=[cluster.provider]))
        if hasattr(made, "address"):
            pulumi.export("address", made.address)

    return run(program, preview=preview)


def federation(
    wanted: Mapping[str, Any],
    *,
    preview: bool = False,
    texts: Mapping[str, str | PlaceError] | None = None,
    answers: Mapping[str, Answer] | None = None,
) -> Graph:
    """The graph of a document, with the texts that it names, and answers of some types that differ from the usual. API
    keys that are not among the texts are made up."""
    mesh = parse(wanted)

    def program() -> None:
        named = {**{place: f"api-key of {place}" for place, _ in api_keys(mesh)}, **(texts or {})}
        made = MeshFederation("mesh", MeshFederationArgs(mesh=mesh, kubeconfigs=kubeconfigs(mesh), texts=named))
        for name, value in made.outputs().items():
            pulumi.export(name, value)

    return run(program, charts=rendered, preview=preview, answers=answers)
