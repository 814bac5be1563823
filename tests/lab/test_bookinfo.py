"""The classic demonstration on API servers with Istio's own schemas: they accept every object, and a shift of versions
changes two routes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from meshctl.lab.api import Api
from tests.lab.conftest import RealLab
from tests.lab.test_examples import Example

pytestmark = pytest.mark.lab


def test_blue_and_green_are_a_change_of_weights(crd_lab: RealLab, tmp_path: Path) -> None:
    example = Example(tmp_path, "bookinfo-gke-ibm", crd_lab.dir)
    try:
        example.done("up", "--yes")
        example.settings.write_text(yaml.safe_dump({"config": {**example.config, "bookinfo-gke-ibm:red": "100"}}))
        changed = example.changes()
        assert {(row["op"], row["name"]) for row in changed} == {
            ("update", "reviews-routes-gke"),
            ("update", "reviews-routes-ibm"),
        }
        example.done("up", "--yes")
        for cluster in ("cluster1", "cluster2"):
            inside = "/apis/networking.istio.io/v1/namespaces/bookinfo"
            routes = Api(crd_lab.kubeconfig(cluster)).get(f"{inside}/virtualservices/reviews")["spec"]["http"]
            assert [one.get("weight") for one in routes[1]["route"]] == [0, 100]
            subsets = Api(crd_lab.kubeconfig(cluster)).get(f"{inside}/destinationrules/reviews")["spec"]["subsets"]
            assert [one["name"] for one in subsets] == ["v1", "v2", "v3"]
    finally:
        example.run("destroy", "--yes")
