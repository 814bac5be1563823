"""What the components of this room are told alike."""

from __future__ import annotations

from typing import Any

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs
from mesh_components.settings.istio import ChartSource
from mesh_components.topology.addon_names import Plane


class AddonArgs(ComponentArgs):
    """Of everything that renders the chart of an add-on."""

    namespace: str = "istio-system"
    charts: ChartSource = ChartSource()
    """Where the chart comes from; its project's own repository when left out."""
    values: dict[str, Any] = Field(default_factory=dict)
    """The escape hatch: the chart's own values, merged last."""
    renderer: pulumi.ProviderResource | None = None
    """Renders the charts; left out, the component makes one. Several components can share it."""
    plane: Plane = "none"
    """What carries the requests of its pods. One that is called from another cluster is in the mesh."""
    revision: str = ""
    """Of the istiod that injects the sidecar, where there is one."""
