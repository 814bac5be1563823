"""Findings about sample applications that their pages do not show."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import parse
from mesh_components.topology.findings import findings
from tests.support.meshes import document


def found(*, istio: dict[str, Any] | None = None, **mesh: Any) -> list[tuple[str, str]]:
    """Number and place of what is found about applications."""
    wanted = document(
        "east", "west", istio=istio or {"version": "1.30.5"}, **{"applications": {"helloworld": {}}, **mesh}
    )
    return [(one.code, one.place) for one in findings(parse(wanted)) if one.code.startswith("MESH94")]


LOCAL = {"version": "1.30.5", "meshConfig": {"clusterLocalHosts": ["*"]}}
SELECTIVE = {"across": "selective", "services": ["other.shop"]}


@pytest.mark.parametrize(
    ("mesh", "place"),
    [
        ({"visibility": SELECTIVE}, "visibility.services"),
        ({"visibility": {"discoverySelectors": [{"matchLabels": {"mesh": "m"}}]}}, "visibility.discoverySelectors"),
        ({"discovery": {"reach": "edges", "edges": [{"source": "east", "reader": "west"}]}}, "discovery.reach"),
        ({"istio": LOCAL}, "istio.meshConfig.clusterLocalHosts[0]"),
    ],
    ids=["names", "selectors", "edges", "local"],
)  # fmt: skip
def test_what_hides_it_is_told(mesh: dict[str, Any], place: str) -> None:
    assert ("MESH946", place) in found(**mesh)


@pytest.mark.parametrize(
    "mesh",
    [
        {},
        {"visibility": {**SELECTIVE, "namespaces": ["sample"]}},
        {"visibility": {**SELECTIVE, "services": ["helloworld.sample"]}},
        {
            "visibility": {"discoverySelectors": [{"matchLabels": {"mesh": "m"}}]},
            "applications": {"helloworld": {"labels": {"mesh": "m"}}},
        },
        {"visibility": {"discoverySelectors": [{"matchLabels": {"kubernetes.io/metadata.name": "sample"}}]}},
    ],
)
def test_what_does_not_is_not(mesh: dict[str, Any]) -> None:
    assert found(**mesh) == []


def test_a_gateway_that_lets_others_through_is_one_of_them() -> None:
    wanted = document("east", "west", istio={"version": "1.30.5"}, applications={"helloworld": {}})
    wanted["clusters"][1]["eastWest"] = {"hosts": ["*.shop.svc.cluster.local"]}
    assert [one.place for one in findings(parse(wanted)) if one.code == "MESH946"] == ["clusters[1].eastWest.hosts"]


@pytest.mark.parametrize("namespace", ["istio-system", "kube-system", "default", "Sample", "", "bookinfo"])
def test_a_namespace_is_its_own(namespace: str) -> None:
    applied = {"helloworld": {"namespace": namespace}, "bookinfo": {}}
    assert "MESH943" in {code for code, _ in found(applications=applied)}


def test_a_tag_that_one_cluster_lacks_injects_nobody_there() -> None:
    wanted = document("east", "west", istio={"version": "1.30.5", "revision": "x"})
    wanted["applications"] = {"helloworld": {"revision": "canary"}}
    wanted["clusters"][0]["tags"] = {"canary": "x"}
    (one,) = [one for one in findings(parse(wanted)) if one.code == "MESH944"]
    assert '"west"' in one.reason
    assert '"east"' not in one.reason
