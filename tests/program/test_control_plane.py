"""The components of a control plane, role by role, under mocks: what they register, in what order, and what is put in
afterwards."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from pydantic import ValidationError

from mesh_components.control_plane.ambient import Cni, CniArgs, Ztunnel, ZtunnelArgs
from mesh_components.control_plane.base import IstioBase, IstioBaseArgs
from mesh_components.control_plane.external import ExternalIstiod, ExternalIstiodArgs
from mesh_components.control_plane.istiod import Istiod, IstiodArgs
from mesh_components.control_plane.placeholders import ADDRESS, CA_BUNDLE, URL_HOST
from mesh_components.control_plane.remote import RemoteIstiod, RemoteIstiodArgs
from mesh_components.control_plane.tags import RevisionTag, RevisionTagArgs
from mesh_components.control_plane.validator import DefaultValidator, DefaultValidatorArgs
from mesh_components.kubernetes import KubernetesObject
from tests.support.graph import Graph, Registered, run
from tests.support.meshes import kubeconfig
from tests.support.rendered import rendered

ROOT = "-----BEGIN CERTIFICATE-----\nroot\n-----END CERTIFICATE-----\n"
BUNDLE = base64.b64encode(ROOT.encode()).decode()
WHO: dict[str, Any] = {"mesh_id": "mesh1", "cluster_name": "cluster1", "network": "network1"}
CRD = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "gateways.x"}}

Make = Callable[[pulumi.ResourceOptions], Any]


def later(value: Any) -> pulumi.Output[Any]:
    """A value that a preview does not know."""
    found: asyncio.Future[Any] = asyncio.get_event_loop().create_future()
    found.set_result(value)
    known: asyncio.Future[bool] = asyncio.get_event_loop().create_future()
    known.set_result(not pulumi.runtime.is_dry_run())
    return pulumi.Output(set(), found, known)


def graph(make: Make, *, preview: bool = False) -> Graph:
    """The graph of a component in one cluster, which comes after its root namespace."""

    def program() -> None:
        provider = kubernetes.Provider("cluster1", kubeconfig=kubeconfig("cluster1"), cluster_identifier="x/cluster1")
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
        namespace = KubernetesObject("namespace", manifest, pulumi.ResourceOptions(provider=provider))
        made = make(pulumi.ResourceOptions(providers=[provider], depends_on=[namespace]))
        pulumi.export("ready", made.ready)

    return run(program, charts=rendered, preview=preview)


def base(**over: Any) -> Make:
    return lambda opts: IstioBase("base", IstioBaseArgs(**over), opts)


def validator(**over: Any) -> Make:
    return lambda opts: DefaultValidator("validator", DefaultValidatorArgs(root_cert_pem=later(ROOT), **over), opts)


def istiod(**over: Any) -> Make:
    return lambda opts: Istiod("istiod", primary(**over), opts)


def remote(**over: Any) -> Make:
    return lambda opts: RemoteIstiod("remote", served(**over), opts)


def external(address: str = "203.0.113.7", **over: Any) -> Make:
    def make(opts: pulumi.ResourceOptions) -> ExternalIstiod:
        args = ExternalIstiodArgs(root_cert_pem=later(ROOT), address=later(address), **WHO, **over)
        return ExternalIstiod("external", args, opts)

    return make


def tag(of: Callable[..., IstiodArgs | RemoteIstiodArgs], name: str = "prod", **over: Any) -> Make:
    return lambda opts: RevisionTag("tag", RevisionTagArgs(tag=name, of=of(**over)), opts)


def cni(**over: Any) -> Make:
    return lambda opts: Cni("cni", CniArgs(**over), opts)


def ztunnel(**over: Any) -> Make:
    return lambda opts: Ztunnel("ztunnel", ZtunnelArgs(cluster_name="cluster1", network="network1", **over), opts)


def primary(**over: Any) -> IstiodArgs:
    return IstiodArgs(root_cert_pem=later(ROOT), **WHO, **over)


def served(address: str = "203.0.113.7", **over: Any) -> RemoteIstiodArgs:
    return RemoteIstiodArgs(root_cert_pem=later(ROOT), address=later(address), **WHO, **over)


ROLES: dict[str, Make] = {
    "base": base(),
    "crds as objects": base(crds="objects", gateway_api=(CRD,)),
    "validator": validator(),
    "validator of a config cluster": validator(address="203.0.113.7"),
    "primary": istiod(),
    "remote": remote(),
    "remote behind a host name": remote(address="gw.example.com", address_type="hostname", by_url=True),
    "remote of an external control plane": remote(by_url=True, external=True),
    "config cluster": remote(by_url=True, external=True, config=True, namespace="external-istiod"),
    "external": external(),
    "tag": tag(primary, revision="1-30-3"),
    "tag of a remote": tag(served),
    "cni": cni(),
    "ztunnel": ztunnel(),
}
KINDS: dict[str, set[str]] = {
    "base": {"ServiceAccount", "Release"},
    "crds as objects": {"ServiceAccount", "CustomResourceDefinition"},
    "validator": {"ValidatingWebhookConfiguration"},
    "validator of a config cluster": {"ValidatingWebhookConfiguration"},
    "primary": {
        "ConfigMap",
        "ServiceAccount",
        "Deployment",
        "Service",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    },
    "remote": {"ConfigMap", "Service", "EndpointSlice", "MutatingWebhookConfiguration"},
    "remote behind a host name": {"ConfigMap", "Service", "MutatingWebhookConfiguration"},
    "remote of an external control plane": {"ConfigMap", "MutatingWebhookConfiguration"},
    "config cluster": {"ConfigMap", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"},
    "external": {"ConfigMap", "ServiceAccount", "Deployment", "Service"},
    "tag": {"MutatingWebhookConfiguration", "Service"},
    "tag of a remote": {"MutatingWebhookConfiguration"},
    "cni": {"ServiceAccount", "DaemonSet"},
    "ztunnel": {"ServiceAccount", "DaemonSet"},
}


def objects(found: Graph) -> list[Registered]:
    return [item for item in found.kubernetes() if item.name != "namespace"]


def kind(item: Registered) -> str:
    return item.type.rsplit(":", 1)[-1]


def of_kind(found: Graph, wanted: str) -> list[Registered]:
    return [item for item in objects(found) if kind(item) == wanted]


def hooks(found: Graph) -> list[dict[str, Any]]:
    return [hook for item in objects(found) for hook in item.inputs.get("webhooks", ())]


@pytest.fixture(scope="module", params=ROLES)
def role(request: pytest.FixtureRequest) -> tuple[str, Graph]:
    return request.param, graph(ROLES[request.param])


class TestEveryRole:
    """What holds of all of them."""

    def test_it_registers_what_its_role_has(self, role: tuple[str, Graph]) -> None:
        name, found = role
        assert {kind(item) for item in objects(found)} == KINDS[name]

    def test_everything_goes_to_the_cluster_it_was_handed(self, role: tuple[str, Graph]) -> None:
        assert {found.cluster(item) for found in role[1:] for item in objects(found)} == {"cluster1"}

    def test_everything_comes_after_the_root_namespace(self, role: tuple[str, Graph]) -> None:
        assert all("namespace" in item.depends_on for item in objects(role[1]))

    def test_webhooks_come_last_and_go_first(self, role: tuple[str, Graph]) -> None:
        """One that nobody serves refuses every pod, and every Istio resource, of the cluster."""
        others = {item.name for item in objects(role[1]) if not kind(item).endswith("WebhookConfiguration")}
        for item in objects(role[1]):
            if kind(item).endswith("WebhookConfiguration"):
                assert others <= item.depends_on

    def test_crds_come_before_everything(self, role: tuple[str, Graph]) -> None:
        crds = {item.name for item in objects(role[1]) if kind(item) in ("CustomResourceDefinition", "Release")}
        for item in objects(role[1]):
            if item.name not in crds:
                assert crds <= item.depends_on

    def test_no_placeholder_is_left(self, role: tuple[str, Graph]) -> None:
        text = str([item.inputs for item in objects(role[1])])
        assert not [placeholder for placeholder in (CA_BUNDLE, URL_HOST, *ADDRESS.values()) if placeholder in text]

    def test_webhooks_say_what_istiod_would_write(self, role: tuple[str, Graph]) -> None:
        """It writes the root bundle, and Fail: where ours say the same, a second preview is empty."""
        for hook in hooks(role[1]):
            assert (hook["clientConfig"]["caBundle"], hook["failurePolicy"]) == (BUNDLE, "Fail")

    def test_a_preview_shows_the_same(self, role: tuple[str, Graph]) -> None:
        assert graph(ROLES[role[0]], preview=True).drawing() == role[1].drawing()

    def test_it_says_when_it_is_ready(self, role: tuple[str, Graph]) -> None:
        assert role[1].stack_outputs["ready"]


class TestBase:
    """What a cluster has once."""

    def test_the_release_holds_nothing_but_the_crds(self) -> None:
        (release,) = graph(base()).of_type("kubernetes:helm.sh/v3:Release")
        assert release.inputs["values"] == {"defaultRevision": "", "global": {"enableReaderRBAC": False}}

    def test_crds_that_something_else_brings(self) -> None:
        assert not [i for i in objects(graph(base(crds="none"))) if kind(i) in ("Release", "CustomResourceDefinition")]

    @pytest.mark.parametrize("keep", [True, False])
    def test_only_crds_as_objects_can_be_taken_along(self, keep: bool) -> None:
        found = graph(base(crds="objects", keep_crds=keep, gateway_api=(CRD,)))
        kept = {item.kubernetes_name: item.retained for item in of_kind(found, "CustomResourceDefinition")}
        assert kept == {"gateways.networking.istio.io": keep, "gateways.x": True}

    def test_helm_keeps_what_it_is_told_to_take(self) -> None:
        with pytest.raises(ValidationError, match='set crds to "objects"'):
            IstioBaseArgs(keep_crds=False)

    def test_its_values_bring_no_validator_along(self) -> None:
        """Before istiod, it would refuse every Istio resource of the cluster."""
        assert not hooks(graph(base(values={"defaultRevision": "1-30-3"})))


class TestValidator:
    """What answers for Istio's resources."""

    @pytest.mark.parametrize(("revision", "service"), [("", "istiod"), ("1-30-3", "istiod-1-30-3")])
    def test_the_default_revision_validates(self, revision: str, service: str) -> None:
        (hook,) = hooks(graph(validator(revision=revision)))
        assert hook["clientConfig"]["service"]["name"] == service

    def test_a_config_cluster_is_validated_from_outside(self) -> None:
        (hook,) = hooks(graph(validator(address="2001:db8::1")))
        assert hook["clientConfig"] == {"url": "https://[2001:db8::1]:15017/validate", "caBundle": BUNDLE}

    def test_a_public_certificate_needs_no_bundle(self) -> None:
        found = graph(validator(address="gw.example", address_type="hostname", public_certificate=True))
        assert hooks(found)[0]["clientConfig"] == {"url": "https://gw.example:15017/validate"}


