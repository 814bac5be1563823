"""What a federation is made from: the document, and what it names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
from pydantic import Field

from mesh_components.clusters.cluster import Cluster
from mesh_components.component import ComponentArgs, MaybeOutput
from mesh_components.kubernetes import Plain
from mesh_components.settings import FindingsError, MeshSettings
from mesh_components.settings.facts import MeshFacts
from mesh_components.settings.kubeconfig import Kubeconfig
from mesh_components.settings.trust import TrustSettings
from mesh_components.topology import material
from mesh_components.topology.findings import check
from mesh_components.topology.material import Texts
from mesh_components.topology.rules import Facts, Kubeconfigs
from mesh_components.trust import google_cas


class MeshFederationArgs(ComponentArgs):
    """The document, and what it names."""

    mesh: MeshSettings
    kubeconfigs: Kubeconfigs = Field(default_factory=dict, repr=False)
    """By position in the document's clusters; for those that `clusters` does not bring."""
    peer_kubeconfigs: Kubeconfigs = Field(default_factory=dict, repr=False)
    """By position; where the document names one to hand to the peers."""
    texts: Texts = Field(default_factory=dict, repr=False)
    """Certificates and keys that the document names, by the place that names them (`topology.material.places`,
    `topology.peers.places`, `topology.ibm.api_keys`)."""
    clusters: Mapping[str, Cluster] = Field(default_factory=dict)
    """Clusters of the calling program, by name; the others are attached by their kubeconfig."""
    kubeconfig_outputs: Mapping[str, pulumi.Output[str]] = Field(default_factory=dict, repr=False)
    """By name of the cluster: contents that other resources of the program give, and that may be known only when it
    runs. What `kubeconfigs` says beside is looked at by the rules."""
    facts: Facts = Field(default_factory=dict)
    """What other meshes say of themselves, by position in the document's `meshes`, as far as it stands in files."""
    stack_facts: Mapping[int, pulumi.Output[Any]] = Field(default_factory=dict)
    """The same, of those that are stacks: known when the program runs."""
    gateway_api: tuple[Plain, ...] = Field(default=(), repr=False)
    """The CRDs of the Gateway API, for clusters that lack them."""

    checked: bool = False
    """The calling program has looked at the findings itself, and goes on whatever they say."""

    def kubeconfig(self, name: str) -> Kubeconfig | None:
        """With which this program reaches a cluster; None where there is none that can be read."""
        return self._of(self.kubeconfigs, name)

    def peer_kubeconfig(self, name: str) -> Kubeconfig | None:
        """The ready-made one that its readers get; None where they get one with a token."""
        return self._of(self.peer_kubeconfigs, name)

    def facts_of(self, index: int) -> MaybeOutput[Mapping[str, Any]]:
        """The facts of the other mesh at this position. Raises RunError where nobody hands them over."""
        found = self.facts.get(index)
        if isinstance(found, MeshFacts):
            return found.document()
        if index not in self.stack_facts:
            name = self.mesh.meshes[index].name
            raise pulumi.RunError(f'nothing says the facts of the mesh "{name}": hand them over in `facts`')
        return self.stack_facts[index]

    def _of(self, kubeconfigs: Kubeconfigs, name: str) -> Kubeconfig | None:
        position = [cluster.name for cluster in self.mesh.clusters].index(name)
        found = kubeconfigs.get(position)
        return found if isinstance(found, Kubeconfig) else None


def checked(args: MeshFederationArgs) -> None:
    """Say all findings before the first resource; stop at an error."""
    if args.checked:
        return
    try:
        warnings = check(
            args.mesh,
            args.kubeconfigs,
            args.peer_kubeconfigs,
            holds_chart=lambda folder, chart: (Path(folder).expanduser() / chart / "Chart.yaml").is_file(),
            texts=args.texts,
            now=datetime.now(UTC),
            brought=frozenset({*args.clusters, *args.kubeconfig_outputs}),
            facts=args.facts,
        )
    except FindingsError as error:
        raise pulumi.RunError(str(error)) from error
    absent = google_cas.missing() if _asks_google(args.mesh.trust) else None
    if absent:
        raise pulumi.RunError(absent)
    for warning in warnings:
        pulumi.log.warn(str(warning))


def _asks_google(trust: TrustSettings) -> bool:
    return any(source.settings.google_cas is not None for source in material.stated(trust))
