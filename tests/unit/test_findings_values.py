"""Chart values, and where the charts come from."""

from __future__ import annotations

import pytest

from mesh_components.settings.istio import DEFAULT_REPOSITORY
from mesh_components.topology.findings import findings
from tests.support.findings import (
    CONFIG,
    ERROR,
    EXTERNAL,
    GOOD,
    OUTSIDE,
    WARNING,
    Patch,
    brief,
    clusters,
    codes,
    istio,
    mesh,
    one,
)


class TestOwnedValues:
    """What the mesh owns is refused in every spelling that Helm understands."""

    @pytest.mark.parametrize(
        ("chart", "values", "path"),
        [
            ("istiod", {"global": {"meshID": "x"}}, "global.meshID"),
            ("istiod", {"global": {"network": "x"}}, "global.network"),
            ("istiod", {"global": {"multiCluster": {"clusterName": "x"}}}, "global.multiCluster"),
            ("istiod", {"global": {"multiCluster": None}}, "global.multiCluster"),
            ("istiod", {"global": None}, "global"),
            ("istiod", {"global": "x"}, "global"),
            ("istiod", {"global": {"istioNamespace": "x"}}, "global.istioNamespace"),
            ("istiod", {"revision": "x"}, "revision"),
            ("istiod", {"pilot": {"revision": "x"}}, "pilot.revision"),
            ("istiod", {"pilot": {"global": {"meshID": "x"}}}, "pilot.global.meshID"),
            ("istiod", {"meshConfig": {"trustDomain": "x"}}, "meshConfig.trustDomain"),
            ("istiod", {"base": {"validationCABundle": "x"}}, "base.validationCABundle"),
            ("istiod", {"global.meshID": "x"}, "global.meshID"),
            ("istiod", {"defaults": {"env": {}}}, "defaults"),
            ("istiod", {"_internal_defaults_do_not_set": {"global": {}}}, "_internal_defaults_do_not_set"),
            ("istiod", {"profile": "remote"}, "profile"),
            ("istiod", {"global": {"platform": "gke"}}, "global.platform"),
            ("istiod", {"global": {"externalIstiod": True}}, "global.externalIstiod"),
            ("istiod", {"global": {"remotePilotAddress": "192.0.2.1"}}, "global.remotePilotAddress"),
            ("istiod", {"global": {"configCluster": True}}, "global.configCluster"),
            ("istiod", {"global": {"meshNetworks": {}}}, "global.meshNetworks"),
            ("istiod", {"istiodRemote": {"injectionURL": "https://x"}}, "istiodRemote"),
            ("istiod", {"istiodRemote": None}, "istiodRemote"),
            ("istiod", {"revisionTags": ["prod"]}, "revisionTags"),
            ("istiod", {"pilot": {"revisionTags": ["prod"]}}, "pilot.revisionTags"),
            ("istiod", {"pilot": {"cni": {"enabled": True}}}, "pilot.cni.enabled"),
            ("istiod", {"env": {"AMBIENT_ENABLE_MULTI_NETWORK": "true"}}, "env.AMBIENT_ENABLE_MULTI_NETWORK"),
            ("istiod", {"pilot": {"env": {"PILOT_ENABLE_AMBIENT": True}}}, "pilot.env.PILOT_ENABLE_AMBIENT"),
            ("istiod", {"pilot": {"env": None}}, "pilot.env"),
            ("istiod", {"env": {"ISTIOD_CUSTOM_HOST": "x"}}, "env.ISTIOD_CUSTOM_HOST"),
            ("istiod", {"base": {"validationURL": "https://x"}}, "base.validationURL"),
            ("base", {"base": {"validationURL": "https://x"}}, "base.validationURL"),
            ("base", {"profile": "remote"}, "profile"),
            ("base", {"defaultRevision": "x"}, "defaultRevision"),
            ("base", {"global": {"istioNamespace": "x"}}, "global.istioNamespace"),
        ],
    )
    def test_refused(self, chart: str, values: Patch, path: str) -> None:
        one(findings(istio(values={chart: values})), "MESH404", ERROR, f"istio.values.{chart}.{path}")

    @pytest.mark.parametrize(
        "values",
        [
            {"global": {"proxy": {"logLevel": "debug"}, "networkPolicy": {"enabled": True}}},
            {"meshConfig": {"trustDomainAliases": ["old"], "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}},
            {"pilot": {"env": {"A": "b"}, "resources": None}, "env": {"PILOT_TRACE_SAMPLING": 1}, "global": {}},
            {"global": {"caAddress": "istio-csr.cert-manager.svc:443"}},
        ],
    )
    def test_everything_else_passes(self, values: Patch) -> None:
        assert findings(istio(values={"istiod": values})) == ()

    @pytest.mark.parametrize(
        ("chart", "values", "path"),
        [
            ("cni", {"ambient": {"enabled": False}}, "ambient.enabled"),
            ("cni", {"cni": {"ambient": {"enabled": False}}}, "cni.ambient.enabled"),
            ("cni", {"profile": "ambient"}, "profile"),
            ("cni", {"cni": {"platform": "gke"}}, "cni.platform"),
            ("ztunnel", {"multiCluster": {"clusterName": "x"}}, "multiCluster"),
            ("ztunnel", {"network": "x"}, "network"),
            ("ztunnel", {"global": {"network": "x"}}, "global.network"),
            ("ztunnel", {"revision": "x"}, "revision"),
            ("ztunnel", {"resourceName": "x"}, "resourceName"),
            ("ztunnel", {"xdsAddress": "x:15012"}, "xdsAddress"),
        ],
    )
    def test_refused_of_the_charts_of_ambient(self, chart: str, values: Patch, path: str) -> None:
        settings = istio(dataPlane="ambient", values={chart: values})
        one(findings(settings), "MESH404", ERROR, f"istio.values.{chart}.{path}")

    def test_the_rest_of_the_charts_of_ambient_passes(self) -> None:
        values = {"cni": {"cniBinDir": "/opt/bin", "cni": {"excludeNamespaces": []}}, "ztunnel": {"logLevel": "debug"}}
        assert findings(istio(dataPlane="ambient", values=values)) == ()

    @pytest.mark.parametrize(
        ("values", "path"),
        [
            ({"global": {"caAddress": "x:15012"}}, "global.caAddress"),
            ({"pilot": {"env": {"LOCAL_CLUSTER_SECRET_WATCHER": "false"}}}, "pilot.env.LOCAL_CLUSTER_SECRET_WATCHER"),
            ({"meshConfig": {"defaultConfig": {"discoveryAddress": "x"}}}, "meshConfig.defaultConfig.discoveryAddress"),
        ],
    )
    def test_an_external_control_plane_owns_more(self, values: Patch, path: str) -> None:
        settings = clusters(EXTERNAL, CONFIG, istio={**OUTSIDE["istio"], "values": {"istiod": values}})
        one(findings(settings), "MESH404", ERROR, f"istio.values.istiod.{path}")


class TestUnread:
    @pytest.mark.parametrize("chart", ["cni", "ztunnel"])
    def test_values_of_a_chart_that_is_not_used(self, chart: str) -> None:
        one(findings(istio(values={chart: {"logLevel": "debug"}})), "MESH419", WARNING, f"istio.values.{chart}")

    def test_values_of_the_plugin_where_it_is_used_without_ambient(self) -> None:
        assert findings(istio(cni=True, values={"cni": {"logLevel": "debug"}})) == ()
        assert (
            findings(mesh({"istio": {**GOOD["istio"], "values": {"cni": {"a": 1}}}}, east={"platform": "openshift"}))
            == ()
        )

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("cni", True),
            ("gatewayApi", "standard-install.yaml"),
            ("charts", {"folder": "charts"}),
            ("crds", "objects"),
            ("pilot", {"minReplicas": 2}),
            ("meshNetworks", {"network1": {"gateways": [{"address": "203.0.113.9"}]}}),
            ("tags", {"prod": ""}),
            ("values", {"ztunnel": {"logLevel": "debug"}}),
        ],
    )
    def test_what_whoever_installs_istio_must_be_told(self, key: str, value: object) -> None:
        one(findings(istio(install="none", **{key: value})), "MESH406", WARNING, f"istio.{key}")

    def test_tags_of_a_cluster_too(self) -> None:
        settings = mesh({"istio": {**GOOD["istio"], "install": "none"}}, east={"tags": {"prod": ""}})
        one(findings(settings), "MESH406", WARNING, "clusters[0].tags")

    def test_tags_where_no_workloads_are(self) -> None:
        settings = clusters({**EXTERNAL, "tags": {"prod": ""}}, CONFIG, **OUTSIDE)
        one(findings(settings), "MESH406", WARNING, "clusters[0].tags")

    @pytest.mark.parametrize("keys", [{"dataPlane": "ambient"}, {"networkPolicies": True}, {"revision": "a"}])
    def test_what_gateways_need_is_read(self, keys: Patch) -> None:
        assert findings(istio(install="none", **keys)) == ()


