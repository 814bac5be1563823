"""What gateways let through: accepted by Istio's own schema, and no host name leads to two revisions."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.gateways import expose
from mesh_components.gateways.ambient import AmbientGatewayArgs, door
from mesh_components.gateways.gateway_api import gateway_address, gateway_object, network_policy
from tests.support.istio_documents import CRDS

NS = "istio-system"
LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


def route(revisions: tuple[str, ...], revision: str, host: str | None = None) -> Any:
    hosts = expose.istiod_sni_hosts(revisions, NS, host)
    return expose.istiod_route(revision, NS, expose.istiod_route_spec(revision, NS, hosts[revision]))


@pytest.fixture(scope="module")
def schema() -> Callable[[str], Any]:
    if not CRDS.is_file():
        pytest.skip("Istio's CRDs are kept beside the project, not in it")
    crds = {d["spec"]["names"]["kind"]: d for d in yaml.safe_load_all(CRDS.read_text()) if d}

    def of(kind: str) -> Any:
        (served,) = [v for v in crds[kind]["spec"]["versions"] if v["name"] == "v1"]
        return served["schema"]["openAPIV3Schema"]

    return of


@pytest.mark.parametrize(
    "made",
    [
        expose.services(NS, ["*.local"]),
        expose.istiod(NS),
        route(("",), ""),
        route(("", "1-30-3"), "1-30-3", "east.example.com"),
        expose.external_gateway(NS, ["*"], "external-istiod-tls"),
    ],
    ids=lambda made: made["metadata"]["name"],
)
def test_istio_s_own_schema_accepts_it(made: Any, schema: Callable[[str], Any]) -> None:
    jsonschema.validate(made, schema(made["kind"]))
    wrong = copy.deepcopy(made)
    part = "servers" if made["kind"] == "Gateway" else "tls"
    wrong["spec"][part][0] = {"hosts": "*.local"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema(made["kind"]))


class TestIstiodIsExposedUntouched:
    """TLS goes through to istiod, so that its certificate, for its name in the cluster, is what remotes verify."""

    def test_the_gateway(self) -> None:
        gateway = expose.istiod(NS)
        assert (gateway["metadata"]["name"], gateway["metadata"]["namespace"]) == ("istiod-gateway", NS)
        assert gateway["spec"]["selector"] == {"istio": "eastwestgateway"}
        assert [(s["port"]["name"], s["port"]["number"]) for s in gateway["spec"]["servers"]] == [
            ("tls-istiod", 15012),
            ("tls-istiodwebhook", 15017),
        ]
        assert all(s["tls"] == {"mode": "PASSTHROUGH"} and s["hosts"] == ["*"] for s in gateway["spec"]["servers"])

    @pytest.mark.parametrize(
        ("revision", "name", "sni", "host"),
        [
            ("", "istiod-vs", ["*"], "istiod.istio-system.svc.cluster.local"),
            (
                "1-30-3",
                "istiod-vs-1-30-3",
                ["istiod-1-30-3.istio-system.svc", "istiod-1-30-3.istio-system.svc.cluster.local"],
                "istiod-1-30-3.istio-system.svc.cluster.local",
            ),
        ],
    )
    def test_one_revision_is_as_in_istio_s_samples(self, revision: str, name: str, sni: list[str], host: str) -> None:
        made = route((revision,), revision)
        assert (made["metadata"]["name"], made["metadata"]["namespace"]) == (name, NS)
        assert made["spec"] == {
            "hosts": ["*"],
            "gateways": ["istiod-gateway"],
            "tls": [
                {
                    "match": [{"port": port, "sniHosts": sni}],
                    "route": [{"destination": {"host": host, "port": {"number": to}}}],
                }
                for port, to in ((15012, 15012), (15017, 443))
            ],
        }

    @given(
        st.lists(st.just("") | LABEL, min_size=1, max_size=5, unique=True).map(tuple),
        LABEL,
        st.none() | LABEL.map(lambda label: f"{label}.example.com"),
    )
    def test_every_name_leads_to_one_revision_and_no_other(
        self, revisions: tuple[str, ...], namespace: str, host: str | None
    ) -> None:
        hosts = expose.istiod_sni_hosts(revisions, namespace, host)
        assert list(hosts) == list(revisions)
        for revision in revisions:
            service = f"istiod-{revision}" if revision else "istiod"
            for name in (f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.cluster.local"):
                # "*" matches every name, so beside another revision nobody may have it.
                assert [r for r in revisions if {name, "*"} & set(hosts[r])] == [revision]
        if host is not None:
            assert [r for r in revisions if {host, "*"} & set(hosts[r])] == [revisions[0]]


class TestAmbient:
    """istiod runs the proxy, so the Gateway is all that there is to say."""

    def test_the_gateway_is_the_documented_one(self) -> None:
        args = AmbientGatewayArgs(network="network1")
        made = gateway_object(door(args), args)
        wait = made["metadata"].pop("annotations")
        assert wait == {"pulumi.com/waitFor": '["condition=Programmed", "jsonpath={.status.addresses[0].value}"]'}
        assert made == {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": {
                "name": "istio-eastwestgateway-ambient",
                "namespace": "istio-system",
                "labels": {"topology.istio.io/network": "network1"},
            },
            "spec": {
                "gatewayClassName": "istio-east-west",
                "listeners": [
                    {
                        "name": "mesh",
                        "port": 15008,
                        "protocol": "HBONE",
                        "tls": {
                            "mode": "Terminate",
                            "options": {"gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL"},
                        },
                    }
                ],
            },
        }

    def test_a_revision_is_named_and_a_service_of_another_type_is_not_waited_for(self) -> None:
        args = AmbientGatewayArgs(
            network="network1", revision="stable", service_type="NodePort", annotations={"cloud": "internal"}
        )
        made = gateway_object(door(args), args)
        assert made["metadata"]["labels"]["istio.io/rev"] == "stable"
        assert made["metadata"]["annotations"] == {"networking.istio.io/service-type": "NodePort"}
        assert made["spec"]["infrastructure"] == {"annotations": {"cloud": "internal"}}

    def test_the_policy_opens_what_comes_to_it(self) -> None:
        args = AmbientGatewayArgs(network="network1", gateway_name="door")
        policy = network_policy(door(args), args)
        assert policy["spec"]["podSelector"] == {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "door"}}
        (rule,) = policy["spec"]["ingress"]
        assert {port["port"] for port in rule["ports"]} == {15021, 15008, 15020, 15090}

    @pytest.mark.parametrize(
        ("status", "address"),
        [
            (None, None),
            ({"addresses": []}, None),
            ({"addresses": [{"type": "Hostname", "value": "lb.example.com"}]}, "lb.example.com"),
        ],
    )
    def test_its_address(self, status: Any, address: str | None) -> None:
        assert gateway_address(status) == address
