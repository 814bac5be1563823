"""The recipes of `stacks/`, as they are tried out: on the clusters of a lab, with charts that stand in for Istio's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.support.graph import ROOT

TOPOLOGIES = (
    "multi-primary-single-network",
    "multi-primary-multi-network",
    "primary-remote-single-network",
    "primary-remote-multi-network",
    "several-primaries-and-remotes",
    "external-control-plane",
    "ambient-multi-network",
    "mixed-data-planes",
)
"""One stack file, one page and one picture each."""

CHARTS = ROOT / "tests/charts"


def stack_file(recipe: str) -> Path:
    """Where a recipe is."""
    return ROOT / "stacks" / f"Pulumi.{recipe}.yaml"


def document(recipe: str) -> dict[str, Any]:
    """The mesh document of a recipe, as people copy it."""
    found: dict[str, Any] = yaml.safe_load(stack_file(recipe).read_text())["config"]["mesh:mesh"]
    return found


def on_lab(recipe: str) -> dict[str, Any]:
    """The same mesh, with its clusters in the lab. Nothing else of it is changed."""
    wanted = document(recipe)
    wanted.setdefault("trust", {})["protectRoot"] = False
    wanted["istio"]["charts"] = {"folder": str(CHARTS)}
    for cluster in wanted["clusters"]:
        cluster |= {"platform": "lab", "kubeconfig": {"file": f".lab/clusters/{cluster['name']}/kubeconfig"}}
        cluster.pop("apiServer", None)
    return wanted
