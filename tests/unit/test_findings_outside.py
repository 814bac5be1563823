"""Rules about ways in and out, beyond the examples of their pages: each place that they look at."""

from __future__ import annotations

from typing import Any

import pytest

from mesh_components.settings import parse
from mesh_components.topology.findings import findings
from tests.support import authorities
from tests.support.meshes import document

TLS = {"credential": "shop-tls"}
SHOP: dict[str, Any] = {"host": "shop.example.com", "routes": [{"service": "a.b", "port": 80}]}
PLACE = "clusters[0].ingress[0].hosts[0].tls"


def of(ingress: Any = None, egress: Any = None, west: Any = None, **istio: Any) -> dict[str, Any]:
    made = document("east", "west")
    made["istio"] |= istio
    made["clusters"][0] |= ({"ingress": ingress} if ingress else {}) | ({"egress": egress} if egress else {})
    made["clusters"][1] |= west or {}
    return made


def found(wanted: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    return [(item.code, item.place) for item in findings(parse(wanted), **more)]


def host(**more: Any) -> list[dict[str, Any]]:
    return [{"hosts": [{**SHOP, **more}]}]


@pytest.mark.parametrize(
    ("ingress", "code", "key"),
    [
        (host(tls={"certificate": {"secret": "c"}}), "MESH920", "hosts[0].tls.certificate"),
        (host(tls={"credential": "Shop_TLS"}), "MESH921", "hosts[0].tls.credential"),
        ([{"name": "istio-eastwestgateway"}], "MESH923", "name"),
        ([{"name": "eastwestgateway"}], "MESH923", "name"),
        ([{**host(httpsRedirect=True, tls=TLS)[0], "ports": {"http": None}}], "MESH924", "hosts[0].httpsRedirect"),
        ([{**host(tls=TLS)[0], "ports": {"https": None}}], "MESH925", "hosts[0].tls"),
        ([{"ports": {"http": 443}}], "MESH925", "ports.https"),
        ([{"serviceType": "NodePort", "nodePorts": {"http": 30080, "https": 30080}}], "MESH926", "nodePorts.https"),
        ([{"serviceType": "ClusterIP", "nodePorts": {"http": 30080}}], "MESH926", "nodePorts.http"),
        ([{"name": "Web"}], "MESH927", "name"),
        ([{"namespace": "a.b"}], "MESH927", "namespace"),
        (host(host="https://shop.example.com"), "MESH927", "hosts[0].host"),
        (host(host="shop.example.com:443"), "MESH927", "hosts[0].host"),
        (host(routes=[{"path": "api", "service": "a.b", "port": 1}]), "MESH927", "hosts[0].routes[0].path"),
        (host(routes=[{"path": "/api/*", "service": "a.b", "port": 1}]), "MESH927", "hosts[0].routes[0].path"),
        (
            host(routes=[{"path": "/a", "service": "a.b", "port": 1}, {"path": "/a/", "service": "c.d", "port": 1}]),
            "MESH928",
            "hosts[0].routes[1].path",
        ),
        ([{"minReplicas": 6}], "MESH209", "minReplicas"),
        ([{"address": "https://shop"}], "MESH210", "address"),
        ([{"loadBalancer": "public"}], "MESH231", "loadBalancer"),
        ([{"externalIps": ["192.0.2.7"]}], "MESH232", "serviceType"),
        ([{"loadBalancerSourceRanges": ["everyone"]}], "MESH203", "loadBalancerSourceRanges[0]"),
        ([{"revision": "canary"}], "MESH606", "revision"),
    ],
)
def test_an_ingress_gateway(ingress: Any, code: str, key: str) -> None:
    assert found(of(ingress)) == [(code, f"clusters[0].ingress[0].{key}")]


@pytest.mark.parametrize(
    ("egress", "code", "key"),
    [
        ({"minReplicas": 6}, "MESH209", "minReplicas"),
        ({"revision": "canary"}, "MESH606", "revision"),
        ({"name": "istio-eastwestgateway"}, "MESH923", "name"),
        ({"gateway": False, "hosts": [{"host": "*.a.org", "tls": "originate"}]}, "MESH930", "hosts[0].host"),
        ({"hosts": [{"host": "a.org"}, {"host": "a.org"}]}, "MESH936", "hosts[1].host"),
        ({"hosts": [{"host": "A.org"}]}, "MESH936", "hosts[0].host"),
        ({"hosts": [{"host": f"{'a' * 40}.{'b' * 40}.org"}]}, "MESH936", "hosts[0].host"),
        ({"hosts": [{"host": "a.org", "tls": "none", "port": 443}]}, "MESH936", "hosts[0].port"),
    ],
)
def test_an_egress_gateway(egress: Any, code: str, key: str) -> None:
    assert found(of(egress=egress)) == [(code, f"clusters[0].egress.{key}")]


def test_two_gateways_may_let_the_same_host_in_on_pods_of_their_own() -> None:
    assert found(of([*host(tls=TLS), {**host(tls=TLS)[0], "name": "internal"}])) == []


def test_ports_of_the_nodes_are_those_of_one_cluster() -> None:
    gateway = {"serviceType": "NodePort", "nodePorts": {"http": 30080}}
    assert found(of([gateway], west={"ingress": [gateway]})) == []
    assert found(of([gateway, {**gateway, "name": "b"}])) == [("MESH926", "clusters[0].ingress[1].nodePorts.http")]


def test_an_external_control_plane_has_no_way_in() -> None:
    wanted = of(west={"role": "external", "ingress": [{}]})
    assert ("MESH934", "clusters[1].ingress[0]") in found(wanted)


class TestCertificates:
    """What a client or the gateway would refuse is known before anything is made."""

    def remarks(self, certificate: str, key: str, name: str = "shop.example.com") -> list[tuple[str, str]]:
        tls = {"certificate": {"secret": "c"}, "key": {"secret": "k"}}
        texts = {f"{PLACE}.certificate": certificate, f"{PLACE}.key": key}
        return found(of(host(host=name, tls=tls)), texts=texts, now=authorities.NOW)

    def test_one_that_fits_is_taken(self) -> None:
        made = authorities.root(san="shop.example.com")
        assert self.remarks(made.pem, made.key) == []

    @pytest.mark.parametrize(("name", "good"), [("a.example.com", True), ("*.example.com", True), ("*", True),
                                                ("a.b.example.com", False), ("example.com", False)])  # fmt: skip
    def test_a_star_stands_for_one_label(self, name: str, good: bool) -> None:
        made = authorities.root(san="*.example.com")
        assert (self.remarks(made.pem, made.key, name) == []) is good

    def test_ended_for_another_host_and_with_another_key(self) -> None:
        old = authorities.root(san="other.example.com", ends=authorities.NOW - authorities.YEAR / 2)
        other = authorities.root(authorities.key(number=7))
        assert self.remarks(old.pem, other.key) == [
            ("MESH937", f"{PLACE}.certificate"),
            ("MESH937", f"{PLACE}.certificate"),
            ("MESH937", f"{PLACE}.key"),
        ]

    def test_the_two_in_each_other_s_place(self) -> None:
        made = authorities.root(san="shop.example.com")
        assert {place for _, place in self.remarks(made.key, made.pem)} == {f"{PLACE}.certificate", f"{PLACE}.key"}
