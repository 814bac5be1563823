"""Roles: who serves whom, and what stands in the way."""

from __future__ import annotations

import pytest

from mesh_components.settings import MeshSettings, Severity
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
    codes,
    istio,
    mesh,
    one,
)

AMBIENT: Patch = {"istio": {"dataPlane": "ambient"}}
MIXED: Patch = {"istio": {"dataPlane": "mixed"}}
EKS: Patch = {"platform": "eks"}
DNS: Patch = {"eastWest": {"address": "istiod.example.com"}}


def gateway(**keys: object) -> Patch:
    return {"eastWest": keys}


@pytest.mark.parametrize(
    ("code", "severity", "place", "settings"),
    [
        ("MESH403", ERROR, "clusters[1].role", clusters(PRIMARY, CONFIG)),
        ("MESH408", ERROR, "clusters[2].controlPlane", clusters(PRIMARY, PRIMARY, REMOTE)),
        ("MESH408", ERROR, "clusters[2].controlPlane", clusters(PRIMARY, PRIMARY, {**REMOTE, "network": "network1"})),
        (
            "MESH408",
            ERROR,
            "clusters[4].controlPlane",
            clusters(EXTERNAL, EXTERNAL, *({**CONFIG, "controlPlane": n} for n in ("c0", "c1")), REMOTE, **OUTSIDE),
        ),
        ("MESH409", ERROR, "clusters[1].controlPlane", clusters(PRIMARY, {**REMOTE, "controlPlane": "nowhere"})),
        ("MESH409", ERROR, "clusters[1].controlPlane", clusters(PRIMARY, {**REMOTE, "controlPlane": "c1"})),
        ("MESH409", ERROR, "clusters[2].controlPlane", clusters(PRIMARY, REMOTE, {**REMOTE, "controlPlane": "c1"})),
        ("MESH409", ERROR, "clusters[1].controlPlane", clusters(PRIMARY, {**PRIMARY, "controlPlane": "c0"})),
        (
            "MESH409",
            ERROR,
            "clusters[3].controlPlane",
            clusters(EXTERNAL, CONFIG, PRIMARY, {**CONFIG, "controlPlane": "c2"}, **OUTSIDE),
        ),
        ("MESH410", ERROR, "clusters[0].eastWest.address", clusters(EKS, REMOTE)),
        ("MESH410", ERROR, "clusters[0].eastWest.address", clusters(gateway(addressType="hostname"), REMOTE)),
        ("MESH412", ERROR, "clusters[0].role", clusters(EXTERNAL, REMOTE, **OUTSIDE)),
        ("MESH412", ERROR, "clusters[0].role", clusters(EXTERNAL, CONFIG, CONFIG, **OUTSIDE)),
        ("MESH413", ERROR, "istio.namespace", clusters(EXTERNAL, CONFIG)),
        (
            "MESH414",
            ERROR,
            "istio.revisions",
            clusters(EXTERNAL, CONFIG, istio={**OUTSIDE["istio"], "revisions": [{"name": ""}, {"name": "b"}]}),
        ),
        (
            "MESH414",
            ERROR,
            "clusters[0].role",
            clusters(EXTERNAL, CONFIG, istio={**OUTSIDE["istio"], "install": "none"}),
        ),
        (
            "MESH415",
            ERROR,
            "clusters[0].eastWest.enabled",
            clusters(gateway(enabled=False), {**REMOTE, "network": "network0"}),
        ),
        (
            "MESH415",
            ERROR,
            "clusters[0].eastWest.serviceType",
            clusters(gateway(serviceType="ClusterIP"), {**REMOTE, "network": "network0"}),
        ),
        (
            "MESH415",
            ERROR,
            "clusters[0].eastWest.enabled",
            clusters({**EXTERNAL, **gateway(enabled=False)}, CONFIG, **OUTSIDE),
        ),
        ("MESH417", WARNING, "istio.dataPlane", clusters({"network": "n"}, {"network": "n"}, **AMBIENT)),
        ("MESH418", WARNING, "istio.dataPlane", mesh({"istio": {"version": "1.30.5", "dataPlane": "mixed"}})),
        ("MESH422", ERROR, "istio.cni", istio(dataPlane="ambient", cni=False)),
        ("MESH423", ERROR, "clusters[0].eastWest.credential", mesh(east=gateway(credential="tls"))),
        (
            "MESH423",
            ERROR,
            "clusters[0].eastWest.credential",
            clusters({**EXTERNAL, **gateway(credential="tls")}, CONFIG, **OUTSIDE),
        ),
        (
            "MESH423",
            ERROR,
            "clusters[0].eastWest.credential",
            clusters({**EXTERNAL, **gateway(credential="tls", address="203.0.113.9")}, CONFIG, **OUTSIDE),
        ),
        ("MESH210", ERROR, "clusters[0].eastWest.address", mesh(east=gateway(address="https://a.example"))),
        ("MESH210", ERROR, "clusters[0].eastWest.address", mesh(east=gateway(address="istiod.example.com:15012"))),
        ("MESH210", ERROR, "clusters[0].eastWest.address", mesh(east=gateway(address="istiod"))),
        ("MESH210", ERROR, "clusters[0].eastWest.address", mesh(east=gateway(address="203.0.113.999"))),
        (
            "MESH210",
            ERROR,
            "clusters[0].eastWest.addressType",
            mesh(east=gateway(address="a.example", addressType="ip")),
        ),
        (
            "MESH210",
            ERROR,
            "clusters[0].eastWest.addressType",
            mesh(east=gateway(address="203.0.113.9", addressType="hostname")),
        ),
    ],
)
def test_the_document_provokes(code: str, severity: Severity, place: str, settings: MeshSettings) -> None:
    assert one(findings(settings), code, severity, place).fix


