"""The recipes of `stacks/`, as they are tried out: on the clusters of a lab, with charts that stand in for Istio's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from meshctl.lab.pretend import ADDRESS_ANNOTATION
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

CLUSTERS = ("gke-gke", "gke-ibm", "gke-ibm-created", "gke-stacks", "k3s-home-lab")
"""Recipes for what clusters are, and no topology of their own."""

LAB_CLUSTERS = {"control": "cluster3"}
"""Which cluster of the lab plays a cluster of the recipes; the others have the same name."""

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
    for addon in _addons(wanted):
        addon["charts"] = {"folder": str(CHARTS)}
    for number, cluster in enumerate(wanted["clusters"], 1):
        file = f".lab/clusters/{lab_cluster(cluster['name'])}/kubeconfig"
        cluster |= {"platform": "lab", "kubeconfig": {"file": file}}
        cluster.pop("apiServer", None)
        # An EndpointSlice refuses the loopback addresses that the lab gives to load balancers (RFC 5737 has these).
        gateway = cluster.setdefault("eastWest", {})
        gateway["annotations"] = {ADDRESS_ANNOTATION: f"198.51.100.{number}"}
        for ingress in cluster.get("ingress", []):
            ingress.pop("loadBalancer", None)
            ingress["annotations"] = {ADDRESS_ANNOTATION: f"198.51.100.{100 + number}"}
    return wanted


def _addons(wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """What of a document's add-ons comes by a chart."""
    stated = wanted.get("addons", {})
    found = [stated[key] for key in ("prometheus", "grafana", "jaeger", "kiali", "loki") if key in stated]
    return [*found, stated["loki"].setdefault("collector", {})] if "loki" in stated else found


def lab_cluster(name: str) -> str:
    """The cluster of the lab that plays a cluster of a recipe."""
    return LAB_CLUSTERS.get(name, name)
