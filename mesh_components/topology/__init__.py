"""What follows from the settings: roles, edges, gateways, names, findings. Pure functions; knows nothing of Pulumi."""

from mesh_components.topology.edges import Edge
from mesh_components.topology.plan import ClusterPlan, Topology, plan
from mesh_components.topology.revisions import Revision

__all__ = ["ClusterPlan", "Edge", "Revision", "Topology", "plan"]
