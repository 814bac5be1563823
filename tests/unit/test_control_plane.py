"""Chart values, where charts come from, and what is put in afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.control_plane import charts, external, istiod, remote, values
from mesh_components.control_plane.external import ExternalIstiodArgs
from mesh_components.control_plane.istiod import IstiodArgs
from mesh_components.control_plane.placeholders import ADDRESS, CA_BUNDLE, URL_HOST
from mesh_components.control_plane.remote import RemoteIstiodArgs
from mesh_components.discovery.kubeconfig import remote_kubeconfig
from mesh_components.kubernetes.objects import token
from mesh_components.settings.istio import DEFAULT_REPOSITORY, ChartSource, MeshConfigSettings
from mesh_components.settings.kubeconfig import only, read
from mesh_components.settings.location import Platform
from tests.support.meshes import kubeconfig

PLAIN = st.recursive(
    st.integers() | st.sampled_from(["", "text"]),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
MAPPING = st.dictionaries(st.sampled_from("abc"), PLAIN, max_size=3)


WHO: dict[str, Any] = {"mesh_id": "mesh1", "cluster_name": "cluster1", "network": "network1", "root_cert_pem": "PEM"}


def of_primary(config: dict[str, Any] | None = None, **over: Any) -> dict[str, Any]:
    given = {**WHO, "mesh_config": MeshConfigSettings.model_validate(config or {}), **over}
    return istiod.chart_values(IstiodArgs.model_validate(given))


def of_remote(**over: Any) -> dict[str, Any]:
    return remote.chart_values(RemoteIstiodArgs.model_validate({**WHO, "address": "203.0.113.7", **over}))


def of_external(**over: Any) -> dict[str, Any]:
    return external.chart_values(ExternalIstiodArgs.model_validate({**WHO, "address": "203.0.113.7", **over}))


class TestValues:
    """Names of values are Istio's; a wrong one is silently ignored by the chart."""

    @pytest.mark.parametrize("values_of", [of_primary, of_remote, of_external])
    def test_identity(self, values_of: Callable[..., dict[str, Any]]) -> None:
        found = values_of(trust_domain="td", revision="1-30-3", namespace="root")
        identity = {"meshID": "mesh1", "network": "network1", "istioNamespace": "root"}
        assert found["global"].items() >= identity.items()
        assert found["global"]["multiCluster"] == {"clusterName": "cluster1"}
        assert found["meshConfig"]["trustDomain"] == "td"
        assert found["revision"] == "1-30-3"

    def test_without_a_revision_none_is_given(self) -> None:
        assert "revision" not in of_primary()

    def test_every_webhook_says_what_istiod_would_write(self) -> None:
        strict = {"validationCABundle": CA_BUNDLE, "validationFailurePolicy": "Fail"}
        assert values.validator("", "istio-system", by_url=False, trusted=False)["base"] == strict
        assert of_primary()["base"] == strict
        assert of_primary()["istiodRemote"] == {"injectionCABundle": CA_BUNDLE}
        assert of_remote()["istiodRemote"]["injectionCABundle"] == CA_BUNDLE

    def test_mesh_config(self) -> None:
        found = of_primary(
            {
                "accessLog": {"encoding": "JSON"},
                "tracing": {"sampling": 12.5, "provider": "jaeger"},
                "proxy": {"requests": {"cpu": "50m"}, "includeIPRanges": ["10.0.0.0/8", "172.16.0.0/12"]},
                "clusterLocalHosts": ["*.bank.svc.cluster.local"],
            }
        )
        assert found["meshConfig"] == {
            "trustDomain": "cluster.local",
            "accessLogFile": "/dev/stdout",
            "accessLogEncoding": "JSON",
            "defaultProviders": {"tracing": ["jaeger"]},
            "defaultConfig": {"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}},
            "serviceSettings": [{"settings": {"clusterLocal": True}, "hosts": ["*.bank.svc.cluster.local"]}],
        }
        assert found["traceSampling"] == 12.5
        assert found["global"]["proxy"] == {
            "resources": {"requests": {"cpu": "50m"}},
            "includeIPRanges": "10.0.0.0/8,172.16.0.0/12",
        }

    def test_istiods_side_by_side_are_cluster_local(self) -> None:
        """Each makes its own host so by itself, and no other's."""
        user = {"clusterLocalHosts": ["*.bank.svc.cluster.local", "istiod.istio-system.svc.cluster.local"]}
        both = {"revision": "1-31-0", "revisions": ("", "1-31-0")}
        (local,) = of_primary(user, **both)["meshConfig"]["serviceSettings"]
        assert local["settings"] == {"clusterLocal": True}
        assert local["hosts"] == [
            "istiod.istio-system.svc.cluster.local",
            "istiod-1-31-0.istio-system.svc.cluster.local",
            "*.bank.svc.cluster.local",
        ]
        assert of_remote(**both)["meshConfig"]["serviceSettings"][0]["hosts"] == local["hosts"][:2]
        assert "serviceSettings" not in of_primary(revision="1-31-0", revisions=("1-31-0",))["meshConfig"]

    def test_dns_capture_can_be_off(self) -> None:
        assert "defaultConfig" not in of_primary({"dnsCapture": False})["meshConfig"]

    @pytest.mark.parametrize(("platform", "profile"), [("gke", "gke"), ("k3d", "k3d"), ("ibm", None), ("eks", None)])
    def test_platforms_without_a_profile_get_none(self, platform: Platform, profile: str | None) -> None:
        assert of_primary(platform=platform).get("platform") == profile
        assert values.cni(platform, "", False).get("platform") == profile
        assert values.ztunnel("", "", platform, "", "").get("platform") == profile

    def test_nothing_of_ours_stands_below_pilot(self) -> None:
        """The chart merges it over the top level, so the escape hatch could not override it there."""
        found = of_primary(data_plane="ambient", multi_network=True, custom_hosts=("a",), cni=True, serves_remotes=True)
        assert "pilot" not in found

    def test_size(self) -> None:
        small = of_primary()
        assert (small["autoscaleMin"], small["autoscaleMax"]) == (1, 5)
        assert "topologySpreadConstraints" not in small
        assert "networkPolicy" not in small["global"]
        pilot = {"min_replicas": 2, "max_replicas": 7, "requests": {"memory": "4Gi"}, "limits": {"cpu": "2"}}
        large = of_primary(pilot=pilot, revision="r1", network_policies=True)
        assert (large["autoscaleMin"], large["autoscaleMax"]) == (2, 7)
        assert large["resources"] == {"requests": {"memory": "4Gi"}, "limits": {"cpu": "2"}}
        (spread,) = large["topologySpreadConstraints"]
        assert spread["labelSelector"]["matchLabels"] == {"app": "istiod", "istio.io/rev": "r1"}
        assert large["global"]["networkPolicy"] == {"enabled": True}
        assert of_external(pilot=pilot)["autoscaleMin"] == 2

    def test_networks_whose_gateways_cannot_be_discovered(self) -> None:
        network = {
            "endpoints": [{"from_registry": "cluster2"}, {"from_cidr": "10.0.0.0/8"}],
            "gateways": [{"address": "203.0.113.9"}, {"registry_service_name": "gw.ns.svc.cluster.local", "port": 443}],
        }
        assert of_primary(mesh_networks={"network2": network})["global"]["meshNetworks"] == {
            "network2": {
                "endpoints": [{"fromRegistry": "cluster2"}, {"fromCidr": "10.0.0.0/8"}],
                "gateways": [
                    {"address": "203.0.113.9", "port": 15443},
                    {"registryServiceName": "gw.ns.svc.cluster.local", "port": 443},
                ],
            }
        }

    def test_serving_others(self) -> None:
        found = of_primary(serves_remotes=True, custom_hosts=("gw.example.com", "gw.example.org"))
        assert found["global"]["externalIstiod"] is True
        assert found["env"] == {"ISTIOD_CUSTOM_HOST": "gw.example.com,gw.example.org"}
        assert "externalIstiod" not in of_primary()["global"]
        assert "env" not in of_primary()


class TestRemoteValues:
    """How another cluster's istiod is reached."""

    PATH = "/inject/cluster/cluster1/net/network1"

    def test_by_a_service(self) -> None:
        found = of_remote()
        assert found["profile"] == "remote"
        assert found["global"]["remotePilotAddress"] == ADDRESS["ip"]
        assert found["istiodRemote"]["injectionPath"] == self.PATH
        assert "injectionURL" not in found["istiodRemote"]

    def test_by_a_host_name(self) -> None:
        found = of_remote(address_type="hostname", by_url=True)
        assert found["global"]["remotePilotAddress"] == ADDRESS["hostname"]
        assert found["istiodRemote"]["injectionURL"] == f"https://{URL_HOST}:15017{self.PATH}"
        assert "injectionPath" not in found["istiodRemote"]

    def test_an_external_control_plane_has_no_service(self) -> None:
        assert "remotePilotAddress" not in of_remote(by_url=True, external=True)["global"]

    def test_the_config_cluster_holds_what_istiod_reads(self) -> None:
        found = of_remote(by_url=True, config=True)
        assert (found["configMap"], found["global"]["configCluster"]) == (True, True)
        assert found["meshConfig"]["defaultConfig"]["discoveryAddress"] == f"{URL_HOST}:15012"
        assert found["base"]["validationURL"] == f"https://{URL_HOST}:15017/validate"
        assert "configMap" not in of_remote()
        assert "base" not in of_remote()

    def test_what_the_public_trusts_carries_no_bundle_of_ours(self) -> None:
        found = of_remote(by_url=True, external=True, config=True, public_certificate=True)
        assert CA_BUNDLE not in str(found)
        assert found["base"]["validationFailurePolicy"] == "Fail"


class TestExternalValues:
    """It serves others only (https://istio.io/latest/docs/setup/install/external-controlplane/)."""

    def test_it_is_reached_from_outside(self) -> None:
        found = of_external()
        where = f"{URL_HOST}:15012"
        assert (found["global"]["caAddress"], found["meshConfig"]["defaultConfig"]["discoveryAddress"]) == (
            where,
            where,
        )

    def test_it_leaves_webhooks_alone_and_has_none(self) -> None:
        found = of_external()
        assert (found["global"]["operatorManageWebhooks"], found["global"]["configValidation"]) == (True, False)
        assert (found["env"]["INJECTION_WEBHOOK_CONFIG_NAME"], found["env"]["VALIDATION_WEBHOOK_CONFIG_NAME"]) == (
            "",
            "",
        )

    @pytest.mark.parametrize(("revision", "suffix"), [("", ""), ("r1", "-r1")])
    def test_it_has_its_configuration_as_files(self, revision: str, suffix: str) -> None:
        """It would look for the ConfigMaps in the config cluster, where only the users' part of one is."""
        found = of_external(revision=revision)
        mounted = {mount["name"]: mount["mountPath"] for mount in found["volumeMounts"]}
        assert {mounted[volume["name"]]: volume["configMap"]["name"] for volume in found["volumes"]} == {
            "/etc/istio/config": f"istio{suffix}",
            "/var/lib/istio/inject": f"istio-sidecar-injector{suffix}",
        }
        assert found["env"]["SHARED_MESH_CONFIG"] == f"istio{suffix}"

    def test_proxies_verify_it_by_our_root_unless_its_certificate_is_public(self) -> None:
        def metadata(found: dict[str, Any]) -> set[str]:
            return set(found["meshConfig"]["defaultConfig"]["proxyMetadata"])

        assert metadata(of_external()) == {"ISTIO_META_DNS_CAPTURE"}
        assert metadata(of_external(public_certificate=True)) == {"ISTIO_META_DNS_CAPTURE", "XDS_ROOT_CA", "CA_ROOT_CA"}


class TestAmbientValues:
    """Ambient is a profile; several networks are an opt-in
    (https://istio.io/latest/docs/ambient/install/multicluster/multi-primary_multi-network/)."""

    @pytest.mark.parametrize("plane", ["ambient", "mixed"])
    def test_istiod(self, plane: str) -> None:
        assert of_primary(data_plane=plane)["profile"] == "ambient"
        assert "env" not in of_primary(data_plane=plane)
        assert of_primary(data_plane=plane, multi_network=True)["env"] == {"AMBIENT_ENABLE_MULTI_NETWORK": "true"}

    def test_sidecars_alone_need_neither(self) -> None:
        found = of_primary(multi_network=True)
        assert "profile" not in found
        assert "env" not in found

    def test_the_plugin_for_sidecars(self) -> None:
        assert of_primary(cni=True)["cni"] == {"enabled": True}
        assert "profile" not in values.cni("generic", "", False)
        assert values.cni("generic", "r1", True) == {"profile": "ambient", "revision": "r1"}

    def test_gke_keeps_its_plugins_elsewhere(self) -> None:
        """The chart would ask the cluster's version for it."""
        assert values.cni("gke", "", False)["cni"] == {"cniBinDir": "/home/kubernetes/bin"}

    def test_ztunnel(self) -> None:
        assert values.ztunnel("cluster1", "network1", "generic", "r1", "root") == {
            "multiCluster": {"clusterName": "cluster1"},
            "network": "network1",
            "istioNamespace": "root",
            "revision": "r1",
        }


class TestMerging:
    """The escape hatch comes last."""

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
        text = remote_kubeconfig(
            "east", "https://192.0.2.1:6443", "Q0E=", {"token": "secret-token"}, "kubernetes.default"
        )
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
        reduced = only(yaml.safe_dump(both), "west")
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
