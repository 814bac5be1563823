"""Settings that do not get where they seem to go: hosts of others' gateways, an ambient gateway's, pinned images."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.topology.findings import findings
from tests.support.findings import (
    CONFIG,
    ERROR,
    EXTERNAL,
    OUTSIDE,
    PRIMARY,
    REMOTE,
    WARNING,
    Patch,
    brief,
    clusters,
    istio,
    mesh,
    one,
)

SHARED: Patch = {"eastWest": {"hosts": ["*.shared.svc.cluster.local"]}}
OTHER: Patch = {"eastWest": {"hosts": ["*.other.svc.cluster.local"]}}


class TestHosts:
    def test_a_remote_says_other_hosts_than_its_primary(self) -> None:
        found = one(findings(clusters(PRIMARY, {**REMOTE, **SHARED})), "MESH425", ERROR, "clusters[1].eastWest.hosts")
        assert '"c0", which lets in "*.local"' in found.reason

    @pytest.mark.parametrize(("server", "remote"), [(SHARED, SHARED), (SHARED, {}), ({}, {})])
    def test_the_same_hosts_or_none_pass(self, server: Patch, remote: Patch) -> None:
        assert findings(clusters({**PRIMARY, **server}, {**REMOTE, **remote})) == ()

    def test_of_an_external_control_plane_the_config_cluster_counts(self) -> None:
        found = findings(clusters({**EXTERNAL, **OTHER}, {**CONFIG, **SHARED}, {**REMOTE, **OTHER}, **OUTSIDE))
        assert [(code, place) for code, _, place in brief(found)] == [
            ("MESH425", "clusters[0].eastWest.hosts"),
            ("MESH425", "clusters[2].eastWest.hosts"),
        ]
        assert findings(clusters(EXTERNAL, {**CONFIG, **SHARED}, {**REMOTE, **SHARED}, **OUTSIDE)) == ()


def gateway(data_plane: str, **settings: Any) -> Any:
    return mesh({"istio": {"version": "1.30.5", "dataPlane": data_plane}}, east={"eastWest": settings})


class TestAmbientGateway:
    def test_hosts_are_for_sidecars(self) -> None:
        one(findings(gateway("ambient", **SHARED["eastWest"])), "MESH426", ERROR, "clusters[0].eastWest.hosts")
        assert "MESH426" not in [code for code, _, _ in brief(findings(gateway("mixed", **SHARED["eastWest"])))]

    @pytest.mark.parametrize(
        ("key", "value"),
        [("minReplicas", 2), ("limits", {"cpu": "1"}), ("loadBalancerSourceRanges", ["203.0.113.0/24"])],
    )
    def test_its_size_and_its_door_are_heard(self, key: str, value: Any) -> None:
        assert "MESH426" not in [code for code, _, _ in brief(findings(gateway("ambient", **{key: value})))]

    def test_without_a_gateway_there_is_nothing_to_say(self) -> None:
        found = findings(gateway("ambient", enabled=False, **SHARED["eastWest"]))
        assert "MESH426" not in [code for code, _, _ in brief(found)]


class TestPinnedImages:
    @pytest.mark.parametrize(
        ("chart", "values", "place"),
        [
            ("istiod", {"global": {"tag": "1.30.4"}}, "global.tag"),
            ("istiod", {"tag": "1.30.4"}, "tag"),
            ("istiod", {"pilot": {"tag": 1.3}}, "pilot.tag"),
            ("istiod", {"pilot": {"image": "r.example.com/pilot:1.30.4"}}, "pilot.image"),
            ("istiod", {"global": {"proxy": {"image": "r.example.com:5000/proxyv2@sha256:00"}}}, "global.proxy.image"),
            ("cni", {"global": {"tag": "1.30.4"}}, "global.tag"),
        ],
    )
    def test_of_another_version(self, chart: str, values: Patch, place: str) -> None:
        found = findings(istio(cni=True, values={chart: values}))
        one(found, "MESH427", WARNING, f"istio.values.{chart}.{place}")

    @pytest.mark.parametrize(
        "values",
        [
            {"tag": "1.30.5"},
            {"global": {"tag": "1.30.5-distroless"}},
            {"image": "pilot"},
            {"global": {"hub": "r.io/i"}},
        ],
    )
    def test_of_the_version_or_of_none(self, values: Patch) -> None:
        assert findings(istio(values={"istiod": values})) == ()

    def test_one_tag_cannot_be_that_of_two_versions(self) -> None:
        revisions = [{"name": "a"}, {"name": "b", "version": "1.30.4"}]
        found = findings(istio(revision="a", revisions=revisions, values={"istiod": {"tag": "1.30.5"}}))
        assert (
            "1.30.4"
            in one(tuple(f for f in found if f.code == "MESH427"), "MESH427", WARNING, "istio.values.istiod.tag").reason
        )
