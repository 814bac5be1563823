"""Gateways between the mesh and the world outside: from a document to objects, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mesh_components.gateways import egress_objects, gateway_api, ingress_objects, objects
from mesh_components.gateways.overlays import overlays
from mesh_components.gateways.proxy import ProxyArgs
from mesh_components.settings.base import ResourceAmounts
from mesh_components.settings.egress import EgressSettings
from mesh_components.settings.ingress import IngressSettings
from meshctl.importing import doors, inward, outward, told
from meshctl.importing.asking import Asking, Object
from meshctl.importing.doors import Door
from meshctl.importing.ways import WaysReader

DOOR = Door("LoadBalancer", {}, (), (), 1, 5, "", ports={"http2": 80, "https": 443})
OURS = {"managedFields": [{"manager": "mesh/mesh/prod", "operation": "Apply"}]}
THEIRS = {"managedFields": [{"manager": "helm", "operation": "Update"}]}
PROXY = objects.Proxy("istio-ingressgateway", "istio-ingress", (("http2", 80), ("https", 443)))

PATHS = st.sampled_from(["/", "/api", "/api/v1", "/hello"])
ROUTE = st.builds(
    lambda path, service, port: {"path": path, "service": service, "port": port},
    PATHS,
    st.sampled_from(["web.shop", "api.shop", "web.shop.svc.clusterset.local"]),
    st.integers(1, 65535),
)
NAMES = st.sampled_from(["a.example.com", "b.example.com", "*.example.org", "*", "c.example.com"])


@st.composite
def ingress_hosts(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Hosts that no rule finds fault with, with routes: a host of the Gateway API without any leaves no trace."""
    made = []
    for name in draw(st.lists(NAMES, unique=True, max_size=5)):
        host: dict[str, Any] = {"host": name, "routes": draw(st.lists(ROUTE, min_size=1, max_size=3))}
        host["routes"].sort(key=lambda route: -len(route["path"].rstrip("/")))
        if draw(st.booleans()):
            host["tls"] = {"credential": draw(st.sampled_from(["one", "two"]))}
            host["httpsRedirect"] = draw(st.booleans())
        made.append(host)
    return made


def said_by(settings: IngressSettings) -> list[Object]:
    """What the gateway's builders make of it."""
    gateway = ingress_objects.Ingress(settings.name, settings.namespace, settings.ports, settings.hosts)
    if settings.api == "istio":
        return list(ingress_objects.istio(gateway).values())
    door = gateway_api.Door(settings.name, "istio", ingress_objects.listeners(gateway))
    made = gateway_api.gateway_object(door, ProxyArgs(namespace=settings.namespace))
    return [made, *ingress_objects.http_routes(gateway).values()]