class TestServed:
    """A remote's way to istiod, which becomes known when the gateway has its address."""

    def test_by_ip_a_service_stands_for_the_gateway(self) -> None:
        found = graph(remote())
        (slice_,) = of_kind(found, "EndpointSlice")
        assert slice_.inputs["endpoints"] == [{"addresses": ["203.0.113.7"]}]
        assert slice_.inputs["addressType"] == "IPv4"
        assert hooks(found)[0]["clientConfig"]["service"] == {
            "name": "istiod",
            "namespace": "istio-system",
            "path": "/inject/cluster/cluster1/net/network1",
        }

    def test_an_endpoint_slice_says_what_kind_of_address_it_holds(self) -> None:
        (slice_,) = of_kind(graph(remote(address="2001:db8::7")), "EndpointSlice")
        assert (slice_.inputs["addressType"], slice_.inputs["endpoints"]) == ("IPv6", [{"addresses": ["2001:db8::7"]}])

    def test_by_host_name_the_webhook_goes_by_url(self) -> None:
        """A Service by name cannot turn 443, which webhooks call, into the gateway's port."""
        found = graph(remote(address="gw.example.com", address_type="hostname", by_url=True, revision="1-30-3"))
        (service,) = of_kind(found, "Service")
        assert (service.kubernetes_name, service.inputs["spec"]["externalName"]) == ("istiod-1-30-3", "gw.example.com")
        url = "https://gw.example.com:15017/inject/cluster/cluster1/net/network1"
        assert hooks(found)[0]["clientConfig"]["url"] == url

    @pytest.mark.parametrize(
        ("address", "kind", "message"),
        [
            ("", "ip", "has no address"),
            ("gw.example.com", "ip", "eastWest.addressType of the cluster with that gateway to hostname"),
            ("203.0.113.7", "hostname", "eastWest.addressType of the cluster with that gateway to ip"),
        ],
    )
    def test_an_address_of_the_wrong_kind_is_said_in_words(self, address: str, kind: str, message: str) -> None:
        with pytest.raises(Exception, match=f"remote: .*{message}"):
            graph(remote(address=address, address_type=kind, by_url=kind == "hostname"))

    @pytest.mark.parametrize("over", [{"external": True}, {"config": True}])
    def test_an_external_control_plane_is_called_by_url(self, over: dict[str, Any]) -> None:
        with pytest.raises(ValidationError, match="set by_url to True"):
            RemoteIstiodArgs(root_cert_pem=ROOT, address="203.0.113.7", **WHO, **over)