@pytest.mark.parametrize(
    "settings",
    [
        clusters(PRIMARY, REMOTE),
        clusters(PRIMARY, PRIMARY, {**REMOTE, "controlPlane": "c1"}),
        clusters(EXTERNAL, CONFIG, **OUTSIDE),
        clusters(EXTERNAL, CONFIG, REMOTE, **OUTSIDE),
        clusters(EXTERNAL, CONFIG, PRIMARY, {**REMOTE, "controlPlane": "c2"}, **OUTSIDE),
        clusters({**EKS, **DNS}, REMOTE),
        clusters({**EKS, **gateway(addressType="ip")}, REMOTE),
        clusters(EKS, PRIMARY),
        clusters({**EXTERNAL, **EKS}, CONFIG, **OUTSIDE),  # its webhook goes by URL anyway, and our root signs any name
        clusters({**EXTERNAL, **gateway(credential="tls", address="istiod.example.com")}, CONFIG, **OUTSIDE),
        clusters({"network": "n", **gateway(serviceType="ClusterIP", address="10.0.0.9")}, {**REMOTE, "network": "n"}),
        clusters({"network": "n"}, {**REMOTE, "network": "n", **gateway(enabled=False)}),
        clusters(PRIMARY, PRIMARY, **AMBIENT),
        istio(cni=False),
        mesh(east=gateway(address="fd00::1")),
        mesh(east=gateway(address="east.example.com.")),
    ],
)
def test_what_fits_together_passes(settings: MeshSettings) -> None:
    assert findings(settings) == ()


class TestAmbient:
    """Only clusters with an istiod of their own (https://istio.io/latest/docs/ambient/install/multicluster/)."""

    @pytest.mark.parametrize("data_plane", ["ambient", "mixed"])
    def test_remotes_are_refused_with_the_link(self, data_plane: str) -> None:
        found = [f for f in findings(clusters(PRIMARY, REMOTE, istio={"dataPlane": data_plane})) if f.severity is ERROR]
        refused = one(tuple(found), "MESH411", ERROR, "clusters[1].role")
        assert "https://istio.io/latest/docs/ambient/install/multicluster/" in refused.reason

    def test_an_external_control_plane_is_refused_with_all_that_hangs_on_it(self) -> None:
        found = findings(clusters(EXTERNAL, CONFIG, REMOTE, istio={**OUTSIDE["istio"], **AMBIENT["istio"]}))
        assert brief(found) == [("MESH411", "error", f"clusters[{n}].role") for n in range(3)]

    @pytest.mark.parametrize("kind", ["ClusterIP", "NodePort"])
    def test_its_gateway_is_found_by_a_load_balancer_only(self, kind: str) -> None:
        """pilot/pkg/serviceregistry/ambient/networks.go reads Gateway.status.addresses."""
        service = gateway(serviceType=kind, annotations={"traffic.istio.io/nodeSelector": "{}"})
        one(findings(clusters(service, PRIMARY, **AMBIENT)), "MESH208", ERROR, "clusters[0].eastWest.serviceType")

    def test_a_network_without_a_gateway_is_missing_for_ambient_too(self) -> None:
        one(
            findings(clusters(gateway(enabled=False), PRIMARY, **AMBIENT)),
            "MESH207",
            ERROR,
            "clusters[0].eastWest.enabled",
        )

    def test_mesh_networks_do_not_help_ambient(self) -> None:
        told = {
            "meshNetworks": {
                "network0": {"gateways": [{"address": "203.0.113.9"}], "endpoints": [{"fromRegistry": "c0"}]}
            }
        }
        found = findings(clusters(gateway(enabled=False), PRIMARY, istio={**AMBIENT["istio"], **told}))
        assert brief(found) == [
            ("MESH207", "error", "clusters[0].eastWest.enabled"),
            ("MESH211", "warning", "istio.meshNetworks"),
        ]


