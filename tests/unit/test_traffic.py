"""What the helpers write is what Istio's reference says, and what they refuse never gets to an API server."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.istio.destination_rule import Failover, HTTPCookie, TrafficPolicy
from mesh_components.istio.virtual_service import HTTPRoute
from mesh_components.services import led, traffic
from mesh_components.settings import MeshSettings, parse
from mesh_components.settings.findings import FindingsError
from mesh_components.topology.findings import findings

HOST = "reviews.bookinfo.svc.cluster.local"
CLUSTERS = [{"name": name, "network": "n", "kubeconfig": {"secret": name}} for name in ("east", "west")]


def mesh(*services: dict[str, Any], **more: Any) -> MeshSettings:
    return parse({"id": "m", "istio": {"version": "1.30.5"}, "clusters": CLUSTERS, "traffic": list(services), **more})


def codes(*services: dict[str, Any], **more: Any) -> list[str]:
    return [f"{found.code} {found.place}" for found in findings(mesh(*services, **more))]


def reviews(**more: Any) -> dict[str, Any]:
    return {"host": "reviews.bookinfo", "subsets": {"v1": {"version": "v1"}, "v2": {"version": "v2"}}, **more}


class TestParts:
    def test_weights(self) -> None:
        made = HTTPRoute(route=traffic.split(HOST, {"v1": 100, "v2": 0}, port=9080)).document()
        assert made["route"] == [
            {"destination": {"host": HOST, "subset": "v1", "port": {"number": 9080}}, "weight": 100},
            {"destination": {"host": HOST, "subset": "v2", "port": {"number": 9080}}, "weight": 0},
        ]

    @pytest.mark.parametrize("percent", [{"v1": 90, "v2": 20}, {"v1": 99}, {}])
    def test_weights_that_do_not_add_up(self, percent: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="have to add up to 100"):
            traffic.split(HOST, percent)

    def test_a_canary_goes_up_and_blue_green_at_once(self) -> None:
        steps = dict(traffic.canary(HOST, "v1", "v2", (5, 50, 100)))
        assert {step: [part.weight for part in parts] for step, parts in steps.items()} == {
            5: [95, 5],
            50: [50, 50],
            100: [0, 100],
        }
        assert [step for step, _ in traffic.canary(HOST, "blue", "green", [100])] == [100]

    @pytest.mark.parametrize("steps", [(50, 10), (10, 10), (0, 50), (50, 101)])
    def test_a_canary_that_does_not_go_up(self, steps: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match="each more than the one before"):
            traffic.canary(HOST, "v1", "v2", steps)

    def test_matches(self) -> None:
        assert traffic.match(path="/a", headers={"x": "y"}, method="GET").document() == {
            "uri": {"exact": "/a"},
            "headers": {"x": {"exact": "y"}},
            "method": {"exact": "GET"},
        }
        assert traffic.match(prefix="/").document() == {"uri": {"prefix": "/"}}
        with pytest.raises(ValueError, match="at most one of exact, prefix, regex"):
            traffic.match(path="/a", prefix="/b")

    def test_faults_mirrors_and_tries(self) -> None:
        assert traffic.delay("7s", 50).document() == {"delay": {"fixedDelay": "7s", "percentage": {"value": 50}}}
        assert traffic.abort(503).document() == {"abort": {"httpStatus": 503, "percentage": {"value": 100}}}
        (copy,) = traffic.mirror(HOST, "v2", 0.5)
        assert copy.document() == {"destination": {"host": HOST, "subset": "v2"}, "percentage": {"value": 0.5}}
        assert traffic.retries(3, "2s", ["5xx", "reset"]).document() == {
            "attempts": 3,
            "perTryTimeout": "2s",
            "retryOn": "5xx,reset",
        }
        assert traffic.retries(0).document() == {"attempts": 0}

    @pytest.mark.parametrize("how", ["ROUND_ROBIN", "RANDOM", "LEAST_REQUEST"])
    def test_load_balancers(self, how: Any) -> None:
        assert traffic.balance(how).document() == {"simple": how}

    def test_the_one_that_istio_has_given_up(self) -> None:
        assert traffic.balance("LEAST_CONN").document() == {"simple": "LEAST_REQUEST"}

    def test_a_cookie_has_a_lifetime_in_any_case(self) -> None:
        for cookie, ttl in (("user", "0s"), (HTTPCookie(name="user"), "0s"), (HTTPCookie(name="user", ttl="1h"), "1h")):
            assert traffic.sticky(cookie).document() == {"consistentHash": {"httpCookie": {"name": "user", "ttl": ttl}}}

    def test_failover_is_never_without_outlier_detection(self) -> None:
        alone = traffic.with_failover(regions=[Failover(from_="us", to="eu")]).document()
        assert alone["loadBalancer"]["localityLbSetting"] == {"enabled": True, "failover": [{"from": "us", "to": "eu"}]}
        assert alone["outlierDetection"]["maxEjectionPercent"] == 100
        given = TrafficPolicy(load_balancer=traffic.sticky("a"), outlier_detection=traffic.outliers(errors=1))
        made = traffic.with_failover(given, priority=["topology.istio.io/cluster"]).document()
        assert set(made["loadBalancer"]) == {"consistentHash", "localityLbSetting"}
        assert made["outlierDetection"]["consecutive5xxErrors"] == 1


class TestDocument:
    def resources(self, *services: dict[str, Any]) -> list[dict[str, Any]]:
        return [item.manifest() for item in led.resources(mesh(*services).traffic, ("east", "west"), "istio-system")]

    def test_objects_are_where_the_service_is(self) -> None:
        outside = {"host": "api.example.com", "loadBalancer": "RANDOM"}
        moved = {"host": "a.b", "namespace": "c", "routes": [{"timeout": "1s"}]}
        made = self.resources(reviews(), outside, moved)
        assert [(item["kind"], item["metadata"]) for item in made] == [
            ("DestinationRule", {"name": "reviews", "namespace": "bookinfo"}),
            ("DestinationRule", {"name": "api.example.com", "namespace": "istio-system"}),
            ("VirtualService", {"name": "a", "namespace": "c"}),
        ]
        assert made[1]["spec"] == {"host": "api.example.com", "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}

    def test_istio_s_own_shapes_come_out_as_they_went_in(self) -> None:
        pool = {"http": {"http2MaxRequests": 0}, "tcp": {"tcpKeepalive": {"time": "2h"}}}
        match = [{"uri": {"regex": "/a.*"}, "withoutHeaders": {"x": {"exact": "y"}}}]
        retries = {"attempts": 1, "retryRemoteLocalities": False}
        route = {"match": match, "retries": retries, "rewrite": {"uri": "/"}, "to": "v1"}
        rule, routes = self.resources(reviews(connectionPool=pool, routes=[route]))
        assert rule["spec"]["trafficPolicy"] == {"connectionPool": pool}
        assert {k: v for k, v in routes["spec"]["http"][0].items() if k != "route"} == {
            "match": match,
            "retries": retries,
            "rewrite": {"uri": "/"},
        }

    def test_a_service_of_which_nothing_is_said_has_no_objects(self) -> None:
        assert self.resources({"host": "a.b"}) == []

    @pytest.mark.parametrize(
        ("service", "place"),
        [
            (reviews(routes=[{"timeout": "5"}]), "traffic[0].routes[0].timeout"),
            (reviews(routes=[{"to": {"v1": 101}}]), "traffic[0].routes[0].to"),
            (reviews(routes=[{"fault": {"delay": {"fixedDelay": "1s", "exponentialDelay": "1s"}}}]), "routes[0].fault"),
            (reviews(outlierDetection={"consecutive5XxErrors": 1}), "traffic[0].outlierDetection.consecutive5XxErrors"),
            (reviews(sticky={"path": "/"}), "traffic[0].sticky.name"),
            (reviews(loadBalancer="ROUND-ROBIN"), "traffic[0].loadBalancer"),
        ],
    )
    def test_a_wrong_field_is_found_at_its_place(self, service: dict[str, Any], place: str) -> None:
        with pytest.raises(FindingsError) as refused:
            mesh(service)
        assert {found.code for found in refused.value.findings} == {"MESH001"}
        assert all(place in found.place for found in refused.value.findings)


class TestFindings:
    def test_a_sound_document_has_none(self) -> None:
        narrow = {"match": [{"uri": {"prefix": "/v2"}}], "to": "v2"}
        wide = {"to": {"v1": 90, "v2": 10}, "mirror": {"to": "v2"}}
        assert codes(reviews(failover={}, routes=[narrow, wide])) == []

    def test_a_mirror_has_a_subset_too(self) -> None:
        wrong = {"to": {"v1": 50, "v5": 50}, "mirror": {"to": "v6"}}
        assert codes(reviews(routes=[wrong])) == [
            "MESH902 traffic[0].routes[0].mirror.to",
            "MESH902 traffic[0].routes[0].to.v5",
        ]

    @pytest.mark.parametrize(
        ("earlier", "later", "shadowed"),
        [
            ([], [{"uri": {"exact": "/a"}}], True),
            ([{"uri": {"prefix": "/"}}], [], True),
            ([{"uri": {"prefix": "/"}}], [{"uri": {"exact": "/a"}}], True),
            ([{"uri": {"prefix": "/a"}}], [{"uri": {"prefix": "/a/b"}}], True),
            ([{"uri": {"prefix": "/a/b"}}], [{"uri": {"prefix": "/a"}}], False),
            ([{"uri": {"exact": "/a"}}], [{"uri": {"prefix": "/a"}}], False),
            ([{"uri": {"regex": ".*"}}], [{"uri": {"exact": "/a"}}], False),
            ([{"headers": {"x": {"exact": "1"}}}], [{"headers": {"x": {"exact": "1"}, "y": {"exact": "2"}}}], True),
            ([{"headers": {"x": {"exact": "1"}}}], [{"headers": {"x": {"exact": "2"}}}], False),
            ([{"uri": {"prefix": "/a"}}], [{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}], False),
            ([{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}], [{"uri": {"exact": "/b/c"}}], True),
            ([{"uri": {"prefix": "/a"}, "headers": {"x": {"exact": "1"}}}], [{"uri": {"prefix": "/a"}}], False),
            ([{"port": 80}], [{"port": 81}], False),
            ([{"withoutHeaders": {"x": {}}}], [{"uri": {"prefix": "/a"}}], False),
            ([{"uri": {"prefix": "/a"}}], [{"uri": {"prefix": "/A"}, "ignoreUriCase": True}], False),
            ([{"uri": {"prefix": "/a"}}], [{"uri": {"prefix": "/a"}, "ignoreUriCase": True}], False),
        ],
    )
    def test_which_routes_are_shadowed(self, earlier: Any, later: Any, shadowed: bool) -> None:
        found = codes(reviews(routes=[{"match": earlier, "to": "v1"}, {"match": later, "to": "v2"}]))
        assert found == (["MESH907 traffic[0].routes[1]"] if shadowed else [])

    def test_a_subset_is_a_cluster_where_nothing_of_it_runs(self) -> None:
        details = {"host": "details.bookinfo", "subsetPerCluster": True}
        assert codes({**details, "routes": [{"to": "east"}]}, applications={"bookinfo": {}}) == []
        assert codes({**details, "routes": [{"to": "west"}]}, applications={"bookinfo": {}}) == [
            "MESH906 traffic[0].routes"
        ]

    def test_labels_that_the_document_knows_nothing_of(self) -> None:
        service = {"host": "reviews.bookinfo", "subsets": {"large": {"size": "large", "version": "v3"}}}
        assert codes(service, applications={"bookinfo": {}}) == []

    def test_failures_of_another_kind_are_enough_for_failover(self) -> None:
        gateway = {"consecutive5xxErrors": 0, "consecutiveGatewayErrors": 3}
        assert codes(reviews(failover={}, outlierDetection=gateway)) == []
        assert codes(reviews(outlierDetection={"consecutive5xxErrors": 0})) == []