class TestTags:
    """A tag that moves is changed in place: at no time is a namespace without an injector."""

    def test_its_resources_are_called_after_the_tag_alone(self) -> None:
        before, after = (graph(tag(primary, revision=revision)) for revision in ("1-30-3", "1-31-0"))
        assert {item.name for item in objects(before)} == {item.name for item in objects(after)}
        assert before.drawing() == after.drawing()
        services = [hooks(found)[0]["clientConfig"]["service"]["name"] for found in (before, after)]
        assert services == ["istiod-1-30-3", "istiod-1-31-0"]

    def test_it_injects_as_its_remote_does(self) -> None:
        url = "https://203.0.113.7:15017/inject/cluster/cluster1/net/network1"
        assert hooks(graph(tag(served, by_url=True, external=True)))[0]["clientConfig"]["url"] == url


class TestNodes:
    """What runs on every node."""

    @pytest.mark.parametrize("make", [istiod, cni, ztunnel])
    def test_network_policies_are_asked_for_in_the_same_words(self, make: Callable[..., Make]) -> None:
        (asked,) = graph(make(network_policies=True)).rendered
        assert asked["values"]["global"]["networkPolicy"] == {"enabled": True}
        (plain,) = graph(make()).rendered
        assert "networkPolicy" not in plain["values"].get("global", {})

    @pytest.mark.parametrize("make", [cni, ztunnel])
    @pytest.mark.parametrize(("platform", "namespace"), [("openshift", "kube-system"), ("gke", "istio-system")])
    def test_its_namespace(self, make: Callable[..., Make], platform: str, namespace: str) -> None:
        found = graph(make(platform=platform))
        assert {item.inputs["metadata"]["namespace"] for item in objects(found)} == {namespace}
        assert {options["namespace"] for options in found.rendered} == {namespace}


def test_the_escape_hatch_has_the_last_word() -> None:
    found = graph(
        istiod(values={"env": {"PILOT_X": "1"}, "traceSampling": 5}, mesh_config={"tracing": {"sampling": 1}})
    )
    (options,) = found.rendered
    assert options["values"]["traceSampling"] == 5
    assert options["values"]["env"] == {"PILOT_X": "1"}
    assert options["values"]["global"]["meshID"] == "mesh1"


def test_values_carry_nothing_that_is_known_later() -> None:
    """So nothing secret either, and charts render before anything exists."""
    for found in map(graph, (istiod(), remote(), external())):
        assert "203.0.113.7" not in str(found.rendered)
        assert BUNDLE not in str(found.rendered)
