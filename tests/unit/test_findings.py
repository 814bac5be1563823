"""Every rule is provoked by what it is about, stays quiet otherwise, and says where, why and what to do."""

from __future__ import annotations

from typing import ClassVar

import pytest

from mesh_components.settings import Finding, FindingsError, MeshSettings, Severity, parse
from mesh_components.settings.kubeconfig import KubeconfigError
from mesh_components.topology.catalogue import CATALOGUE
from mesh_components.topology.findings import check, findings
from mesh_components.topology.rules.context import quoted
from tests.support.findings import (
    ERROR,
    GOOD,
    LONG,
    NO_GATEWAY,
    SAME,
    WARNING,
    Patch,
    brief,
    codes,
    istio,
    kubeconfig,
    mesh,
    one,
    rotating,
)


def test_a_good_document_has_no_findings() -> None:
    assert findings(mesh()) == ()


def test_a_good_document_with_good_kubeconfigs_has_no_findings() -> None:
    own = {0: kubeconfig("https://203.0.113.10"), 1: kubeconfig("https://203.0.113.11", {"exec": {"command": "aws"}})}
    assert findings(mesh(), own, {}) == ()


DOCUMENT_ONLY: list[tuple[str, Severity, str, MeshSettings]] = [
    ("MESH101", ERROR, "clusters[1].name", mesh(west={"name": "gke_project_zone_west"})),
    ("MESH101", ERROR, "clusters[1].name", mesh(west={"name": "West"})),
    ("MESH101", ERROR, "clusters[1].name", mesh(west={"name": ""})),
    ("MESH101", ERROR, "clusters[1].name", mesh(west={"name": "west\n"})),
    ("MESH101", ERROR, "clusters[1].name", mesh(west={"name": LONG})),
    ("MESH102", ERROR, "clusters[1].name", mesh(west={"name": "east"})),
    ("MESH103", ERROR, "clusters[1].network", mesh(west={"network": "network/2"})),
    ("MESH103", ERROR, "clusters[1].network", mesh(west={"network": ""})),
    ("MESH103", ERROR, "clusters[1].network", mesh(west={"network": LONG})),
    ("MESH104", ERROR, "istio.revision", istio(revision="1.30.5")),
    ("MESH105", ERROR, "id", mesh({"id": "mesh 1"})),
    ("MESH105", ERROR, "trustDomain", mesh({"trustDomain": "https://example.org"})),
    ("MESH105", ERROR, "trustDomain", mesh({"trustDomain": ""})),
    ("MESH106", ERROR, "clusters", mesh({"clusters": []})),
    ("MESH106", WARNING, "clusters", mesh({"clusters": [{"name": "a", "network": "n", "kubeconfig": {"file": "a"}}]})),
    ("MESH107", ERROR, "istio.namespace", istio(namespace="istio_system")),
    (
        "MESH201",
        ERROR,
        "clusters[1].podRanges[0]",
        mesh(east={"podRanges": ["10.0.0.0/16"]}, west={**SAME, "podRanges": ["10.0.128.0/17"]}),
    ),
    (
        "MESH201",
        ERROR,
        "clusters[1].serviceRanges[0]",
        mesh(east={"podRanges": ["fd00::/48"]}, west={**SAME, "serviceRanges": ["fd00::/112"]}),
    ),
    (
        "MESH201",
        WARNING,
        "clusters[1].serviceRanges[0]",
        mesh(east={"serviceRanges": ["10.96.0.0/16"]}, west={**SAME, "serviceRanges": ["10.96.0.0/16"]}),
    ),
    (
        "MESH202",
        ERROR,
        "clusters[0].serviceRanges[0]",
        mesh(east={"podRanges": ["10.0.0.0/8"], "serviceRanges": ["10.96.0.0/16"]}),
    ),
    ("MESH203", ERROR, "clusters[0].podRanges[0]", mesh(east={"podRanges": ["ten"]})),
    ("MESH203", ERROR, "clusters[0].podRanges[0]", mesh(east={"podRanges": ["10.0.0.1"]})),
    ("MESH203", ERROR, "clusters[0].podRanges[0]", mesh(east={"podRanges": ["10.0.0.0/255.0.0.0"]})),
    ("MESH203", ERROR, "clusters[0].podRanges[1]", mesh(east={"podRanges": ["10.0.0.0/16", "10.1.0.1/16"]})),
    ("MESH203", ERROR, "clusters[0].serviceRanges[0]", mesh(east={"serviceRanges": ["10.0.0.0/33"]})),
    (
        "MESH203",
        ERROR,
        "clusters[0].eastWest.loadBalancerSourceRanges[0]",
        mesh(east={"eastWest": {"loadBalancerSourceRanges": ["everyone"]}}),
    ),
    (
        "MESH203",
        ERROR,
        "istio.meshConfig.proxy.includeIPRanges[1]",
        istio(meshConfig={"proxy": {"includeIPRanges": ["10.0.0.0/8", "x"]}}),
    ),
    (
        "MESH203",
        ERROR,
        "istio.meshConfig.proxy.excludeIPRanges[0]",
        istio(meshConfig={"proxy": {"excludeIPRanges": ["*"]}}),
    ),
    ("MESH207", ERROR, "clusters[0].eastWest.enabled", mesh(east=NO_GATEWAY)),
    ("MESH208", ERROR, "clusters[0].eastWest.serviceType", mesh(east={"eastWest": {"serviceType": "ClusterIP"}})),
    ("MESH208", ERROR, "clusters[0].eastWest.annotations", mesh(east={"eastWest": {"serviceType": "NodePort"}})),
    (
        "MESH209",
        ERROR,
        "clusters[0].eastWest.minReplicas",
        mesh(east={"eastWest": {"minReplicas": 3, "maxReplicas": 2}}),
    ),
    ("MESH301", ERROR, "trust.intermediateValidityDays", mesh({"trust": {"intermediateValidityDays": 3651}})),
    ("MESH302", WARNING, "trust.intermediateValidityDays", mesh({"trust": {"intermediateValidityDays": 29}})),
    (
        "MESH302",
        WARNING,
        "trust.rootValidityDays",
        mesh({"trust": {"rootValidityDays": 364, "intermediateValidityDays": 90}}),
    ),
    ("MESH401", ERROR, "istio.version", istio(version="1.30")),
    ("MESH401", ERROR, "istio.version", istio(version="v1.30.5")),
    ("MESH401", WARNING, "istio.version", istio(version="1.26.3")),
    ("MESH402", WARNING, "istio.version", rotating("1.30.3")),
    ("MESH405", ERROR, "istio.charts", istio(charts={"oci": "oci://r.example/charts", "folder": "charts"})),
    ("MESH406", WARNING, "istio.values", istio(install="none", values={"istiod": {"env": {"A": "b"}}})),
    ("MESH406", WARNING, "istio.meshConfig", istio(install="none", meshConfig={"dnsCapture": False})),
    ("MESH501", ERROR, "clusters[1].kubeconfig", mesh(west={"kubeconfig": None})),
    ("MESH501", ERROR, "clusters[1].kubeconfig", mesh(west={"kubeconfig": {"context": "west"}})),
    ("MESH501", ERROR, "clusters[1].peerKubeconfig", mesh(west={"peerKubeconfig": {}})),
    ("MESH502", ERROR, "clusters[1].kubeconfig", mesh(west={"kubeconfig": {"file": "west", "secret": "west"}})),
    ("MESH504", ERROR, "clusters[1].kubeconfig", mesh(west={"kubeconfig": {"file": "east"}})),
]


