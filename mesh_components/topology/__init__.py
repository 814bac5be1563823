"""What follows from the settings: roles, edges, gateways, names, findings. Pure functions; knows nothing of Pulumi."""

from mesh_components.topology.plan import ClusterPlan, Edge, Topology, plan

__all__ = ["ClusterPlan", "Edge", "Topology", "plan"]
