"""Certificates and credentials that are replaced while the mesh goes on: the ways there, as rows of documents."""

from mesh_components.topology.rotate.plan import Subject, rotation_plan
from mesh_components.topology.rotate.words import explain

__all__ = ["Subject", "explain", "rotation_plan"]