@pytest.mark.parametrize(("code", "severity", "place", "settings"), DOCUMENT_ONLY)
def test_the_document_alone_provokes(code: str, severity: Severity, place: str, settings: MeshSettings) -> None:
    found = one(findings(settings), code, severity, place)
    assert found.fix
    assert found.reason


class TestNames:
    def test_a_name_from_a_cloud_gets_a_usable_suggestion(self) -> None:
        found = findings(mesh(west={"name": "gke_Project_europe-west1_West"}))
        assert 'such as "gke-project-europe-west1-west"' in found[0].fix

    def test_three_clusters_of_one_name_are_two_findings_about_the_first(self) -> None:
        clusters = [{"name": "east", "network": "n", "kubeconfig": {"file": str(n)}} for n in range(3)]
        found = findings(mesh({"clusters": clusters}))
        assert brief(found) == [("MESH102", "error", "clusters[1].name"), ("MESH102", "error", "clusters[2].name")]
        assert all("clusters[0]" in finding.reason for finding in found)

    @pytest.mark.parametrize("revision", ["", "1-30-5", "canary"])
    def test_revisions_that_people_use_pass(self, revision: str) -> None:
        assert findings(istio(revision=revision)) == ()

    def test_a_long_value_is_not_repeated(self) -> None:
        assert quoted("s" * 5000) == f'"{"s" * 20}…" (5000 characters)'