class TestIngress:
    """What is read makes the same objects: nothing would change."""

    @given(hosts=ingress_hosts())
    def test_in_the_words_of_istio(self, hosts: list[dict[str, Any]]) -> None:
        stated = IngressSettings.model_validate({"hosts": hosts})
        made = said_by(stated)
        read = inward.istio(stated.name, stated.namespace, DOOR, made)
        assert _by_name(said_by(read)) == _by_name(made)

    @given(hosts=ingress_hosts())
    def test_in_the_words_of_the_gateway_api(self, hosts: list[dict[str, Any]]) -> None:
        stated = IngressSettings.model_validate({"name": "web", "api": "gateway-api", "hosts": hosts})
        made = said_by(stated)
        read = inward.gateway_api("web", stated.namespace, DOOR, made)
        assert _by_name(said_by(read)) == _by_name(made)

    def test_a_secret_that_was_made_of_the_document_has_places_for_its_texts(self) -> None:
        tls = {"certificate": {"file": "shop.pem"}, "key": {"file": "shop.key"}}
        hosts = [{"host": "a.com", "tls": tls}, {"host": "b.com", "tls": {"credential": "theirs"}}]
        stated = IngressSettings.model_validate({"hosts": hosts})
        mine = {"istio-ingressgateway-a.com"}
        read = inward.istio(stated.name, stated.namespace, DOOR, said_by(stated), cluster="east", credentials=mine)
        assert [host.model_dump(mode="json", by_alias=True, exclude_defaults=True)["tls"] for host in read.hosts] == [
            {
                "certificate": {"file": "east/istio-ingressgateway-a.com.pem"},
                "key": {"secret": "east-istio-ingressgateway-a.com"},
            },
            {"credential": "theirs"},
        ]

    def test_ports_that_are_not_there_are_closed(self) -> None:
        read = inward.istio("g", "n", replace(DOOR, ports={"https": 8443}, node_ports={8443: 30443}), [])
        assert (read.ports.http, read.ports.https, read.node_ports.https) == (None, 8443, 30443)

    @pytest.mark.parametrize(
        "item",
        [
            {"kind": "Gateway", "metadata": {"name": "ingressgateway"}},
            {"kind": "Gateway", "metadata": {"name": "ingressgateway"}, "spec": {"servers": [{}]}},
            {"kind": "VirtualService", "metadata": {"name": "x"}, "spec": {"gateways": ["ingressgateway"]}},
            {"kind": "VirtualService", "metadata": {"name": "x"}, "spec": {"gateways": ["mesh"], "hosts": ["a"]}},
        ],
    )
    def test_objects_that_say_nothing(self, item: Object) -> None:
        assert inward.istio("istio-ingressgateway", "n", DOOR, [item]).hosts == ()

    def test_a_route_to_nowhere_is_refused_without_its_value(self) -> None:
        spec = {"gateways": ["g"], "hosts": ["a.com"], "http": [{"redirect": {"uri": "/secret"}}]}
        item = {"kind": "VirtualService", "metadata": {"name": "x"}, "spec": spec}
        with pytest.raises(ValidationError) as refused:
            inward.istio("g", "n", DOOR, [item])
        assert "secret" not in str(refused.value)

    def test_servers_in_no_order_are_read_all_the_same(self) -> None:
        servers = [{"hosts": ["a", "b"]}, {"hosts": ["b", "a"], "tls": {"httpsRedirect": True}}]
        item = {"kind": "Gateway", "metadata": {"name": "g"}, "spec": {"servers": servers}}
        assert [host.host for host in inward.istio("g", "n", DOOR, [item]).hosts] == ["a", "b"]


EGRESS_HOST = st.builds(
    lambda tls, port: {"tls": tls, "port": port},
    st.sampled_from(["passthrough", "originate", "none"]),
    st.sampled_from([None, 443, 8080]),
)


class TestEgress:
    @given(
        hosts=st.dictionaries(st.sampled_from(["a.com", "b.com", "*.c.com"]), EGRESS_HOST),
        gateway=st.booleans(),
    )
    def test_what_is_read_makes_the_same_objects(self, hosts: dict[str, dict[str, Any]], gateway: bool) -> None:
        stated = EgressSettings.model_validate(
            {"gateway": gateway, "hosts": [{"host": host, **more} for host, more in hosts.items()]}
        )
        made = leaving(stated)
        read = outward.egress(stated.name, stated.namespace, DOOR if gateway else None, made)
        assert _by_name(leaving(read)) == _by_name(made)

    @pytest.mark.parametrize(
        "spec",
        [
            None,
            {"location": "MESH_INTERNAL", "hosts": ["a.com"]},
            {"location": "MESH_EXTERNAL"},
            {"location": "MESH_EXTERNAL", "hosts": ["a.com", "b.com"]},
        ],
    )
    def test_an_entry_of_another_kind_is_none_of_it(self, spec: Any) -> None:
        assert not outward.declares({"metadata": {"name": "a.com"}, "spec": spec})


def leaving(settings: EgressSettings) -> list[Object]:
    """What the gateway's builders make of it."""
    said = egress_objects.Egress(settings.name, settings.namespace, settings.hosts, settings.gateway)
    return [*egress_objects.declared(said).values(), *egress_objects.routes(said).values()]