class TestCrds:
    @pytest.mark.parametrize("crds", ["release", "none"])
    def test_they_can_be_taken_away_only_as_objects(self, crds: str) -> None:
        one(findings(istio(crds=crds, keepCrds=False)), "MESH416", ERROR, "istio.keepCrds")

    def test_objects_can_be_taken_away(self) -> None:
        assert findings(istio(crds="objects", keepCrds=False)) == ()


class TestCharts:
    def test_a_folder_without_a_chart_is_an_error(self) -> None:
        settings = istio(charts={"folder": "charts"})
        found = findings(settings, holds_chart=lambda folder, chart: (folder, chart) == ("charts", "base"))
        assert "no chart istiod" in one(found, "MESH405", ERROR, "istio.charts.folder").reason

    def test_a_folder_with_both_passes(self) -> None:
        assert findings(istio(charts={"folder": "charts"}), holds_chart=lambda *_: True) == ()

    def test_a_folder_is_not_looked_into_where_charts_are_not_used(self) -> None:
        found = findings(istio(charts={"folder": "charts"}, install="none"), holds_chart=lambda *_: False)
        assert codes(found) == ["MESH406"]

    @pytest.mark.parametrize(
        ("keys", "missing"),
        [({"cni": True}, "no chart cni,"), ({"dataPlane": "ambient"}, "no chart cni and no chart ztunnel,")],
    )
    def test_a_folder_holds_what_the_data_plane_needs(self, keys: Patch, missing: str) -> None:
        settings = istio(charts={"folder": "charts"}, **keys)
        found = findings(settings, holds_chart=lambda _, chart: chart in {"base", "istiod"})
        assert missing in one(found, "MESH405", ERROR, "istio.charts.folder").reason

    OLD = "https://istio-release.storage.googleapis.com/charts"
    NEW = "https://blob.istio.io/istio-release/charts"

    @pytest.mark.parametrize("charts", [{"repository": OLD}, {"oci": "oci://gcr.io/istio-release/charts"}])
    def test_hosts_that_are_given_up_have_no_newer_charts(self, charts: Patch) -> None:
        """https://istio.io/latest/blog/2026/retirement-of-gcp/"""
        one(findings(istio(version="1.31.1", charts=charts)), "MESH420", ERROR, "istio.charts")
        one(findings(istio(version="1.30.5", charts=charts)), "MESH420", WARNING, "istio.charts")
        assert codes(findings(istio(version="1.31.1", charts=charts, install="none"))) == ["MESH406"]

    def test_a_revision_counts_too(self) -> None:
        keys = {"revision": "a", "revisions": [{"name": "a"}, {"name": "b", "version": "1.31.1"}]}
        found = findings(istio(charts={"repository": self.OLD}, **keys))
        assert ("MESH420", "error", "istio.charts") in brief(found)

    @pytest.mark.parametrize(
        "charts", [{"repository": NEW}, {"oci": "oci://ghcr.io/istio/release/charts"}, {"folder": "charts"}]
    )
    def test_elsewhere_all_charts_are_found(self, charts: Patch) -> None:
        assert findings(istio(version="1.31.1", charts=charts)) == ()

    def test_the_default_is_told_of_where_the_version_is_said(self) -> None:
        expected = [("MESH420", "error", "istio.version")] if DEFAULT_REPOSITORY == self.OLD else []
        assert brief(findings(istio(version="1.31.1"))) == expected
        assert findings(istio(version="1.30.5")) == ()
