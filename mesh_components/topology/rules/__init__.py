"""The rules, by what they are about. `topology.findings` runs them."""

from mesh_components.topology.rules import (
    access,
    addresses,
    control_plane,
    data_plane,
    discovery,
    exposure,
    facts,
    gateways,
    gke,
    kinds,
    mesh_networks,
    meshes,
    names,
    pool,
    ranges,
    revisions,
    roles,
    sources,
    tokens,
    trust,
    values,
    versions,
)
from mesh_components.topology.rules.context import Context, Facts, HoldsChart, Kubeconfigs, Rule

RULES: tuple[Rule, ...] = (
    *names.RULES,
    *ranges.RULES,
    *addresses.RULES,
    *gateways.RULES,
    *mesh_networks.RULES,
    *trust.RULES,
    *sources.RULES,
    *versions.RULES,
    *control_plane.RULES,
    *values.RULES,
    *roles.RULES,
    *exposure.RULES,
    *data_plane.RULES,
    *revisions.RULES,
    *discovery.RULES,
    *meshes.RULES,
    *facts.RULES,
    *access.RULES,
    *tokens.RULES,
    *kinds.RULES,
    *pool.RULES,
    *gke.RULES,
)

__all__ = ["RULES", "Context", "Facts", "HoldsChart", "Kubeconfigs", "Rule"]