class TestDoor:
    def test_amounts_are_compared_and_not_their_spelling(self) -> None:
        """The API server writes 2000m as 2, and 1024Mi as 1Gi."""
        deployment = objects.deployment(PROXY, ResourceAmounts(memory="1Gi"))
        resources = deployment["spec"]["template"]["spec"]["containers"][0]["resources"]
        resources["limits"] = {"cpu": "2", "memory": "1Gi"}
        door = doors.of_proxy(_live(objects.service(PROXY, "LoadBalancer", {}, ())), deployment, {})
        assert (door.requests, door.limits) == ({"memory": "1Gi"}, {})

    def test_of_the_ports_of_nodes_those_that_were_written(self) -> None:
        service = _live(objects.service(PROXY, "NodePort", {}, (), (), {443: 30443}))
        service["spec"]["ports"][0]["nodePort"] = 31234
        ports: dict[str, Any] = {'k:{"port":443,"protocol":"TCP"}': {"f:nodePort": {}}, "f:x": {}}
        fields = {"f:spec": {"f:ports": ports}}
        service["metadata"]["managedFields"] = [{"manager": "mesh/a/b", "operation": "Apply", "fieldsV1": fields}]
        assert doors.of_proxy(service, {}, {}).node_ports == {443: 30443}

    @given(
        size=st.integers(1, 5),
        cpu=st.sampled_from([None, "100m", "2"]),
        ports=st.sampled_from([{}, {80: 30080}]),
    )
    def test_what_istiod_is_to_make_otherwise(self, size: int, cpu: str | None, ports: dict[int, int]) -> None:
        args = ProxyArgs(
            min_replicas=size, max_replicas=7, requests=ResourceAmounts(cpu=cpu), node_ports=ports,
            load_balancer_source_ranges=("10.0.0.0/8",), external_ips=("203.0.113.1",),
        )  # fmt: skip
        gateway = gateway_api.gateway_object(gateway_api.Door("web", "istio", ()), args)
        door = doors.of_gateway(gateway, overlays(args))
        read = ProxyArgs.model_validate(
            {key: value for key, value in door.settings().items() if key in ProxyArgs.model_fields}
            | {"node_ports": door.node_ports}
        )
        assert overlays(read) == overlays(args)

    @pytest.mark.parametrize("text", ["", "[1]", "{", "spec: 1", "spec: {template: 3}"])
    def test_a_config_map_that_is_no_patch(self, text: str) -> None:
        gateway = {"metadata": {"name": "web"}, "spec": {}}
        door = doors.of_gateway(gateway, {"deployment": text, "service": text, "horizontalPodAutoscaler": text})
        assert (door.min_replicas, door.max_replicas, door.requests) == (1, 5, {})

    def test_annotations_of_the_platform_are_a_word(self) -> None:
        door = replace(DOOR, annotations={"cloud.google.com/l4-rbs": "enabled", "a": "b"})
        assert door.settings("gke")["load_balancer"] == "public"
        assert door.settings("gke")["annotations"] == {"a": "b"}
        assert door.settings("eks")["load_balancer"] is None


