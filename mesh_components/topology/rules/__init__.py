"""The rules, by what they are about. `topology.findings` runs them."""

from mesh_components.topology.rules import access, addresses, control_plane, names, networks, trust, versions
from mesh_components.topology.rules.context import Context, HoldsChart, Kubeconfigs, Rule

RULES: tuple[Rule, ...] = (
    *names.RULES,
    *networks.RULES,
    *addresses.RULES,
    *trust.RULES,
    *versions.RULES,
    *control_plane.RULES,
    *access.RULES,
)

__all__ = ["RULES", "Context", "HoldsChart", "Kubeconfigs", "Rule"]
