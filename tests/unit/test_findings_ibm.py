"""Rules about clusters that are made on IBM Cloud, and about whose load balancers a cluster has."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import Finding, parse
from mesh_components.settings.kubeconfig import read
from mesh_components.settings.place import PlaceError
from mesh_components.topology.findings import findings
from mesh_components.topology.plan import plan
from tests.support.meshes import document, kubeconfig

ZONES = [{"name": "eu-de-1", "subnet": "s1"}]


def mesh(ibm: dict[str, Any] | None = None, **cluster: Any) -> dict[str, Any]:
    """Two clusters, the second one made on IBM Cloud."""
    wanted = document("east", "west")
    del wanted["clusters"][1]["kubeconfig"]
    wanted["clusters"][1] |= {"create": {"ibm": {"vpc": "v", "zones": ZONES, **(ibm or {})}}, **cluster}
    return wanted


def found(wanted: dict[str, Any], texts: dict[str, str | PlaceError] | None = None) -> list[Finding]:
    return list(findings(parse(wanted), {0: read(kubeconfig("east"))}, texts=texts or {}))


def told(wanted: dict[str, Any], **rest: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.place) for finding in found(wanted, **rest)]


def test_a_sound_one_has_none() -> None:
    pools = [{"workers": 3}, {"name": "big", "flavor": "bx2.16x64"}]
    ranges = {"podRanges": ["172.30.0.0/16"], "serviceRanges": ["172.21.0.0/16"]}
    assert told(mesh({"workerPools": pools, "name": "West.1"}, **ranges)) == []


@pytest.mark.parametrize(
    ("ibm", "cluster", "key"),
    [
        ({"name": "1st"}, {}, "create.ibm.name"),
        ({"name": "a" * 33}, {}, "create.ibm.name"),
        ({"zones": []}, {}, "create.ibm.zones"),
        ({"zones": [{"name": "eu-de", "subnet": "s"}]}, {}, "create.ibm.zones[0].name"),
        ({"zones": [*ZONES, *ZONES]}, {}, "create.ibm.zones[1].name"),
        ({"zones": [*ZONES, {"name": "us-south-1", "subnet": "s"}]}, {}, "create.ibm.zones[1].name"),
        ({"workerPools": []}, {}, "create.ibm.workerPools"),
        ({"workerPools": [{}, {}]}, {}, "create.ibm.workerPools[1].name"),
        ({"iamEndpoint": "http://iam.cloud.ibm.com"}, {}, "create.ibm.iamEndpoint"),
        ({"containersEndpoint": "containers"}, {}, "create.ibm.containersEndpoint"),
        ({}, {"podRanges": ["10.0.0.0/16"]}, "podRanges[0]"),
        ({}, {"podRanges": ["172.20.0.0/16"]}, "podRanges[0]"),
        ({}, {"podRanges": ["172.30.0.0/24"]}, "podRanges[0]"),
        ({}, {"podRanges": ["fd00::/48"]}, "podRanges[0]"),
        ({}, {"serviceRanges": ["172.30.0.0/25"]}, "serviceRanges[0]"),
        ({}, {"podRanges": ["172.30.0.0/16", "172.31.0.0/16"]}, "podRanges[1]"),
    ],
)
def test_what_ibm_would_refuse(ibm: dict[str, Any], cluster: dict[str, Any], key: str) -> None:
    assert told(mesh(ibm, **cluster)) == [("MESH236", f"clusters[1].{key}")]


class TestApiKey:
    PLACE = "clusters[1].create.ibm.apiKey"

    def test_one_that_is_not_there(self) -> None:
        absent: dict[str, str | PlaceError] = {self.PLACE: PlaceError("the environment variable IC_API_KEY is not set")}
        (finding,) = found(mesh(), absent)
        assert (finding.code, finding.place) == ("MESH237", self.PLACE)
        assert "IC_API_KEY is not set; without an API key IBM Cloud makes no cluster" in str(finding)

    @pytest.mark.parametrize("place", [{}, {"file": "a", "secret": "b"}])
    def test_one_place(self, place: dict[str, str]) -> None:
        assert told(mesh({"apiKey": place})) == [("MESH237", self.PLACE)]


def test_a_network_with_others_is_none() -> None:
    assert told(mesh(network="network-of-east")) == [("MESH238", "clusters[1].network")]


def test_who_is_shut_out_is_told() -> None:
    assert told(mesh({"publicEndpoint": False})) == [("MESH239", "clusters[1].create.ibm.publicEndpoint")]
    assert told(mesh({"outboundTrafficProtection": True})) == [
        ("MESH239", "clusters[1].create.ibm.outboundTrafficProtection")
    ]


@pytest.mark.parametrize("create", [{}, {"gke": {"project": "my-project", "location": "europe-west3"}}])
def test_exactly_one_kind_is_made(create: dict[str, Any]) -> None:
    wanted = mesh()
    made = wanted["clusters"][1]["create"]
    wanted["clusters"][1]["create"] = {**create, **(made if create else {})}
    assert ("MESH220", "clusters[1].create") in told(wanted)


def test_a_slot_is_for_nobody() -> None:
    (finding,) = found(mesh(slot=1))
    assert finding.code == "MESH222"
    assert "IBM chooses those that are not written" in str(finding)


def test_it_is_on_ibm() -> None:
    assert told(mesh(platform="eks")) == [("MESH221", "clusters[1].platform")]


class TestCloud:
    """Whose load balancers a cluster has."""

    PREFIX = "service.kubernetes.io/ibm-load-balancer-cloud-provider"

    def balancer(self, **cluster: Any) -> Any:
        wanted = document("east", "west")
        wanted["clusters"][0] |= {"eastWest": {"loadBalancer": "internal"}, **cluster}
        assert told(wanted) == []
        return plan(parse(wanted)).cluster("east").load_balancer

    def test_ibm_on_vpc_and_classic(self) -> None:
        vpc = self.balancer(platform="ibm")
        assert vpc.annotations == {f"{self.PREFIX}-ip-type": "private", f"{self.PREFIX}-enable-features": "nlb"}
        classic = self.balancer(platform="ibm", cloud="ibm-classic")
        assert classic.annotations == {f"{self.PREFIX}-ip-type": "private"}
        assert vpc.address_type == classic.address_type == "ip"

    def test_without_annotations_vpc_has_names_and_classic_addresses(self) -> None:
        none: dict[str, Any] = {"eastWest": {}}
        assert self.balancer(platform="ibm", **none).address_type == "hostname"
        assert self.balancer(platform="ibm", cloud="ibm-classic", **none).address_type == "ip"

    @pytest.mark.parametrize("cloud", ["ibm", "ibm-classic", "eks", "aks", "gke"])
    def test_openshift_has_those_of_the_cloud_below(self, cloud: str) -> None:
        platform = "ibm" if cloud == "ibm-classic" else cloud
        over = {"cloud": cloud} if cloud == "ibm-classic" else {}
        assert self.balancer(platform="openshift", cloud=cloud) == self.balancer(platform=platform, **over)

    @pytest.mark.parametrize("cloud", ["ibm", "eks"])
    def test_another_cloud_than_the_platform_s(self, cloud: str) -> None:
        wanted = document("east", "west")
        wanted["clusters"][0] |= {"platform": "gke", "cloud": cloud}
        assert told(wanted) == [("MESH240", "clusters[0].cloud")]

    def test_what_is_made_here_is_not_classic(self) -> None:
        assert told(mesh(cloud="ibm-classic")) == [("MESH240", "clusters[1].cloud")]


class TestWebhook:
    """A private cluster on GKE, attached."""

    def findings(self, server: str, **cluster: Any) -> list[str]:
        wanted = document("east", "west")
        for item in wanted["clusters"]:
            item |= {"network": "one", "platform": "gke", **cluster}
        text = kubeconfig("east").replace("https://east.example.com:6443", server)
        return [item.code for item in findings(parse(wanted), {0: read(text)})]

    def test_a_private_address_is_told(self) -> None:
        assert self.findings("https://10.0.0.2") == ["MESH235"]

    def test_others_are_not(self) -> None:
        assert self.findings("https://203.0.113.1") == []
        assert self.findings("https://10.0.0.2", platform="generic") == []
