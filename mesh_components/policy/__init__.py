"""What a mesh must never be, as plain functions over resources: the same for Pulumi's policy packs (`policy/`), for
`mesh policy` and for previews of the local engine. A rule is written once.

Findings (`topology.findings`) look at the document; these rules look at what a program makes of it, so they hold for
programs of your own too. Pure: no Pulumi.
"""

from mesh_components.policy.resource import Resource, Violation
from mesh_components.policy.rules import RULES, Rule, violations

__all__ = ["RULES", "Resource", "Rule", "Violation", "violations"]