class TestRanges:
    """Overlap matters where pods reach each other directly, and nowhere else (istio#14066)."""

    def test_equal_ranges_in_different_networks_pass(self) -> None:
        ranges = {"podRanges": ["10.0.0.0/16"], "serviceRanges": ["10.96.0.0/16"]}
        assert findings(mesh(east=ranges, west=ranges)) == ()

    def test_neighbours_pass(self) -> None:
        assert findings(mesh(east={"podRanges": ["10.0.0.0/17"]}, west={**SAME, "podRanges": ["10.0.128.0/17"]})) == ()

    def test_ranges_of_different_families_pass(self) -> None:
        assert findings(mesh(east={"podRanges": ["::/0"]}, west={**SAME, "podRanges": ["0.0.0.0/0"]})) == ()

    def test_an_overlap_names_both_ranges_and_the_other_cluster(self) -> None:
        found = findings(mesh(east={"podRanges": ["10.0.0.0/16"]}, west={**SAME, "podRanges": ["10.0.128.0/17"]}))
        assert '10.0.128.0/17 overlaps 10.0.0.0/16 of "east" (podRanges[0])' in found[0].reason

    def test_a_range_with_host_bits_is_corrected(self) -> None:
        assert findings(mesh(east={"podRanges": ["10.1.2.3/16"]}))[0].fix == "write it as 10.1.0.0/16"

    def test_ipv6_in_any_spelling_passes(self) -> None:
        assert findings(mesh(east={"podRanges": ["FD00:0:0::/48"]})) == ()

    def test_a_star_captures_everything(self) -> None:
        assert findings(istio(meshConfig={"proxy": {"includeIPRanges": ["*"]}})) == ()


class TestGateways:
    def test_one_network_needs_no_gateway(self) -> None:
        assert findings(mesh(east=NO_GATEWAY, west={**SAME, **NO_GATEWAY})) == ()

    def test_one_network_may_have_a_gateway_of_any_kind(self) -> None:
        assert findings(mesh(east={"eastWest": {"enabled": True, "serviceType": "ClusterIP"}}, west=SAME)) == ()

    def test_a_second_cluster_without_a_gateway_is_a_warning(self) -> None:
        third = {"name": "south", "network": "network1", "kubeconfig": {"file": "south"}, **NO_GATEWAY}
        found = findings(mesh({"clusters": [*GOOD["clusters"], third]}))
        assert '"east"' in one(found, "MESH207", WARNING, "clusters[2].eastWest.enabled").reason

    def test_two_clusters_without_any_gateway_are_two_errors(self) -> None:
        third = {"name": "south", "network": "network3", "kubeconfig": {"file": "south"}}
        found = findings(mesh({"clusters": [*GOOD["clusters"], third]}, east=NO_GATEWAY, west={**SAME, **NO_GATEWAY}))
        assert [(finding.code, finding.severity) for finding in found] == [("MESH207", ERROR), ("MESH207", ERROR)]

    def test_a_node_port_with_the_annotation_is_found(self) -> None:
        gateway = {"serviceType": "NodePort", "annotations": {"traffic.istio.io/nodeSelector": "{}"}}
        assert findings(mesh(east={"eastWest": gateway})) == ()

    @pytest.mark.parametrize("gateway", [{"serviceType": "ClusterIP"}, {"enabled": False}])
    def test_mesh_networks_tell_istiod_where_gateways_are(self, gateway: Patch) -> None:
        """Of the network they name, and of no other one."""
        told: Patch = {"meshNetworks": {"network1": {"gateways": [{"address": "203.0.113.99"}]}}}
        settings = mesh({"istio": {**GOOD["istio"], **told}}, east={"eastWest": gateway}, west={"eastWest": gateway})
        assert {finding.place.partition(".")[0] for finding in findings(settings)} == {"clusters[1]"}


