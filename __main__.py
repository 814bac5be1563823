"""The program: a stack's settings in, a federated mesh out."""

from pathlib import Path

import pulumi

from mesh_components import MeshFederation
from mesh_components.stack import from_stack

mesh = MeshFederation("mesh", from_stack(pulumi.Config(), Path(__file__).parent))
for name, value in mesh.outputs().items():
    pulumi.export(name, value)
