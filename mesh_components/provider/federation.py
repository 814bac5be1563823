"""A federation of a program in another language: its document, and what only that program has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.errors import InputPropertyError
from pydantic import BaseModel, Field

from mesh_components.clusters.cluster import Cluster
from mesh_components.component import ComponentArgs, MaybeOutput
from mesh_components.federation import MeshFederationArgs
from mesh_components.provider.values import part_of
from mesh_components.settings import MeshSettings, parse
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError, read
from mesh_components.stack import named_by
from mesh_components.topology.roles import kinds_of


class FederationInputs(ComponentArgs):
    """The document, and what it does not name."""

    mesh: MeshSettings
    """The mesh document. What it names (files, environment variables, secret settings of the stack) is read as for a
    stack in Python; relative paths start where `pulumi` runs the program."""
    kubeconfigs: Mapping[str, MaybeOutput[str]] = Field(default_factory=dict, repr=False)
    """Contents of kubeconfigs by the cluster's name, for clusters of which the document does not say how to reach
    them."""
    clusters: Mapping[str, Cluster] = Field(default_factory=dict)
    """Clusters that the program attached itself, by name."""


class FederationOutputs(BaseModel):
    """What a stack exports. None of it is secret."""

    gateways: dict[str, str | None]
    """Address of the gateway between networks by cluster; none where there is no such gateway."""
    load_balancers: dict[str, str | None]
    """What the load balancers of these gateways have got, by cluster."""
    ambient_gateways: dict[str, str | None]
    """Address of the ambient gateway by cluster, for clusters that have one."""
    root_fingerprint: str
    """SHA-256 of the root's certificate, hexadecimal."""
    expires: dict[str, Any]
    """When certificates end, RFC 3339: `root`, `roots` by generation, `clusters` by cluster, `servers`, `tokens`."""
    edges: list[str]
    """Who is read by whom: `source -> reader`, sorted."""
    public_facts: dict[str, Any] | None = None
    """Where there are other meshes: what this mesh says of itself to them."""
    ca_certificates: list[dict[str, Any]] | None = None
    """Where there are other meshes: their roots as the mesh config has them."""
    root_certificates: str | None = None
    """Where there are virtual machines: the roots that they have to know (PEM)."""
    ingress: dict[str, dict[str, str | None]] | None = None
    """Where there are ingress gateways: their addresses by cluster and name."""


async def federation_args(inputs: Mapping[str, Any]) -> MeshFederationArgs:
    """The arguments of `MeshFederation`. Raises FindingsError where the document has not the shape of one, and
    `InputPropertyError` where a kubeconfig is for a cluster that is not in it.

    Args:
        inputs: those of `FederationInputs`: the document as plain data, kubeconfigs as outputs, clusters as components.
    """
    mesh = parse(inputs["mesh"])
    named = named_by(mesh, pulumi.Config(), Path.cwd())
    positions = {cluster.name: index for index, cluster in enumerate(mesh.clusters)}
    clusters = inputs.get("clusters", {})
    given = inputs.get("kubeconfigs", {})
    if isinstance(given, pulumi.Output):
        # SDKs hand secrets over as one, and one that is not known yet hides for which clusters there are any.
        silent = [item.name for item in mesh.clusters if not kinds_of(item) and item.name not in clusters]
        given = {name: part_of(given, name) for name in silent}
    outputs = {name: pulumi.Output.secret(value) for name, value in given.items()}
    for place in (*(f"kubeconfigs.{name}" for name in outputs), *(f"clusters.{name}" for name in clusters)):
        name = place.partition(".")[2]
        if name not in positions:
            raise InputPropertyError(place, f'the document has no cluster "{name}"; it has {", ".join(positions)}')
    known = {positions[name]: _read(name, text) for name, text in await _known(outputs)}
    return named.model_copy(
        update={"kubeconfigs": {**named.kubeconfigs, **known}, "kubeconfig_outputs": outputs, "clusters": clusters}
    )


async def _known(outputs: Mapping[str, pulumi.Output[str]]) -> list[tuple[str, str]]:
    """Those that another resource does not have to give first."""
    found = [(name, await value.future()) for name, value in outputs.items()]
    return [(name, contents) for name, contents in found if contents is not None]


def _read(name: str, contents: str) -> Kubeconfig:
    try:
        return read(contents)
    except KubeconfigError as error:
        raise pulumi.RunError(f"kubeconfigs.{name}: {error}; give the contents of the cluster's kubeconfig") from None