class TestAddresses:
    """A remote secret with 127.0.0.1 in it is the oldest mistake of all (istio#29938, istio#44826)."""

    @pytest.mark.parametrize(
        "host",
        ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "a.localhost", "localhost.", "0.0.0.0", "[::1]", "[::]",  # noqa: S104
         "[::ffff:127.0.0.1]"],
    )  # fmt: skip
    @pytest.mark.parametrize("network", ["network1", "network2"])
    def test_loopback_is_an_error_in_any_network(self, host: str, network: str) -> None:
        settings = mesh(west={"network": network, "apiServer": {"address": f"https://{host}:6443"}})
        found = one(findings(settings), "MESH204", ERROR, "clusters[1].apiServer.address")
        assert '"east"' in found.reason

    def test_loopback_of_the_kubeconfig_counts_when_the_document_says_nothing(self) -> None:
        found = findings(mesh(), {1: kubeconfig("https://127.0.0.1:6443")})
        one(found, "MESH204", ERROR, "clusters[1].kubeconfig")

    def test_an_address_in_the_document_wins_over_the_kubeconfig(self) -> None:
        settings = mesh(west={"apiServer": {"address": "https://203.0.113.9"}})
        assert findings(settings, {1: kubeconfig("https://127.0.0.1:6443")}) == ()

    def test_a_peer_kubeconfig_wins_over_both(self) -> None:
        settings = mesh(west={"apiServer": {"address": "https://203.0.113.9"}, "peerKubeconfig": {"file": "peer"}})
        found = findings(settings, {}, {1: kubeconfig("https://127.0.0.1:6443")})
        one(found, "MESH204", ERROR, "clusters[1].peerKubeconfig")

    def test_the_lab_runs_on_one_machine(self) -> None:
        settings = mesh(west={"platform": "lab", "apiServer": {"address": "https://127.0.0.1:6443"}})
        assert findings(settings) == ()

    def test_nobody_reads_an_only_cluster(self) -> None:
        only = {"name": "a", "network": "n", "kubeconfig": {"file": "a"}}
        found = findings(mesh({"clusters": [only]}), {0: kubeconfig("https://127.0.0.1:6443")})
        assert codes(found) == ["MESH106"]

    @pytest.mark.parametrize(
        "host",
        ["10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "[fd00::1]", "[fe80::1]", "api.internal",
         "api.cluster.local", "[::ffff:10.0.0.1]"],
    )  # fmt: skip
    def test_private_is_a_warning_for_readers_in_another_network(self, host: str) -> None:
        patch = {"apiServer": {"address": f"https://{host}"}}
        one(findings(mesh(west=patch)), "MESH205", WARNING, "clusters[1].apiServer.address")
        assert findings(mesh(west={**patch, **SAME})) == ()

    @pytest.mark.parametrize("host", ["203.0.113.10", "172.32.0.1", "[2001:db8::1]", "api.example.org", "k.eks.aws"])
    def test_other_addresses_pass(self, host: str) -> None:
        assert findings(mesh(west={"apiServer": {"address": f"https://{host}:6443"}})) == ()

    @pytest.mark.parametrize(
        "address",
        ["", "203.0.113.10:6443", "http://203.0.113.10", "https://", "https://:6443", "https://[::1", "https://a:port",
         "https://a:99999", "ftp://a", "https://u:hunter2@a.example", "://", "https://a b"],
    )  # fmt: skip
    def test_anything_but_an_https_url_is_an_error(self, address: str) -> None:
        found = findings(mesh(west={"apiServer": {"address": address}}))
        assert "hunter2" not in str(one(found, "MESH206", ERROR, "clusters[1].apiServer.address"))

    def test_the_server_of_a_kubeconfig_that_peers_use_is_checked_too(self) -> None:
        one(findings(mesh(), {1: kubeconfig("http://203.0.113.1")}), "MESH206", ERROR, "clusters[1].kubeconfig")


