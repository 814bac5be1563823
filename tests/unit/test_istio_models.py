"""Istio's resources as types: what the CRDs refuse is refused when it is written, and what is accepted comes out as it
went in. tests/lab/test_istio_models.py asks an API server for its verdict on the very same documents."""

from __future__ import annotations

import filecmp
import subprocess
import sys
from pathlib import Path

import pytest

from mesh_components import istio
from mesh_components.istio.destination_rule import DestinationRuleSpec, LoadBalancerSettings, TrafficPolicy
from mesh_components.istio.rules import seconds
from mesh_components.istio.virtual_service import HTTPRoute, HTTPRouteDestination, VirtualServiceSpec
from tests.support.graph import ROOT
from tests.support.istio_documents import CRDS, Case, cases

GOOD = [case for case in cases() if case.refused_at is None]
BAD = [case for case in cases() if case.refused_at is not None]


def without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


class TestTable:
    def test_every_kind_has_both(self) -> None:
        kinds = set(istio.__all__) - {"InvalidResourceError", "IstioModel", "IstioResource", "Metadata"}
        assert {case.kind for case in GOOD} == {case.kind for case in BAD} == kinds

    @pytest.mark.parametrize("case", GOOD, ids=str)
    def test_what_is_accepted_comes_out_as_it_went_in(self, case: Case) -> None:
        made = case.model.parse(case.document()).manifest()
        if case.kind != "EnvoyFilter":  # whose patches may hold nulls, which are Envoy's and stay
            assert made == without_nulls(case.document())
        assert case.model.parse(made).manifest() == made

    @pytest.mark.parametrize("case", BAD, ids=str)
    def test_what_is_refused_is_refused_at_its_place(self, case: Case) -> None:
        with pytest.raises(istio.InvalidResourceError) as refusal:
            case.model.parse(case.document())
        assert [path for path, _ in refusal.value.problems] == [f"{case.kind}.{case.refused_at}"]


class TestWriting:
    def test_what_was_set_is_written_and_nothing_else(self) -> None:
        route = HTTPRoute(route=[HTTPRouteDestination(destination={"host": "a"}, weight=0)])
        made = istio.VirtualService(
            metadata=istio.Metadata(name="a", namespace="b"), spec=VirtualServiceSpec(hosts=["a"], http=[route])
        )
        assert made.manifest() == {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {"name": "a", "namespace": "b"},
            "spec": {"hosts": ["a"], "http": [{"route": [{"destination": {"host": "a"}, "weight": 0}]}]},
        }

    def test_python_s_names_are_not_the_wire_s(self) -> None:
        policy = TrafficPolicy(load_balancer=LoadBalancerSettings(simple="RANDOM"))
        assert policy.document() == {"loadBalancer": {"simple": "RANDOM"}}
        with pytest.raises(istio.InvalidResourceError, match=r"DestinationRule\.spec\.traffic_policy: this field is"):
            istio.DestinationRule.parse({"metadata": {"name": "a"}, "spec": {"host": "a", "traffic_policy": {}}})

    def test_an_int_stays_one(self) -> None:
        telemetry = {"metadata": {"name": "a"}, "spec": {"tracing": [{"randomSamplingPercentage": 50}]}}
        made = istio.Telemetry.parse(telemetry).manifest()["spec"]["tracing"][0]["randomSamplingPercentage"]
        assert (made, type(made)) == (50, int)

    def test_what_is_made_does_not_change(self) -> None:
        spec = DestinationRuleSpec(host="a")
        with pytest.raises(ValueError, match="frozen"):
            spec.host = "b"  # type: ignore[misc]


class TestRefusal:
    def test_all_mistakes_at_once_and_no_value_of_them(self) -> None:
        spec = {"hosts": "s3cret", "http": [{"timeout": "s3cret", "retry": {}}], "s3cret-word": 1}
        with pytest.raises(istio.InvalidResourceError) as refusal:
            istio.VirtualService.parse({"metadata": {"name": "a"}, "spec": spec})
        assert str(refusal.value).splitlines() == [
            "VirtualService.spec.hosts: Input should be a valid list",
            "VirtualService.spec.http[0].timeout: must be a duration of at least 1ms, such as 250ms, 1.5s or 1h30m",
            "VirtualService.spec.http[0].retry: this field is unknown",
            "VirtualService.spec.s3cret-word: this field is unknown",
        ]

    @pytest.mark.parametrize(
        ("metadata", "place"),
        [
            ({}, "name"),
            ({"name": "A"}, "name"),
            ({"name": "a."}, "name"),
            ({"name": "a" * 254}, "name"),
            ({"name": "a", "namespace": "b.c"}, "namespace"),
            ({"name": "a", "labels": {"a": "-"}}, "labels.a"),
            ({"name": "a", "labels": {"a/b/c": "d"}}, "labels.a/b/c.[key]"),
            ({"name": "a", "uid": "b"}, "uid"),
        ],
    )
    def test_metadata(self, metadata: dict[str, object], place: str) -> None:
        with pytest.raises(istio.InvalidResourceError) as refusal:
            istio.ProxyConfig.parse({"metadata": metadata, "spec": {}})
        assert [path for path, _ in refusal.value.problems] == [f"ProxyConfig.metadata.{place}"]

    def test_another_kind_or_version(self) -> None:
        document = {"apiVersion": "v1", "kind": "Gateway", "metadata": {"name": "a"}}
        with pytest.raises(istio.InvalidResourceError) as refusal:
            istio.Sidecar.parse(document)
        assert [path for path, _ in refusal.value.problems] == ["Sidecar.apiVersion", "Sidecar.kind"]

    def test_a_name_that_the_package_does_not_have(self) -> None:
        with pytest.raises(AttributeError, match="VirtualServices"):
            istio.VirtualServices  # noqa: B018


class TestDurations:
    @pytest.mark.parametrize(
        ("text", "length"), [("1h1m1s", 3661), ("1.5s", 1.5), (".5s", 0.5), ("1.s", 1), ("-2m", -120), ("0", 0)]
    )
    def test_as_go_writes_them(self, text: str, length: float) -> None:
        assert seconds(text) == length

    @pytest.mark.parametrize("text", ["", "s", "1", "1 s", "1d", "1,5s", ".s", "1s\n", "\u0661s"])
    def test_and_nothing_else(self, text: str) -> None:
        assert seconds(text) is None


class TestPackage:
    def test_a_kind_brings_what_it_needs_and_no_other(self) -> None:
        code = "import sys; from mesh_components.istio import DestinationRule; print(*sys.modules)"
        found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        ours = {name for name in found.stdout.split() if name.startswith("mesh_components.")}
        assert ours == {
            f"mesh_components.istio{name}" for name in ("", ".destination_rule", ".model", ".rules", ".shared")
        }
        assert "pulumi" not in found.stdout.split()

    @pytest.mark.skipif(not CRDS.exists(), reason="Istio's CRDs are not here")
    def test_it_is_what_the_generator_writes(self, tmp_path: Path) -> None:
        subprocess.run([sys.executable, "-m", "tools.istio_types", str(CRDS), str(tmp_path)], cwd=ROOT, check=True)
        package = ROOT / "mesh_components" / "istio"
        names = {path.name for path in tmp_path.glob("*.py")}
        assert names | {"model.py", "rules.py"} == {path.name for path in package.glob("*.py")}
        assert filecmp.cmpfiles(package, tmp_path, names, shallow=False)[1:] == ([], [])