class Cluster(Asking):
    """One that answers what is prepared, by path."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.name = "east"
        self._answers = answers

    def one(self, path: str) -> Object | None:
        found: Object | None = self._answers.get(path)
        return found

    def all(self, path: str, selector: str = "") -> list[Object]:  # noqa: ARG002
        return list(self._answers.get(path, ()))

    def secrets(self, namespace: str) -> list[Mapping[str, Any]]:
        return list(self._answers.get(f"{namespace}/secrets", ()))


def cluster(
    proxies: Iterable[dict[str, Any]], said: Iterable[Object] = (), more: Mapping[str, Any] = MappingProxyType({})
) -> Cluster:
    """Ingress gateways of Istio in the namespace istio-ingress."""
    space, answers = "istio-ingress", dict[str, Any](more)
    answers["/apis/apps/v1/deployments"] = list(proxies)
    for item in answers["/apis/apps/v1/deployments"]:
        name = item["metadata"]["name"]
        answers[f"/api/v1/namespaces/{space}/services/{name}"] = _live(objects.service(PROXY, "LoadBalancer", {}, ()))
        answers[f"/apis/rbac.authorization.k8s.io/v1/namespaces/{space}/roles/{name}"] = {}
    for item in said:
        plural = {"Gateway": "gateways", "VirtualService": "virtualservices", "ServiceEntry": "serviceentries"}
        path = f"/apis/networking.istio.io/v1/namespaces/{space}/{plural[item['kind']]}"
        answers.setdefault(path, []).append({**item, "metadata": {**item["metadata"], **OURS}})
    return Cluster(answers)


class TestReader:
    """What is left to others, and what is noted."""

    SHOP = IngressSettings.model_validate(
        {"hosts": [{"host": "shop.com", "routes": [{"service": "web.shop", "port": 80}]}]}
    )

    def proxy(self, made: Mapping[str, Any] = OURS) -> dict[str, Any]:
        found = objects.deployment(PROXY)
        return {**found, "metadata": {**found["metadata"], **made}}

    def test_ours(self) -> None:
        ways = WaysReader(cluster([self.proxy()], said_by(self.SHOP)), "istio-system", lambda _: True).read()
        assert (ways.ingress, ways.egress, ways.notes) == (
            (self.SHOP.model_copy(update={"revision": ""}),),
            None,
            (),
        )

    def test_what_somebody_else_has_made(self) -> None:
        ways = WaysReader(cluster([self.proxy(THEIRS)]), "istio-system", lambda _: True).read()
        assert ways.ingress == ()
        assert ways.notes == (
            "clusters[].ingress, egress: the gateway istio-ingress/istio-ingressgateway of east is not read: helm "
            "made it",
        )

    def test_of_another_mesh(self) -> None:
        ways = WaysReader(cluster([self.proxy()]), "istio-system", lambda _: False).read()
        assert (ways.ingress, ways.notes) == ((), ())

    def test_in_front_of_an_external_control_plane(self) -> None:
        reader = WaysReader(cluster([self.proxy()]), "istio-system", lambda _: True)
        assert reader.read(("istio-ingress", "istio-ingressgateway")).ingress == ()

    def test_what_says_more_than_a_document_can(self) -> None:
        gateway, route = said_by(self.SHOP)
        more = {**route, "spec": {**route["spec"], "exportTo": ["*"]}}
        ways = WaysReader(cluster([self.proxy()], [gateway, more]), "istio-system", lambda _: True).read()
        (note,) = ways.notes
        assert note == (
            "clusters[].ingress: istio-ingress/istio-ingressgateway of east: VirtualService ingressgateway-shop.com "
            "says otherwise than the document does; look at its change"
        )

    def test_what_no_document_can_say(self) -> None:
        gateway, route = said_by(self.SHOP)
        nowhere = {**route, "spec": {**route["spec"], "http": [{"directResponse": {"status": 503}}]}}
        ways = WaysReader(cluster([self.proxy()], [gateway, nowhere]), "istio-system", lambda _: True).read()
        (note,) = ways.notes
        assert ways.ingress == ()
        assert note.startswith("clusters[].ingress: istio-ingress/istio-ingressgateway of east is not read: hosts[0].")

    def test_a_namespace_of_somebody_else(self) -> None:
        born = {"creationTimestamp": "2026-01-01T00:00:00Z"}
        theirs = {**born, "managedFields": [{"manager": "kubectl", "time": born["creationTimestamp"]}]}
        there = {"/api/v1/namespaces/istio-ingress": {"metadata": theirs}}
        ways = WaysReader(cluster([self.proxy()], more=there), "istio-system", lambda _: True).read()
        assert [way.create_namespace for way in ways.ingress] == [False]


class TestTold:
    """What istiod's chart was told."""

    def test_bad_values_are_named_and_not_quoted(self) -> None:
        with pytest.raises(told.UnreadableError, match=r"^outboundTrafficPolicy: Input should be"):
            told.mesh_config({"meshConfig": {"outboundTrafficPolicy": {"mode": "secret"}}})
        with pytest.raises(told.UnreadableError, match="minReplicas"):
            told.pilot({"autoscaleMin": "many"})

    @pytest.mark.parametrize("values", [{}, {"meshConfig": None}, {"global": "x"}, {"resources": [1]}])
    def test_nothing_that_was_told(self, values: dict[str, Any]) -> None:
        assert (told.mesh_config(values), told.pilot(values), told.network_policies(values)) == ({}, {}, False)


def _live(manifest: Any) -> dict[str, Any]:
    return {**manifest, "metadata": {**manifest["metadata"], **OURS}}


def _by_name(made: Iterable[Object]) -> dict[tuple[str, str], Object]:
    return {(item["kind"], item["metadata"]["name"]): item for item in made}