class TestAccess:
    def test_an_unreadable_kubeconfig_says_so_in_its_own_words(self) -> None:
        found = findings(mesh(), {0: KubeconfigError("there is no file /x/east")})
        assert one(found, "MESH501", ERROR, "clusters[0].kubeconfig").reason == "there is no file /x/east"

    def test_an_unreadable_peer_kubeconfig_has_its_own_place(self) -> None:
        found = findings(mesh(east={"peerKubeconfig": {"file": "p"}}), {}, {0: KubeconfigError("no")})
        one(found, "MESH501", ERROR, "clusters[0].peerKubeconfig")

    @pytest.mark.parametrize(
        ("user", "word"),
        [
            ({"exec": {"command": "aws"}}, "exec"),
            ({"tokenFile": "/token"}, "tokenFile"),
            ({"client-certificate": "/c"}, "clientCertificate"),
            ({"client-key": "/k"}, "clientKey"),
            ({"auth-provider": {"name": "gcp"}}, "gcp"),
            ({"auth-provider": {"name": "azure"}}, "azure"),
        ],
    )
    def test_what_istiod_refuses_is_refused_for_peers_only(self, user: Patch, word: str) -> None:
        settings = mesh(west={"peerKubeconfig": {"file": "peer"}})
        found = findings(settings, {1: kubeconfig(user=user)}, {1: kubeconfig(user=user)})
        assert word in one(found, "MESH503", ERROR, "clusters[1].peerKubeconfig").reason

    @pytest.mark.parametrize("user", [{"client-certificate-data": "x"}, {"auth-provider": {"name": "oidc"}}])
    def test_what_istiod_takes_passes(self, user: Patch) -> None:
        assert findings(mesh(west={"peerKubeconfig": {"file": "p"}}), {}, {1: kubeconfig(user=user)}) == ()

    @pytest.mark.parametrize(
        ("first", "second", "same"),
        [
            ("https://a.example", "https://a.example:443/", True),
            ("https://A.example:6443", "https://a.example:6443", True),
            ("https://a.example:6443", "https://a.example:6444", False),
            ("https://rancher.example/k8s/clusters/c-1", "https://rancher.example/k8s/clusters/c-2", False),
        ],
    )
    def test_one_api_server_is_one_cluster(self, first: str, second: str, same: bool) -> None:
        found = findings(mesh(), {0: kubeconfig(first), 1: kubeconfig(second)})
        assert brief(found) == ([("MESH504", "error", "clusters[1].kubeconfig")] if same else [])

    def test_one_address_for_peers_is_one_cluster(self) -> None:
        address = {"apiServer": {"address": "https://203.0.113.10"}}
        one(findings(mesh(east=address, west=address)), "MESH504", ERROR, "clusters[1].apiServer.address")

    def test_two_contexts_of_one_file_are_two_clusters(self) -> None:
        own = {"kubeconfig": {"file": "both", "context": "east"}}
        assert findings(mesh(east=own, west={"kubeconfig": {"file": "both", "context": "west"}})) == ()

    def test_an_unverified_server_is_a_warning_for_us_and_an_error_for_peers(self) -> None:
        insecure = kubeconfig(cluster={"insecure-skip-tls-verify": True})
        found = findings(mesh(west={"peerKubeconfig": {"file": "p"}}), {0: insecure}, {1: insecure})
        assert ("MESH505", "warning", "clusters[0].kubeconfig") in brief(found)
        assert ("MESH505", "error", "clusters[1].peerKubeconfig") in brief(found)

    def test_no_finding_quotes_a_kubeconfig(self) -> None:
        bad = kubeconfig("https://127.0.0.1", {"token": "secret-token", "exec": {"command": "secret-command"}})
        found = findings(mesh(west={"peerKubeconfig": {"file": "p"}}), {0: bad, 1: bad}, {1: bad})
        assert len(found) >= 3
        assert "secret-" not in "".join(map(str, found))


