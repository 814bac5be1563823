"""Chart values, where charts come from, and what is put in afterwards."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.control_plane import charts, values
from mesh_components.discovery.kubeconfig import only_context, remote_kubeconfig
from mesh_components.kubernetes.objects import token
from mesh_components.settings.istio import DEFAULT_REPOSITORY, ChartSource, MeshConfigSettings
from mesh_components.settings.kubeconfig import read
from tests.support.meshes import kubeconfig

PLAIN = st.recursive(
    st.integers() | st.sampled_from(["", "text"]),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
MAPPING = st.dictionaries(st.sampled_from("abc"), PLAIN, max_size=3)


def istiod(config: dict[str, Any] | None = None, **over: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "mesh_id": "mesh1",
        "cluster": "cluster1",
        "network": "network1",
        "trust_domain": "cluster.local",
        "revision": "",
        "namespace": "istio-system",
        "platform": "generic",
        "mesh_config": MeshConfigSettings.model_validate(config or {}),
        "ca_bundle": "QQ==",
        **over,
    }
    return values.istiod(**given)


class TestValues:
    """Names of values are Istio's; a wrong one is silently ignored by the chart."""

    def test_identity(self) -> None:
        assert istiod()["global"] == {
            "meshID": "mesh1",
            "network": "network1",
            "multiCluster": {"clusterName": "cluster1"},
            "istioNamespace": "istio-system",
        }

    def test_both_webhooks_say_what_istiod_would_write(self) -> None:
        for found in (istiod(), values.base("", "istio-system", "QQ==")):
            assert found["base"]["validationCABundle"] == "QQ=="
            assert found["base"]["validationFailurePolicy"] == "Fail"

    def test_the_default_validator_follows_the_revision(self) -> None:
        assert values.base("", "istio-system", "")["defaultRevision"] == "default"
        assert values.base("1-30-3", "istio-system", "")["defaultRevision"] == "1-30-3"
        assert istiod(revision="1-30-3")["revision"] == "1-30-3"
        assert "revision" not in istiod()

    def test_mesh_config(self) -> None:
        found = istiod(
            {
                "accessLog": {"encoding": "JSON"},
                "tracing": {"sampling": 12.5, "provider": "jaeger"},
                "proxy": {"requests": {"cpu": "50m"}, "includeIPRanges": ["10.0.0.0/8", "172.16.0.0/12"]},
            }
        )
        assert found["meshConfig"] == {
            "trustDomain": "cluster.local",
            "accessLogFile": "/dev/stdout",
            "accessLogEncoding": "JSON",
            "defaultProviders": {"tracing": ["jaeger"]},
            "defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}},
        }
        assert found["pilot"] == {"traceSampling": 12.5}
        assert found["global"]["proxy"] == {
            "resources": {"requests": {"cpu": "50m"}},
            "includeIPRanges": "10.0.0.0/8,172.16.0.0/12",
        }

    def test_dns_capture_can_be_off(self) -> None:
        assert "defaultConfig" not in istiod({"dnsCapture": False})["meshConfig"]

    @pytest.mark.parametrize(("platform", "profile"), [("gke", "gke"), ("k3s", "k3s"), ("ibm", None), ("eks", None)])
    def test_platforms_without_a_profile_get_none(self, platform: str, profile: str | None) -> None:
        assert istiod(platform=platform).get("platform") == profile

    @given(MAPPING, MAPPING)
    def test_merging_keeps_what_is_not_spoken_of_and_the_last_word_wins(
        self, first: dict[str, Any], second: dict[str, Any]
    ) -> None:
        merged = values.merge(first, second)
        assert values.merge(merged, second) == merged
        assert set(merged) == {*first, *second}
        for key, value in second.items():
            if not isinstance(value, dict):
                assert merged[key] == value


class TestCharts:
    """Where a chart is."""

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ({}, {"chart": "base", "version": "1.30.3", "fetch_opts": {"repo": DEFAULT_REPOSITORY}}),
            (
                {"repository": "https://charts.example"},
                {"chart": "base", "version": "1.30.3", "fetch_opts": {"repo": "https://charts.example"}},
            ),
            (
                {"oci": "oci://registry.example/charts/"},
                {"chart": "oci://registry.example/charts/base", "version": "1.30.3"},
            ),
            ({"folder": "/charts"}, {"path": "/charts/base"}),
        ],
    )
    def test_location(self, source: dict[str, str], expected: dict[str, Any]) -> None:
        assert charts.location(ChartSource.model_validate(source), "base", "1.30.3") == expected


class TestKubeconfigs:
    """What peers are handed must be usable as it is, and nothing more than it has to be."""

    def test_written_and_read_again(self) -> None:
        text = remote_kubeconfig("east", "https://192.0.2.1:6443", "Q0E=", "secret-token", "kubernetes.default")
        found = read(text)
        assert (found.context, found.server, found.refused) == ("east", "https://192.0.2.1:6443", ())
        assert yaml.safe_load(text)["clusters"][0]["cluster"]["tls-server-name"] == "kubernetes.default"
        assert list(yaml.safe_load(text)) == [
            "apiVersion",
            "clusters",
            "contexts",
            "current-context",
            "kind",
            "preferences",
            "users",
        ]

    def test_credentials_of_other_clusters_stay_here(self) -> None:
        both = yaml.safe_load(kubeconfig("east"))
        other = yaml.safe_load(kubeconfig("west"))
        for part in ("clusters", "contexts", "users"):
            both[part] += other[part]
        reduced = only_context(yaml.safe_dump(both), "west")
        assert "east" not in reduced
        assert read(reduced).server == "https://west.example.com:6443"


@pytest.mark.parametrize(
    ("api_version", "kind", "expected"),
    [
        ("v1", "Secret", "kubernetes:core/v1:Secret"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("networking.istio.io/v1", "Gateway", "kubernetes:networking.istio.io/v1:Gateway"),
    ],
)
def test_type_tokens_are_those_of_the_sdk(api_version: str, kind: str, expected: str) -> None:
    assert token(api_version, kind) == expected
