"""The table of documents that Istio's CRDs accept or refuse: `tests/istio/<Kind>.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from mesh_components import istio
from mesh_components.istio.model import IstioResource
from tests.support.graph import ROOT

CRDS = ROOT.parent / "shared" / "istio" / "crds-1.30.3.yaml"


@dataclass(frozen=True)
class Case:
    kind: str
    number: int
    spec: Any
    refused_at: str | None
    """None where the document is accepted."""
    model_only: bool
    """True: the API server takes it, and istiod could not read it."""

    def __str__(self) -> str:
        return f"{self.kind}-{self.number}"

    @property
    def model(self) -> type[IstioResource]:
        found: type[IstioResource] = getattr(istio, self.kind)
        return found

    def document(self, namespace: str = "default") -> dict[str, Any]:
        version = self.model.model_fields["api_version"].default
        metadata = {"name": str(self).lower(), "namespace": namespace}
        return {"apiVersion": version, "kind": self.kind, "metadata": metadata, "spec": self.spec}


def cases() -> Iterator[Case]:
    for file in sorted((ROOT / "tests" / "istio").glob("*.yaml")):
        for number, row in enumerate(yaml.safe_load(file.read_text())):
            verdict = "refused" if "refused" in row else "accepted"
            yield Case(file.stem, number, row[verdict], row.get("at"), "by" in row)