class TestAllAtOnce:
    """One run tells everything, so nobody corrects a document error by error."""

    EVERYTHING: ClassVar[Patch] = {
        "id": "a mesh",
        "trustDomain": "Example.org",
        "istio": {
            "version": "1.30.2",
            "revision": "1.30",
            "namespace": "Istio",
            "charts": {"oci": "oci://r.example", "repository": "https://r.example"},
            "values": {"istiod": {"revision": "x"}},
            "meshConfig": {"proxy": {"excludeIPRanges": ["x"]}},
            "install": "none",
            "revisions": [{"name": "1.30", "clusters": ["c", "nowhere"]}],
            "tags": {"prod": "absent"},
            "meshNetworks": {"n9": {"gateways": [{}]}},
        },
        "discovery": {"reach": "hub-and-spoke", "hubs": ["c"], "edges": [{"source": "c", "reader": "e"}]},
        "trust": {"rootValidityDays": 10, "intermediateValidityDays": 20},
        "clusters": [
            {
                "name": "A",
                "network": "n/1",
                "podRanges": ["10.0.0.0/8", "10.0.0.0/16"],
                "apiServer": {"address": "https://localhost"},
                "eastWest": {"enabled": False},
            },
            {
                "name": "A",
                "network": "n/1",
                "podRanges": ["10.0.0.0/8"],
                "apiServer": {"address": "http://b"},
                "kubeconfig": {"file": "b", "secret": "b"},
                "eastWest": {"serviceType": "ClusterIP", "minReplicas": 9},
            },
            {
                "name": "c",
                "network": "n2",
                "role": "remote",
                "apiServer": {"address": "https://10.0.0.1"},
                "kubeconfig": {"file": "b", "secret": "b"},
                "peerKubeconfig": {"file": "c"},
            },
            {"name": "d", "network": "n3", "kubeconfig": {"file": "d"}, "apiServer": {"address": "https://10.0.0.2"}},
        ],
    }
    REFUSED = kubeconfig("https://10.0.0.1", {"exec": {"command": "x"}}, {"insecure-skip-tls-verify": True})

    def found(self) -> tuple[Finding, ...]:
        return findings(parse(self.EVERYTHING), {}, {2: self.REFUSED})

    def test_every_kind_of_rule_speaks(self) -> None:
        told = set(codes(self.found()))
        assert told <= set(CATALOGUE)
        assert {code[:5] for code in told} == {"MESH1", "MESH2", "MESH3", "MESH4", "MESH5", "MESH6", "MESH7"}
        assert len(told) > 25

    def test_errors_come_first_and_each_half_is_in_the_order_of_the_document(self) -> None:
        severities = [finding.severity for finding in self.found()]
        assert severities == sorted(severities)  # "error" < "warning"
        errors = [finding.place for finding in self.found() if finding.severity is ERROR]
        assert errors == sorted(errors)
        assert len(set(severities)) == 2

    def test_the_tenth_cluster_comes_after_the_second(self) -> None:
        clusters = [{"name": f"C{n}", "network": "n", "kubeconfig": {"file": str(n)}} for n in range(12)]
        places = [finding.place for finding in findings(mesh({"clusters": clusters}))]
        assert places == [f"clusters[{n}].name" for n in range(12)]

    def test_check_raises_all_of_it(self) -> None:
        with pytest.raises(FindingsError) as raised:
            check(parse(self.EVERYTHING), {}, {2: self.REFUSED})
        assert raised.value.findings == self.found()
        assert "nothing was created" in str(raised.value)

    def test_check_returns_the_warnings_of_what_may_be_built(self) -> None:
        assert codes(check(rotating("1.30.3"))) == ["MESH402"]

    def test_findings_do_not_depend_on_a_second_look(self) -> None:
        assert self.found() == self.found()
