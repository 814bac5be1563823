"""From one version of Istio to the next: the whole mesh's way, as a row of documents.

Pure: a document in, documents out. Whoever applies them asks before each, and may go back after each.
"""

from mesh_components.topology.upgrade.plan import upgrade_plan
from mesh_components.topology.upgrade.remotes import follows_default

__all__ = ["follows_default", "upgrade_plan"]
