"""Ways in and out under mocks: what is made of the document, in which order, and what of it is secret."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from mesh_components.gateways.egress import EgressGatewayArgs
from mesh_components.gateways.egress_objects import declared, routes
from mesh_components.gateways.ingress import IngressGatewayArgs
from mesh_components.gateways.ingress_objects import http_routes, istio, listeners, servers
from mesh_components.settings.egress import EgressHost
from mesh_components.settings.ingress import IngressHost, IngressPorts, IngressRoute, IngressTls
from tests.support import authorities
from tests.support.graph import Graph, Registered
from tests.support.meshes import document, federation

ROUTES = [
    {"service": "productpage.bookinfo", "port": 9080},
    {"path": "/hello", "service": "helloworld.sample", "port": 5000},
    {"path": "/hello/two/", "service": "hellotwo.sample.svc.cluster.local", "port": 5000},
]
HOST: dict[str, Any] = {"host": "shop.example.com", "tls": {"credential": "shop-tls"}, "routes": ROUTES}


def mesh(east: dict[str, Any], west: dict[str, Any] | None = None, **istio: Any) -> dict[str, Any]:
    """Two primaries with what is given of them, on networks of their own."""
    made = document("east", "west")
    for cluster, more in zip(made["clusters"], (east, west or {}), strict=True):
        cluster |= more
    made["istio"] |= istio
    return made


def named(graph: Graph, name: str) -> Registered:
    return graph.resources_by_name[name]


def spec(graph: Graph, name: str) -> Any:
    return named(graph, name).inputs["spec"]


def host(name: str = "shop.example.com", **more: Any) -> IngressHost:
    return IngressHost.model_validate({"host": name, **more}, by_name=True, by_alias=True)


class TestIngress:
    """In a namespace of its own, and everything that a client needs before the first pod is there."""

    def test_it_is_in_a_namespace_of_its_own_and_comes_after_it(self) -> None:
        graph = federation(mesh({"ingress": [{"hosts": [HOST]}]}))
        space = named(graph, "mesh-east-istio-ingress-istio-ingress")
        assert space.inputs["metadata"] == {"name": "istio-ingress"}
        own = [item for item in graph.kubernetes() if item.parent == "mesh-east-ingressgateway"]
        assert {item.inputs["metadata"]["namespace"] for item in own} == {"istio-ingress"}
        assert all(space.name in item.depends_on for item in own)
        assert all(item.provider == space.provider for item in own)

    def test_gateways_of_one_namespace_share_it(self) -> None:
        graph = federation(mesh({"ingress": [{}, {"name": "internal"}]}))
        spaces = [item for item in graph.of_type("mesh:index:RootNamespace") if "ingress" in item.name]
        assert [item.name for item in spaces] == ["mesh-east-istio-ingress"]

    @pytest.mark.parametrize("gateways", [[{"namespace": "istio-system"}], [{"createNamespace": False}, {"name": "b"}]])
    def test_a_namespace_that_others_make_is_not_made(self, gateways: list[dict[str, Any]]) -> None:
        graph = federation(mesh({"ingress": gateways}))
        assert [item.name for item in graph.of_type("kubernetes:core/v1:Namespace")] == []

    def test_pods_come_after_what_they_let_in(self) -> None:
        """The webhook that accepts it is served by the istiod that injects them."""
        graph = federation(mesh({"ingress": [{"hosts": [HOST]}]}))
        after = named(graph, "mesh-east-ingressgateway-proxy").depends_on
        roles = ("gateway", "route-shop.example.com")
        assert {f"mesh-east-ingressgateway-{role}" for role in roles} <= after

    def test_a_certificate_and_its_key_become_a_secret_that_comes_first(self) -> None:
        tls = {"certificate": {"file": "shop.pem"}, "key": {"secret": "shopKey"}}
        made = authorities.root(san="shop.example.com")
        given = {"certificate": made.pem, "key": made.key}
        texts = {f"clusters[0].ingress[0].hosts[0].tls.{key}": text for key, text in given.items()}
        graph = federation(mesh({"ingress": [{"hosts": [{**HOST, "tls": tls}]}]}), texts=texts)
        secret = named(graph, "mesh-east-ingressgateway-tls-shop.example.com")
        assert secret.inputs["type"] == "kubernetes.io/tls"
        assert {key: base64.b64decode(text).decode() for key, text in secret.inputs["data"].items()} == {
            "tls.crt": made.pem,
            "tls.key": made.key,
        }
        assert "data" in secret.secret
        gateway = named(graph, "mesh-east-ingressgateway-gateway")
        assert secret.name in gateway.depends_on
        assert gateway.inputs["spec"]["servers"][1]["tls"]["credentialName"] == secret.kubernetes_name

    def test_addresses_are_in_the_output_where_there_are_gateways(self) -> None:
        west = {"ingress": [{"name": "a", "address": "shop.example.com"}, {"name": "b", "serviceType": "NodePort"}]}
        outputs = federation(mesh({"ingress": [{}]}, west)).stack_outputs["ingress"]
        assert set(outputs["east"]) == {"istio-ingressgateway"}
        assert outputs["east"]["istio-ingressgateway"].startswith("198.51.100.")
        assert outputs["west"]["a"] == "shop.example.com"
        assert "ingress" not in federation(mesh({})).stack_outputs

    def test_ports_of_the_nodes_and_of_the_platform_s_load_balancer(self) -> None:
        gateway = {"serviceType": "NodePort", "nodePorts": {"https": 30443}, "ports": {"http": 8080}}
        graph = federation(mesh({"ingress": [gateway]}, {"platform": "gke", "ingress": [{"loadBalancer": "internal"}]}))
        service = spec(graph, "mesh-east-ingressgateway-service")
        assert service["type"] == "NodePort"
        ports = [(port["name"], port["port"], port.get("nodePort")) for port in service["ports"]]
        assert ports == [("status-port", 15021, None), ("http2", 8080, None), ("https", 443, 30443)]
        cloud = named(graph, "mesh-west-ingressgateway-service").inputs["metadata"]["annotations"]
        assert cloud["networking.gke.io/load-balancer-type"] == "Internal"

    def test_a_remote_runs_the_proxy_and_is_configured_elsewhere(self) -> None:
        graph = federation(mesh({"ingress": [{"hosts": [HOST]}]}, {"role": "remote", "ingress": [{}]}))
        remote = {item.type.rpartition(":")[2] for item in graph.kubernetes() if "west-ingressgateway" in item.name}
        assert "Deployment" in remote
        assert not remote & {"Gateway", "VirtualService"}


class TestWhatIsLetIn:
    """Both APIs say the same of one document."""

    ARGS = IngressGatewayArgs(
        hosts=(
            host(https_redirect=True, tls={"credential": "shop-tls"}, routes=ROUTES),
            host("api.example.com", tls={"credential": "shop-tls"}, routes=ROUTES[:1]),
            host("*", routes=ROUTES[:1]),
        )
    )

    def test_servers(self) -> None:
        found = [(s["port"]["name"], s["port"]["number"], s["port"]["protocol"], s["hosts"], s.get("tls"))
                 for s in servers(self.ARGS.described)]  # fmt: skip
        tls = {"mode": "SIMPLE", "credentialName": "shop-tls"}
        assert found == [
            ("http", 80, "HTTP", ["api.example.com", "*"], None),
            ("redirect", 80, "HTTP", ["shop.example.com"], {"httpsRedirect": True}),
            ("https-shop-tls", 443, "HTTPS", ["shop.example.com", "api.example.com"], tls),
        ]

    def test_the_longest_path_first_in_whole_segments(self) -> None:
        rules = istio(self.ARGS.described)["route-shop.example.com"]["spec"]["http"]
        matches = [[match["uri"] for match in rule.get("match", [])] for rule in rules]
        assert matches == [
            [{"exact": "/hello/two"}, {"prefix": "/hello/two/"}],
            [{"exact": "/hello"}, {"prefix": "/hello/"}],
            [],
        ]
        hosts = [rule["route"][0]["destination"]["host"] for rule in rules]
        assert hosts == [f"{name}.svc.cluster.local" for name in ("hellotwo.sample", "helloworld.sample",
                                                                  "productpage.bookinfo")]  # fmt: skip

    def test_the_gateway_api_says_the_same(self) -> None:
        described = self.ARGS.described
        made = http_routes(described)
        rules = made["route-shop.example.com"]["spec"]["rules"]
        assert [rule["matches"][0]["path"]["value"] for rule in rules] == ["/hello/two", "/hello", "/"]
        theirs = [rule["backendRefs"][0] for rule in rules]
        ours = [rule["route"][0]["destination"] for rule in istio(described)["route-shop.example.com"]["spec"]["http"]]
        assert [(ref["name"], ref["port"]) for ref in theirs] == [(to["host"], to["port"]["number"]) for to in ours]

    def test_routes_hang_on_listeners_that_are_there(self) -> None:
        described = self.ARGS.described
        names = {listener["name"] for listener in listeners(described)}
        assert names == {"http", "https-shop.example.com", "https-api.example.com"}
        parents = {
            role: [parent["sectionName"] for parent in route["spec"]["parentRefs"]]
            for role, route in http_routes(described).items()
        }
        assert parents == {
            "route-shop.example.com": ["https-shop.example.com"],
            "redirect-shop.example.com": ["http"],
            "route-api.example.com": ["http", "https-api.example.com"],
            "route-any": ["http"],
        }

    def test_another_port_for_tls_is_named_in_the_redirect(self) -> None:
        args = self.ARGS.model_copy(update={"ports": IngressPorts(https=8443)})
        (rule,) = http_routes(args.described)["redirect-shop.example.com"]["spec"]["rules"]
        assert rule["filters"][0]["requestRedirect"] == {"scheme": "https", "statusCode": 301, "port": 8443}


def test_istiod_runs_the_proxy_of_the_gateway_api() -> None:
    gateway = {
        "name": "web", "api": "gateway-api", "serviceType": "NodePort", "nodePorts": {"http": 30080},
        "externalIps": ["192.0.2.7"], "minReplicas": 2, "hosts": [HOST],
    }  # fmt: skip
    graph = federation(mesh({"ingress": [gateway], "gatewayApi": False}, networkPolicies=True))
    own = {item.name for item in graph.kubernetes() if item.parent == "mesh-east-web"}
    roles = ("gateway", "network-policy", "parameters", "route-shop.example.com")
    assert own == {f"mesh-east-web-{role}" for role in roles}
    made = named(graph, "mesh-east-web-gateway")
    assert made.inputs["metadata"]["annotations"] == {"networking.istio.io/service-type": "NodePort"}
    assert made.inputs["spec"]["gatewayClassName"] == "istio"
    parameters = named(graph, "mesh-east-web-parameters").inputs["data"]
    assert yaml.safe_load(parameters["service"])["spec"] == {
        "externalIPs": ["192.0.2.7"],
        "ports": [{"port": 80, "nodePort": 30080}],
    }
    assert {"horizontalPodAutoscaler", "podDisruptionBudget", "service"} == set(parameters)
    assert graph.stack_outputs["ingress"]["east"] == {"web": "192.0.2.7"}
    opened = spec(graph, "mesh-east-web-network-policy")["ingress"][0]["ports"]
    assert {port["port"] for port in opened} >= {15021, 80, 443}


class TestEgress:
    """Nobody is led to a gateway that is not there, and none leaves by that of another cluster."""

    HOSTS: tuple[dict[str, Any], ...] = (
        {"host": "api.example.com"},
        {"host": "www.example.org", "tls": "originate"},
        {"host": "legacy.example.net", "tls": "none", "port": 8080},
    )

    def test_routes_come_after_the_proxy(self) -> None:
        graph = federation(mesh({"egress": {"hosts": list(self.HOSTS)}}))
        found = [item for item in graph.kubernetes() if "egressgateway-route-" in item.name]
        assert len(found) == len(self.HOSTS)
        assert all("mesh-east-egressgateway-proxy" in item.depends_on for item in found)
        proxy = named(graph, "mesh-east-egressgateway-proxy").depends_on
        assert {"mesh-east-egressgateway-gateway", "mesh-east-egressgateway-subsets"} <= proxy

    def test_its_account_has_no_rights(self) -> None:
        graph = federation(mesh({"egress": {"hosts": list(self.HOSTS)}}))
        kinds = {item.type.rpartition(":")[2] for item in graph.kubernetes() if "egressgateway" in item.name}
        assert not kinds & {"Role", "RoleBinding"}

    def test_its_service_has_the_ports_that_the_hosts_need(self) -> None:
        graph = federation(mesh({"egress": {"hosts": list(self.HOSTS)}}))
        service = spec(graph, "mesh-east-egressgateway-service")
        assert service["type"] == "ClusterIP"
        assert [port["port"] for port in service["ports"]] == [15021, 80, 443, 8080]

    def test_without_a_gateway_hosts_are_declared_and_tls_begins_in_the_sidecar(self) -> None:
        graph = federation(mesh({"egress": {"gateway": False, "hosts": list(self.HOSTS)}}))
        own = {item.name for item in graph.kubernetes() if item.parent == "mesh-east-egressgateway"}
        prefix = "mesh-east-egressgateway"
        assert own == {
            *(f"{prefix}-host-{item['host']}" for item in self.HOSTS),
            f"{prefix}-tls-www.example.org",
            f"{prefix}-route-www.example.org",
        }
        (rule,) = spec(graph, f"{prefix}-route-www.example.org")["http"]
        assert rule["match"] == [{"gateways": ["mesh"], "port": 80}]
        assert rule["route"] == [{"destination": {"host": "www.example.org", "port": {"number": 443}}}]

    @pytest.mark.parametrize(
        ("wanted", "server", "kind", "ways"),
        [
            ({"host": "a.org"}, (443, "TLS", "PASSTHROUGH"), "tls", (443, 443)),
            ({"host": "a.org", "port": 8443}, (8443, "TLS", "PASSTHROUGH"), "tls", (8443, 8443)),
            ({"host": "a.org", "tls": "originate"}, (80, "HTTPS", "ISTIO_MUTUAL"), "http", (80, 443)),
            ({"host": "a.org", "tls": "none"}, (80, "HTTPS", "ISTIO_MUTUAL"), "http", (80, 80)),
        ],
    )
    def test_each_kind_of_host_finds_its_way(
        self, wanted: dict[str, Any], server: tuple[int, str, str], kind: str, ways: tuple[int, int]
    ) -> None:
        egress = EgressGatewayArgs(hosts=(EgressHost.model_validate(wanted),)).described
        said = declared(egress)
        (found,) = said["gateway"]["spec"]["servers"]
        assert (found["port"]["number"], found["port"]["protocol"], found["tls"]["mode"]) == server
        rules = routes(egress)["route-a.org"]["spec"][kind]
        assert [rule["route"][0]["destination"]["port"]["number"] for rule in rules] == list(ways)
        assert [rule["match"][0]["gateways"] for rule in rules] == [["mesh"], ["egressgateway"]]
        (subset,) = said["subsets"]["spec"]["subsets"]
        assert rules[0]["route"][0]["destination"]["subset"] == subset["name"] == "a-org"
        ports = {port["number"] for port in said["host-a.org"]["spec"]["ports"]}
        assert {rules[0]["match"][0]["port"], ways[1]} <= ports
        # The gateway finds its server by the SNI that the sidecar sets.
        policy = subset.get("trafficPolicy", {}).get("portLevelSettings", [])
        assert [setting["tls"]["sni"] for setting in policy] == ([] if kind == "tls" else ["a.org"])

    def test_the_switch_and_the_way_out_are_in_the_mesh_config_of_every_cluster(self) -> None:
        wanted = mesh({"egress": {"hosts": list(self.HOSTS)}}, install="charts", version="1.30.3",
                      meshConfig={"outboundTrafficPolicy": "REGISTRY_ONLY"})  # fmt: skip
        rendered = [o["values"] for o in federation(wanted).rendered if o["chart"] == "istiod"]
        assert len(rendered) == 2
        for values in rendered:
            config = values["meshConfig"]
            assert config["outboundTrafficPolicy"] == {"mode": "REGISTRY_ONLY"}
            assert config["serviceSettings"] == [
                {
                    "settings": {"clusterLocal": True},
                    "hosts": ["istio-egressgateway.istio-egress.svc.cluster.local"],
                }
            ]


def test_a_credential_s_key_is_not_printed() -> None:
    tls = IngressTls(credential="shop-tls")
    args = IngressGatewayArgs(
        hosts=(IngressHost(host="a.org", tls=tls, routes=(IngressRoute(service="a.b", port=1),)),)
    )
    assert "credentials" not in repr(args)
