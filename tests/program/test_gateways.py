"""Gateways under mocks: what is registered, in which order, and what their addresses are."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pulumi
import pytest
import yaml
from cryptography import x509
from pydantic import ValidationError

from mesh_components.clusters.namespace import RootNamespace, RootNamespaceArgs
from mesh_components.gateways.ambient import AmbientGateway, AmbientGatewayArgs
from mesh_components.gateways.east_west import EastWestGateway, EastWestGatewayArgs
from mesh_components.gateways.external import (
    ExposeExternalIstiod,
    ExposeExternalIstiodArgs,
    ExternalGateway,
    ExternalGatewayArgs,
)
from mesh_components.settings.base import ResourceAmounts
from mesh_components.settings.gateway import EastWestSettings
from mesh_components.settings.location import AddressType
from mesh_components.trust.root_ca import RootCA, RootCAArgs
from mesh_components.trust.server_cert import ServerCertificate, ServerCertificateArgs
from meshctl.local.model import Goal
from meshctl.local.providers.tls import TlsProvider
from tests.support.graph import ANSWERS, Graph, Registered
from tests.support.meshes import in_a_cluster

GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ISTIO = "kubernetes:networking.istio.io/v1"
PROXY = ["account", "proxy", "autoscaler"]


def east_west(*, preview: bool = False, **args: Any) -> Graph:
    def make(opts: pulumi.ResourceOptions) -> EastWestGateway:
        return EastWestGateway("gw", EastWestGatewayArgs(network="network1", **args), opts)

    return in_a_cluster(make, preview=preview)


def istio_resources(graph: Graph) -> dict[str, Registered]:
    return {item.kubernetes_name: item for item in graph.kubernetes() if item.type.startswith(ISTIO)}


def inputs(graph: Graph) -> dict[str, Any]:
    return {name: item.inputs for name, item in graph.resources_by_name.items()}


class TestDestroy:
    """A destroy must come through where nobody is left to ask."""

    def test_istio_s_resources_go_without_istiod(self) -> None:
        """Pulumi's own way to delete puts a finalizer on the object; taking it off is an update, which istiod's webhook
        has to accept."""
        made = [*istio_resources(east_west(expose_istiod=("",))).values(), *istio_resources(external()).values()]
        assert len(made) == 6
        for item in made:
            annotations = item.inputs["metadata"]["annotations"]
            assert annotations == {"pulumi.com/deletionPropagationPolicy": "background"}


class TestEastWest:
    """A proxy that starts before its injector is never healed by itself; one that waits for too much never starts."""

    def test_the_document_s_words_are_the_component_s(self) -> None:
        """The federation passes them on by name; those it decides itself are named here."""
        decided = {"enabled", "address_type", "credential", "load_balancer"}
        assert set(EastWestSettings.model_fields) - decided <= set(EastWestGatewayArgs.model_fields)
        stated = EastWestSettings.model_validate({"requests": {"cpu": "1"}, "maxReplicas": 7})
        EastWestGatewayArgs(network="n", **stated.model_dump(exclude={*decided, "revision"}))

    def test_the_proxy_comes_after_all_that_is_exposed(self) -> None:
        graph = east_west(expose_istiod=("", "1-30-3"))
        exposed = {"cross-network-gateway", "istiod-gateway", "istiod-vs", "istiod-vs-1-30-3"}
        assert set(istio_resources(graph)) == exposed
        for role in PROXY:
            after = graph.resources_by_name[f"gw-{role}"].depends_on
            assert {item.name for item in istio_resources(graph).values()} <= after
        assert graph.resources_by_name["gw-service"].depends_on.isdisjoint({f"gw-{role}" for role in PROXY})

    def test_in_a_remote_nothing_is_exposed_and_nothing_waited_for(self) -> None:
        graph = east_west(expose_services=False)
        assert istio_resources(graph) == {}
        after = {name for role in PROXY for name in graph.resources_by_name[f"gw-{role}"].depends_on}
        assert not [name for name in after if name.startswith("gw-")]

    def test_a_route_goes_to_its_own_revision_in_the_root_namespace(self) -> None:
        graph = east_west(expose_istiod=("a", "b"), istiod_host="east.example.com", namespace="mesh-root")
        routes = {name: item.inputs["spec"]["tls"] for name, item in istio_resources(graph).items() if "-vs" in name}
        assert set(routes) == {"istiod-vs-a", "istiod-vs-b"}
        for revision, extra in (("a", ["east.example.com"]), ("b", [])):
            for rule in routes[f"istiod-vs-{revision}"]:
                own = f"istiod-{revision}.mesh-root.svc"
                assert rule["match"][0]["sniHosts"] == [own, f"{own}.cluster.local", *extra]
                assert rule["route"][0]["destination"]["host"] == f"{own}.cluster.local"

    def test_a_namespace_that_is_known_later_gives_the_same(self) -> None:
        def make(opts: pulumi.ResourceOptions) -> EastWestGateway:
            later = pulumi.Output.from_input("mesh-root")
            return EastWestGateway("gw", EastWestGatewayArgs(network="network1", namespace=later, **istiod), opts)

        istiod: dict[str, Any] = {"expose_istiod": ("a",)}
        now = east_west(namespace="mesh-root", **istiod)
        assert inputs(in_a_cluster(make)) == inputs(now)

    @pytest.mark.parametrize("revision", ["", "stable"])
    def test_the_revision_injects_it(self, revision: str) -> None:
        graph = east_west(revision=revision)
        labels = graph.resources_by_name["gw-proxy"].inputs["spec"]["template"]["metadata"]["labels"]
        assert labels.get("istio.io/rev", "") == revision

    def test_what_is_optional_is_absent_until_it_is_asked_for(self) -> None:
        plain = set(east_west().resources_by_name)
        more = set(east_west(network_policy=True, min_replicas=2).resources_by_name)
        assert more - plain == {"gw-network-policy", "gw-disruption-budget"}
        assert plain < more

    def test_the_proxy_cannot_read_the_key_with_which_istiod_signs(self) -> None:
        """`cacerts` and the remote secrets lie in its namespace, and it passes all TLS through."""
        rights = {"gw-role", "gw-role-binding"}
        assert rights.isdisjoint(east_west().resources_by_name)
        # One that presents certificates gets them from istiod only with these rights.
        assert rights <= set(external().resources_by_name)

    def test_its_address_is_the_load_balancer_s(self) -> None:
        assert str(east_west().stack_outputs["address"]).startswith("198.51.100.")

    def test_or_the_one_that_is_known_beforehand_even_in_the_first_preview(self) -> None:
        graph = east_west(address="east.example.com", preview=True)
        assert graph.stack_outputs["address"] == "east.example.com"

    @pytest.mark.parametrize("service_type", ["NodePort", "ClusterIP"])
    def test_or_nothing(self, service_type: str) -> None:
        assert "address" not in east_west(service_type=service_type).stack_outputs

    @pytest.mark.parametrize("args", [{}, {"expose_istiod": ("", "a")}, {"expose_services": False}])
    def test_preview_records_the_same_graph_as_up(self, args: dict[str, Any]) -> None:
        assert east_west(preview=True, **args).drawing() == east_west(**args).drawing()


class TestAmbient:
    """One object; the rest is istiod's, which is told by a ConfigMap what to make otherwise."""

    @pytest.fixture(autouse=True)
    def answered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        addresses = [{"type": "IPAddress", "value": "203.0.113.9"}]
        monkeypatch.setitem(ANSWERS, GATEWAY, lambda _, __: {"status": {"addresses": addresses}})

    def ambient(self, **args: Any) -> Graph:
        return in_a_cluster(lambda opts: AmbientGateway("gw", AmbientGatewayArgs(network="network1", **args), opts))

    def test_it_is_the_only_object_and_has_the_network_s_label(self) -> None:
        graph = self.ambient(gateway_name="istio-eastwestgateway-ambient", revision="a")
        (gateway,) = graph.kubernetes()
        assert (gateway.type, gateway.kubernetes_name) == (GATEWAY, "istio-eastwestgateway-ambient")
        labels = {"topology.istio.io/network": "network1", "istio.io/rev": "a"}
        assert gateway.inputs["metadata"]["labels"] == labels
        assert graph.cluster(gateway) == "east"

    def test_the_document_s_words_are_the_component_s(self) -> None:
        decided = {"enabled", "address_type", "credential", "hosts", "load_balancer"}
        assert set(EastWestSettings.model_fields) - decided <= set(AmbientGatewayArgs.model_fields)

    def test_what_istiod_is_to_make_otherwise_stands_in_a_config_map_before_the_gateway(self) -> None:
        """istiod makes nothing for a Gateway whose ConfigMap is not there."""
        amounts = ResourceAmounts(cpu="500m")
        graph = self.ambient(min_replicas=2, requests=amounts, load_balancer_source_ranges=("203.0.113.0/24",))
        parameters, gateway = graph.resources_by_name["gw-parameters"], graph.resources_by_name["gw-gateway"]
        named = {"group": "", "kind": "ConfigMap", "name": parameters.kubernetes_name}
        assert gateway.inputs["spec"]["infrastructure"] == {"parametersRef": named}
        assert parameters.inputs["metadata"]["namespace"] == gateway.inputs["metadata"]["namespace"]
        assert "gw-parameters" in gateway.depends_on
        assert {key: yaml.safe_load(text)["spec"] for key, text in parameters.inputs["data"].items()} == {
            "deployment": {
                "template": {
                    "spec": {"containers": [{"name": "istio-proxy", "resources": {"requests": {"cpu": "500m"}}}]}
                }
            },
            "service": {"loadBalancerSourceRanges": ["203.0.113.0/24"]},
            "horizontalPodAutoscaler": {
                "minReplicas": 2,
                "maxReplicas": 5,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"averageUtilization": 80, "type": "Utilization"}},
                    }
                ],
            },
            "podDisruptionBudget": {"minAvailable": 1},
        }

    @pytest.mark.parametrize(
        ("args", "kinds"),
        [
            ({"min_replicas": 1, "max_replicas": 5}, set()),
            ({"max_replicas": 9}, {"horizontalPodAutoscaler"}),
            ({"limits": ResourceAmounts(memory="1Gi")}, {"deployment"}),
            ({"annotations": {"a": "b"}}, set()),
        ],
    )
    def test_of_what_is_not_stated_nothing_is_said(self, args: dict[str, Any], kinds: set[str]) -> None:
        graph = self.ambient(**args)
        said = graph.resources_by_name.get("gw-parameters")
        assert (set(said.inputs["data"]) if said else set()) == kinds

    def test_a_network_policy_is_made_on_request(self) -> None:
        added = set(self.ambient(network_policy=True).resources_by_name) - set(self.ambient().resources_by_name)
        assert added == {"gw-network-policy"}

    @pytest.mark.parametrize(
        ("args", "address"),
        [
            ({}, "203.0.113.9"),
            ({"service_type": "ClusterIP"}, None),
            ({"address": "gw.example.com"}, "gw.example.com"),
        ],
    )
    def test_its_address(self, args: dict[str, Any], address: str | None) -> None:
        assert self.ambient(**args).stack_outputs.get("address") == address


