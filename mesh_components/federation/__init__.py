"""MeshFederation: the rooms put together, and nothing else. What there is to build was decided in `topology`."""

from mesh_components.federation.args import MeshFederationArgs
from mesh_components.federation.federation import MeshFederation
from mesh_components.federation.member import Member

__all__ = ["Member", "MeshFederation", "MeshFederationArgs"]
