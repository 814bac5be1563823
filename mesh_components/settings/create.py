"""A cluster that this program makes: of which kind."""

from __future__ import annotations

from mesh_components.settings.base import Settings
from mesh_components.settings.gke import GkeSettings
from mesh_components.settings.ibm import IbmSettings


class CreateSettings(Settings):
    """A cluster that this program makes. Exactly one kind."""

    gke: GkeSettings | None = None
    ibm: IbmSettings | None = None

    @property
    def stated(self) -> tuple[str, ...]:
        """Which kinds are written: one of them, where it is sound."""
        return tuple(key for key, value in {"gke": self.gke, "ibm": self.ibm}.items() if value is not None)