def external(
    address_type: AddressType = "hostname",
    revision: str = "",
    *,
    own_root: bool = False,
    known: bool = True,
    preview: bool = False,
    **root: Any,
) -> Graph:
    """All that is between the mesh and an external istiod. Not `known`: the load balancer's address, whatever it is."""
    stated = {"ip": "203.0.113.7", "hostname": "istiod.example.com"}[address_type] if known else None

    def make(opts: pulumi.ResourceOptions) -> ExternalGateway:
        ca = RootCA("ca", RootCAArgs(clusters=("external",), organization="mesh1"))
        gateway = ExternalGateway("gw", ExternalGatewayArgs(network_policy=True, address=stated), opts)
        address = gateway.address.apply(str)
        certificate = ServerCertificate(
            "cert",
            ServerCertificateArgs(root_ca=ca, address=address, address_type=address_type, organization="mesh1", **root),
            opts,
        )
        exposed = ExposeExternalIstiodArgs(
            address=address,
            address_type=address_type,
            credential=certificate.secret_name,
            root_cert_pem=None if own_root else ca.root_cert_pem,
            namespace="external-istiod",
            revision=revision,
        )
        ExposeExternalIstiod("expose", exposed, opts)
        return gateway

    return in_a_cluster(make, preview=preview)


class TestExternal:
    """Proxies and API servers of other clusters come through one gateway to an istiod that is not of their own."""

    def test_the_gateway_opens_istiod_s_ports_and_no_others(self) -> None:
        graph = external()
        service = graph.resources_by_name["gw-service"]
        assert service.inputs["metadata"]["namespace"] == "istio-system"
        assert service.kubernetes_name == "istio-ingressgateway"
        assert [port["port"] for port in service.inputs["spec"]["ports"]] == [15021, 15012, 15017]
        (rule,) = graph.resources_by_name["gw-network-policy"].inputs["spec"]["ingress"]
        assert {port["port"] for port in rule["ports"]} == {15021, 15012, 15017, 15020, 15090}

    def test_the_gateway_selects_that_proxy(self) -> None:
        graph = external()
        pods = graph.resources_by_name["gw-proxy"].inputs["spec"]["template"]["metadata"]["labels"]
        gateway = istio_resources(graph)["external-istiod-gw"]
        assert gateway.inputs["spec"]["selector"].items() <= pods.items()

    @pytest.mark.parametrize(("address_type", "hosts"), [("ip", ["*"]), ("hostname", ["istiod.example.com"])])
    def test_an_ip_is_no_host_name(self, address_type: AddressType, hosts: list[str]) -> None:
        """Who connects to an IP sends no name in TLS: a Gateway that asked for one would let nobody in."""
        found = istio_resources(external(address_type))
        servers = found["external-istiod-gw"].inputs["spec"]["servers"]
        assert {server["port"]["number"] for server in servers} == {15012, 15017}
        for server in servers:
            assert server["hosts"] == hosts
            assert server["tls"] == {"mode": "SIMPLE", "credentialName": "external-istiod-tls"}
        assert found["external-istiod-vs"].inputs["spec"]["hosts"] == hosts

    @pytest.mark.parametrize(("revision", "name"), [("", "istiod"), ("a", "istiod-a")])
    def test_it_leads_to_the_revision_s_istiod(self, revision: str, name: str) -> None:
        found = istio_resources(external(revision=revision))
        service = f"{name}.external-istiod.svc.cluster.local"
        route = found["external-istiod-vs"].inputs["spec"]
        assert route["gateways"] == ["external-istiod-gw"]
        assert [
            (rule["match"][0]["port"], rule["route"][0]["destination"]["host"], rule["route"][0]["destination"]["port"])
            for rule in route["http"]
        ] == [(15012, service, {"number": 15012}), (15017, service, {"number": 443})]
        assert found["external-istiod-dr"].inputs["spec"]["host"] == service

    def test_the_gateway_verifies_istiod_by_the_root_that_it_has_from_its_own_istio(self) -> None:
        graph = external(own_root=True)
        assert "expose-root" not in graph.resources_by_name
        for port in istio_resources(graph)["external-istiod-dr"].inputs["spec"]["trafficPolicy"]["portLevelSettings"]:
            assert port["tls"] == {
                "mode": "SIMPLE",
                "caCertificates": "/var/run/secrets/istio/root-cert.pem",
                "sni": "istiod.external-istiod.svc",
                "subjectAltNames": ["istiod.external-istiod.svc"],
            }

    def test_or_by_the_mesh_s_root_where_that_istio_has_another(self) -> None:
        graph = external()
        found = istio_resources(graph)
        xds, webhook = found["external-istiod-dr"].inputs["spec"]["trafficPolicy"]["portLevelSettings"]
        assert (xds["port"], webhook["port"]) == ({"number": 15012}, {"number": 443})
        assert xds["connectionPool"] == {"http": {"h2UpgradePolicy": "UPGRADE"}}
        own = "istiod.external-istiod.svc"
        for port in (xds, webhook):
            assert port["tls"]["mode"] == "SIMPLE"
            assert (port["tls"]["sni"], port["tls"]["subjectAltNames"]) == (own, [own])
        root = graph.resources_by_name["expose-root"]
        assert xds["tls"]["credentialName"] == webhook["tls"]["credentialName"] == root.kubernetes_name
        # A gateway reads Secrets of its own namespace and of no other.
        proxy = graph.resources_by_name["gw-proxy"]
        assert root.inputs["metadata"]["namespace"] == proxy.inputs["metadata"]["namespace"]
        assert base64.b64decode(root.inputs["data"]["ca.crt"]).decode() == ca_of(graph)

    def test_what_is_exposed_lies_in_the_mesh_s_namespace(self) -> None:
        found = istio_resources(external())
        assert len(found) == 3
        assert {item.inputs["metadata"]["namespace"] for item in found.values()} == {"external-istiod"}
        assert all("expose-root" in item.depends_on for item in found.values())

    @pytest.mark.parametrize("address_type", ["ip", "hostname"])
    @pytest.mark.parametrize("known", [True, False])
    def test_preview_records_the_same_graph_as_up(self, address_type: AddressType, known: bool) -> None:
        up = external(address_type, known=known)
        assert external(address_type, known=known, preview=True).drawing() == up.drawing()

    def test_the_load_balancer_s_address_is_what_is_certified_and_let_in(self) -> None:
        graph = external("hostname", known=False)
        address = graph.stack_outputs["address"]
        assert graph.resources_by_name["cert-request"].inputs["dnsNames"] == [address]
        assert istio_resources(graph)["external-istiod-vs"].inputs["spec"]["hosts"] == [address]