class TestExternal:
    def test_its_cluster_needs_no_gateway_to_the_other_networks(self) -> None:
        """Its gateway is another one, which is always there; its network has no workloads of the mesh."""
        assert findings(clusters(EXTERNAL, {**CONFIG, "network": "n"}, {**REMOTE, "network": "n"}, **OUTSIDE)) == ()

    def test_its_pods_are_not_in_the_mesh_so_their_ranges_may_be_anywhere(self) -> None:
        ranges = {"network": "n", "podRanges": ["10.0.0.0/16"]}
        assert findings(clusters({**EXTERNAL, **ranges}, {**CONFIG, **ranges}, **OUTSIDE)) == ()
        assert codes(findings(clusters({**PRIMARY, **ranges}, {**PRIMARY, **ranges}))) == ["MESH201"]

    def test_a_config_cluster_that_is_not_decided_is_not_called_missing(self) -> None:
        found = findings(clusters(EXTERNAL, {**CONFIG, "controlPlane": "nowhere"}, **OUTSIDE))
        assert codes(found) == ["MESH409"]

    def test_the_gateway_of_the_config_cluster_carries_the_configuration_of_all(self) -> None:
        """The Gateway `cross-network-gateway` is applied where the configuration is, or nowhere."""
        shared = {**CONFIG, "network": "n", **gateway(enabled=False)}
        found = findings(clusters(EXTERNAL, shared, {**REMOTE, "network": "n"}, REMOTE, **OUTSIDE))
        assert ("MESH415", "error", "clusters[1].eastWest.enabled") in brief(found)


class TestBehindAHostName:
    """istio#45014: an API server does not call a webhook through an ExternalName."""

    def test_it_names_the_platform_or_the_setting_and_the_remotes(self) -> None:
        usual, told = clusters(EKS, REMOTE), clusters(gateway(addressType="hostname"), REMOTE)
        assert "usual on eks" in findings(usual)[0].reason
        assert "as `addressType` says" in findings(told)[0].reason
        assert '"c1"' in findings(usual)[0].reason

    @pytest.mark.parametrize(("primary", "told"), [(DNS, True), (gateway(address="203.0.113.9"), False)])
    def test_all_webhooks_end_at_one_istiod(self, primary: Patch, told: bool) -> None:
        found = findings(
            clusters(primary, REMOTE, istio={"revision": "a", "revisions": [{"name": "a"}, {"name": "b"}]})
        )
        assert brief(found) == ([("MESH424", "warning", "istio.revisions")] if told else [])

    def test_one_revision_in_the_remote_is_no_choice(self) -> None:
        revisions = [{"name": "a"}, {"name": "b", "clusters": ["c0"]}]
        assert findings(clusters(DNS, REMOTE, istio={"revision": "a", "revisions": revisions})) == ()

    def test_whoever_installs_istio_sets_the_webhook_up(self) -> None:
        assert findings(clusters(EKS, REMOTE, istio={"install": "none"})) == ()


def test_a_control_plane_is_said_by_its_name() -> None:
    found = findings(clusters(PRIMARY, PRIMARY, REMOTE))
    assert '"c0" and "c1"' in found[0].reason
