"""MeshTrust: what a cluster's istiod is told of other meshes, and what keeps them to what is exported.

Owns a policy for each mesh, and what makes its services callable here. Does not own the gateway through which the other
meshes come in (`CrossMeshGateway`) or their roots, which are mesh config (`Istiod`, `trusted`). No credential crosses
over: neither side reads the other's API servers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pulumi

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.kubernetes import KubernetesObject
from mesh_components.settings import FindingsError, Severity
from mesh_components.settings.facts import FactsError, MeshFacts, parse
from mesh_components.settings.meshes import ExportSettings, ImportSettings, OtherMesh
from mesh_components.topology import meshes
from mesh_components.topology.rules import facts as about_facts
from mesh_components.trust import between


class OtherMeshArgs(ComponentArgs):
    """Another mesh: what is wanted of it, and what it says of itself."""

    mesh: OtherMesh
    """As in the document; where its facts come from does not matter here."""
    facts: MaybeOutput[Mapping[str, Any]]
    """Its document of public facts. Refused where its digest is not the one that was signed off."""


class MeshTrustArgs(ComponentArgs):
    """Who this mesh is, whom it trusts, and what it exports."""

    mesh_id: str
    """Of this mesh: the others export to it by this name."""
    meshes: tuple[OtherMeshArgs, ...]
    exports: tuple[ExportSettings, ...] = ()
    """All that is exported to any of them."""
    namespace: MaybeOutput[str] = "istio-system"
    """The root namespace."""


class MeshTrust(pulumi.ComponentResource):
    """One per cluster that holds configuration; hand it the cluster's provider through `opts.providers`.

    Without `multiRoot` and the others' roots in the mesh config none of it has any effect: TLS ends before.
    """

    digests: pulumi.Output[dict[str, str]]
    """By mesh ID, of the facts that are in force."""

    def __init__(self, name: str, args: MeshTrustArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:MeshTrust", name, {"meshes": sorted(item.mesh.name for item in args.meshes)}, opts)
        patient = pulumi.ResourceOptions.merge(child_options(self, opts), retry_while_unserved(name))
        known = {item.mesh.name: checked(item, args.mesh_id) for item in args.meshes}
        for item in args.meshes:
            self._reach(name, args, item.mesh, patient)
            for wanted in item.mesh.imports:
                self._import(name, args.namespace, item.mesh, wanted, known[item.mesh.name], patient)
        self.digests = pulumi.Output.all(**known).apply(
            lambda known: {mesh: facts.digest for mesh, facts in known.items()}
        )
        self.register_outputs({"digests": self.digests})

    def _reach(self, name: str, args: MeshTrustArgs, other: OtherMesh, opts: pulumi.ResourceOptions) -> None:
        # With an alias, a policy that names their domain would name ours as well, and shut the mesh down
        # (`ReplaceTrustDomainAliases` in Istio's pilot/pkg/security/trustdomain/bundle.go).
        if not other.alias:
            exports = [export for export in args.exports if other.name in export.meshes]
            manifest = between.policy(args.namespace, other, exports)
            KubernetesObject(f"{name}-{meshes.slug(other.name)}-policy", manifest, opts)

    def _import(
        self,
        name: str,
        namespace: Any,
        other: OtherMesh,
        wanted: ImportSettings,
        facts: pulumi.Output[MeshFacts],
        opts: pulumi.ResourceOptions,
    ) -> None:
        def spec(build: Callable[[OtherMesh, ImportSettings, MeshFacts], dict[str, Any]]) -> pulumi.Output[Any]:
            return facts.apply(lambda known: build(other, wanted, known))

        called = f"{name}-{meshes.called(wanted)}"
        entry = between.service_entry(namespace, wanted, spec(between.service_entry_spec))
        KubernetesObject(f"{called}-service", entry, opts)
        if between.needs_rule(wanted):
            rule = between.destination_rule(namespace, wanted, spec(between.destination_rule_spec))
            KubernetesObject(f"{called}-rule", rule, opts)


def checked(other: OtherMeshArgs, mesh_id: str) -> pulumi.Output[MeshFacts]:
    """The facts, once they are known and found to be those that were signed off.

    What stands in a file has been looked at with the document. What another stack says is known only here.
    """

    def check(document: Mapping[str, Any]) -> MeshFacts:
        try:
            facts = parse(document)
        except FactsError as error:
            raise pulumi.RunError(f'the facts of the mesh "{other.mesh.name}" cannot be used: {error}') from None
        found = tuple(about_facts.about("meshes", other.mesh, mesh_id, facts, datetime.now(UTC)))
        if any(finding.severity is Severity.ERROR for finding in found):
            raise pulumi.RunError(str(FindingsError(found)))
        return facts

    return pulumi.Output.from_input(other.facts).apply(check)