def ca_of(graph: Graph) -> str:
    """What the mocks answered for the root."""
    root = graph.resources_by_name["ca-root"]
    return str(ANSWERS[root.type](root.name, root.inputs)["certPem"])


class TestServerCertificate:
    """Who does not know it for what it is will not connect, and says so only in a log."""

    def test_the_secret_is_one_for_a_gateway_and_secret(self) -> None:
        secret = external().resources_by_name["cert-secret"]
        assert secret.inputs["type"] == "kubernetes.io/tls"
        assert secret.inputs["metadata"] == {"name": "external-istiod-tls", "namespace": "istio-system"}
        assert set(secret.inputs["data"]) == {"tls.crt", "tls.key"}
        assert "data" in secret.secret
        chain = base64.b64decode(secret.inputs["data"]["tls.crt"]).decode()
        assert chain.count("BEGIN CERTIFICATE") == 2

    def test_the_root_s_key_signs_and_stays_secret(self) -> None:
        signed = external().resources_by_name["cert-certificate"]
        assert "caPrivateKeyPem" in signed.secret
        assert not signed.inputs.get("isCaCertificate")
        assert "server_auth" in signed.inputs["allowedUses"]
        assert not {"cert_signing", "client_auth"} & set(signed.inputs["allowedUses"])

    @pytest.mark.parametrize("address_type", ["ip", "hostname"])
    @pytest.mark.parametrize("algorithm", ["ECDSA-P256", "RSA-4096"])
    def test_a_client_that_trusts_the_root_accepts_it(self, address_type: AddressType, algorithm: str) -> None:
        """What was registered under mocks, issued in earnest."""
        graph = external(address_type, algorithm=algorithm)
        issued = issue(graph)
        leaf = x509.load_pem_x509_certificate(issued["cert-certificate"]["certPem"].encode())
        root = x509.load_pem_x509_certificate(issued["ca-root"]["certPem"].encode())
        store = x509.verification.Store([root])
        subject: x509.verification.Subject
        if address_type == "ip":
            subject = x509.IPAddress(ip_address("203.0.113.7"))
        else:
            subject = x509.DNSName("istiod.example.com")
        client = x509.verification.PolicyBuilder().store(store).time(NOW + timedelta(days=364))
        client.build_server_verifier(subject).verify(leaf, [])
        with pytest.raises(x509.verification.VerificationError):
            client.build_server_verifier(x509.DNSName("other.example.com")).verify(leaf, [])


NOW = datetime(2026, 1, 1, tzinfo=UTC)
ISSUED_FROM: dict[str, dict[str, tuple[str, str]]] = {
    "ca-root-key": {},
    "ca-root": {"privateKeyPem": ("ca-root-key", "privateKeyPem")},
    "cert-key": {},
    "cert-request": {"privateKeyPem": ("cert-key", "privateKeyPem")},
    "cert-certificate": {
        "certRequestPem": ("cert-request", "certRequestPem"),
        "caPrivateKeyPem": ("ca-root-key", "privateKeyPem"),
        "caCertPem": ("ca-root", "certPem"),
    },
}
"""By resource, in the order they are made: which inputs are an output of another."""


def issue(graph: Graph) -> dict[str, dict[str, Any]]:
    """The certificates of a graph as the local engine makes them, with real keys in place of the mocks'."""
    provider = TlsProvider(lambda: NOW)
    made: dict[str, dict[str, Any]] = {}
    for name, sources in ISSUED_FROM.items():
        item = graph.resources_by_name[name]
        mocked = {key: graph.resources_by_name[source] for key, (source, _) in sources.items()}
        for key, source in mocked.items():
            assert item.inputs[key] == ANSWERS[source.type](source.name, source.inputs)[sources[key][1]]
        real = {key: made[source][output] for key, (source, output) in sources.items()}
        wanted = {key: value for key, value in item.inputs.items() if value is not None} | real
        goal = Goal(f"urn::{name}", item.type, name, True, "", "", wanted, frozenset(), ())
        made[name] = dict(provider.apply(goal, None, provider.plan(goal, None)).outputs)
    return made


class TestRootNamespace:
    """What the namespace says of its cluster is all that other istiods know of it."""

    def namespace(self, **args: Any) -> Registered:
        graph = in_a_cluster(lambda opts: RootNamespace("root", RootNamespaceArgs(**args), opts))
        (made,) = graph.kubernetes()
        return made

    def test_a_remote_names_who_may_write_to_it(self) -> None:
        made = self.namespace(network="network1", controlled_by="cluster1")
        assert made.inputs["metadata"] == {
            "name": "istio-system",
            "labels": {"topology.istio.io/network": "network1"},
            "annotations": {"topology.istio.io/controlPlaneClusters": "cluster1"},
        }

    def test_a_primary_names_nobody(self) -> None:
        assert "annotations" not in self.namespace(network="network1").inputs["metadata"]

    def test_a_cluster_without_workloads_is_in_no_network(self) -> None:
        assert self.namespace(network=None, create=False).inputs["metadata"] == {"name": "istio-system"}

    def test_the_network_has_to_be_said(self) -> None:
        with pytest.raises(ValidationError):
            RootNamespaceArgs()  # type: ignore[call-arg]
