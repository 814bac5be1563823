"""Discovery under mocks: one object however clusters are announced, in the reader's cluster, and secret throughout."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
import pytest
import yaml
from pydantic import ValidationError

from mesh_components.clusters.attached import AttachedCluster, AttachedClusterArgs
from mesh_components.clusters.cluster import Cluster
from mesh_components.discovery.bundle import RemoteSecretBundle, RemoteSecretBundleArgs
from mesh_components.discovery.config_secret import ConfigSecret, ConfigSecretArgs
from mesh_components.discovery.reader import ReaderToken, ReaderTokenArgs
from mesh_components.discovery.remote_secret import RemoteSecret, RemoteSecretArgs
from mesh_components.discovery.requested import RequestedToken, RequestedTokenArgs
from mesh_components.discovery.source import RemoteSource
from mesh_components.topology.rights import rights, rules
from tests.support import authorities
from tests.support.graph import Graph, Registered, run
from tests.support.meshes import document, federation, kubeconfig

Clusters = Mapping[str, AttachedCluster]


def between(make: Callable[[Clusters], None], *names: str, preview: bool = False) -> Graph:
    """The graph of a program on several clusters."""

    def program() -> None:
        make({name: AttachedCluster(name, AttachedClusterArgs(kubeconfig=kubeconfig(name))) for name in names})

    return run(program, preview=preview)


def reader(cluster: AttachedCluster, name: str, **args: Any) -> ReaderToken:
    return ReaderToken(f"{name}-reader", ReaderTokenArgs(**args), pulumi.ResourceOptions(providers=[cluster.provider]))


def secret(graph: Graph, kubernetes_name: str) -> Registered:
    secrets = graph.of_type("kubernetes:core/v1:Secret")
    (found,) = [item for item in secrets if item.kubernetes_name == kubernetes_name]
    return found


def kubeconfigs(item: Registered) -> dict[str, Any]:
    return {key: yaml.safe_load(base64.b64decode(value)) for key, value in item.inputs["data"].items()}


def bundle(*sources: str, preview: bool = False) -> Graph:
    """West reads the sources."""

    def make(clusters: Clusters) -> None:
        known = {
            name: RemoteSource(token=reader(clusters[name], name), api_server=f"https://{name}.internal:6443")
            for name in sources
        }
        RemoteSecretBundle("west-sources", RemoteSecretBundleArgs(reader=clusters["west"], sources=known))

    return between(make, "west", *sources, preview=preview)


def separate(*sources: str) -> Graph:
    """The same, one by one."""

    def make(clusters: Clusters) -> None:
        for name in sources:
            args = RemoteSecretArgs(
                source_name=name,
                source=clusters[name],
                reader=clusters["west"],
                token=reader(clusters[name], name),
                api_server=f"https://{name}.internal:6443",
            )
            RemoteSecret(f"{name}-to-west", args)

    return between(make, "west", *sources)


class TestBundle:
    """A mesh of N clusters has N of them: each says what all the separate ones say."""

    def test_one_secret_in_the_reader_s_cluster_with_a_key_per_source(self) -> None:
        graph = bundle("north", "east")
        found = secret(graph, "istio-remote-secrets")
        assert graph.cluster(found) == "west"
        assert set(found.inputs["data"]) == {"east", "north"}
        assert found.inputs["type"] == "Opaque"
        assert found.inputs["metadata"] == {
            "name": "istio-remote-secrets",
            "namespace": "istio-system",
            "labels": {"istio/multiCluster": "true"},
        }

    def test_each_key_is_what_a_separate_secret_says(self) -> None:
        bundled = kubeconfigs(secret(bundle("north", "east"), "istio-remote-secrets"))
        apart = separate("north", "east")
        for name in ("north", "east"):
            assert kubeconfigs(secret(apart, f"istio-remote-secret-{name}")) == {name: bundled[name]}
            assert bundled[name]["clusters"][0]["cluster"]["server"] == f"https://{name}.internal:6443"

    def test_a_source_that_comes_changes_nothing_of_the_others(self) -> None:
        before, after = bundle("east"), bundle("east", "north")
        old, new = (secret(graph, "istio-remote-secrets") for graph in (before, after))
        assert old.urn == new.urn
        assert old.inputs["data"].items() <= new.inputs["data"].items()

    def test_the_kubeconfigs_are_secret(self) -> None:
        assert "data" in secret(bundle("east"), "istio-remote-secrets").secret

    def test_preview_records_the_same_graph_as_up(self) -> None:
        assert bundle("east", "north", preview=True).drawing() == bundle("east", "north").drawing()

    def test_one_without_sources_is_refused(self) -> None:
        def make(clusters: Clusters) -> None:
            RemoteSecretBundleArgs(reader=clusters["west"], sources={})

        with pytest.raises(ValidationError, match="sources"):
            between(make, "west")


class TestConfigSecret:
    """An external istiod reads and writes its configuration in another cluster, by an account of its own there."""

    @staticmethod
    def graph(account: str = "istiod") -> Graph:
        def make(clusters: Clusters) -> None:
            token = reader(clusters["config"], "config", namespace="external-istiod", account=account)
            args = ConfigSecretArgs(
                source_name="config",
                source=RemoteSource(token=token, api_server=clusters["config"].api_server),
                reader=clusters["outside"],
                namespace="external-istiod",
            )
            ConfigSecret("config-to-outside", args)

        return between(make, "config", "outside")

    def test_it_is_what_istioctl_would_write_but_for_the_label(self) -> None:
        """By the label istiod would read the config cluster a second time, as one called `config`."""
        graph = self.graph()
        found = secret(graph, "istio-kubeconfig")
        assert graph.cluster(found) == "outside"
        assert found.inputs["metadata"] == {
            "name": "istio-kubeconfig",
            "namespace": "external-istiod",
            "annotations": {"networking.istio.io/cluster": "config"},
        }
        assert list(found.inputs["data"]) == ["config"]
        assert "data" in found.secret

    @pytest.mark.parametrize("account", ["istiod", "istiod-a"])
    def test_the_token_is_of_istiod_s_account(self, account: str) -> None:
        graph = self.graph(account)
        token = secret(graph, f"{account}-istio-remote-secret-token")
        assert graph.cluster(token) == "config"
        assert token.inputs["metadata"]["annotations"]["kubernetes.io/service-account.name"] == account
        found = kubeconfigs(secret(graph, "istio-kubeconfig"))["config"]
        assert found["users"] == [{"name": "config", "user": {"token": "token of config-reader-secret"}}]
        assert found["clusters"][0]["cluster"]["server"] == "https://config.example.com:6443"


class TestTokensOfAMesh:
    """What the document says of tokens, in the graph."""

    @staticmethod
    def mesh(*, preview: bool = False, **tokens: Any) -> Graph:
        return federation(document("east", "west", discovery={"tokens": tokens}), preview=preview)

    def test_requested_ones_are_bound_to_a_secret_of_ours_and_nothing_of_them_is_shown(self) -> None:
        graph = self.mesh(kind="requested", lifetimeHours=480)
        requests = graph.of_type("pulumi-python:dynamic/mesh:TokenRequest")
        assert [item.name for item in requests] == ["mesh-east-reader-request", "mesh-west-reader-request"]
        for item in requests:
            assert item.secret >= {"kubeconfig", "__provider"}
            assert item.additional_secret_outputs == ("token",)
            assert item.inputs["lifetimeHours"] == 480
            assert item.inputs["secret"]["name"] == "istio-reader-service-account-requested-token"
        binding = graph.resources_by_name["mesh-east-reader-binding"]
        assert graph.cluster(binding) == "east"
        assert binding.inputs.get("data") is None
        assert graph.of_type("mesh:index:ReaderToken") == []

    def test_the_remote_secret_carries_them(self) -> None:
        graph = self.mesh(kind="requested")
        found = kubeconfigs(secret(graph, "istio-remote-secret-east"))["east"]
        assert found["users"][0]["user"]["token"] == "token of mesh-east-reader-request"
        assert found["clusters"][0]["cluster"]["certificate-authority-data"] == "YXV0aG9yaXR5"
        assert graph.stack_outputs["expires"]["tokens"] == dict.fromkeys(("east", "west"), "2027-01-01T00:00:00Z")

    @pytest.mark.parametrize("kind", ["long-lived", "requested"])
    @pytest.mark.parametrize("keep", [False, True])
    def test_a_higher_serial_is_another_secret(self, kind: str, keep: bool) -> None:
        graph = self.mesh(kind=kind, serials={"east": 3}, keepPrevious=keep)
        type_ = f"mesh:index:{'ReaderToken' if kind == 'long-lived' else 'RequestedToken'}"
        kept = {"mesh-east-reader.2"} if keep else set()
        assert {item.name for item in graph.of_type(type_)} == {"mesh-east-reader.3", "mesh-west-reader"} | kept
        found = kubeconfigs(secret(graph, "istio-remote-secret-east"))["east"]["users"][0]["user"]["token"]
        assert "mesh-east-reader.3" in found

    @pytest.mark.parametrize("kind", ["long-lived", "requested"])
    def test_preview_records_the_same_graph_as_up(self, kind: str) -> None:
        assert self.mesh(kind=kind, preview=True).drawing() == self.mesh(kind=kind).drawing()

    @pytest.mark.parametrize("kind", ["long-lived", "requested"])
    def test_an_account_of_our_own_comes_before_its_token(self, kind: str) -> None:
        wanted = document("east", "west", discovery={"account": "own", "tokens": {"kind": kind}})
        wanted["clusters"][1] |= {"role": "remote", "controlPlane": "east"}
        graph = federation(wanted)
        (account,) = graph.of_type("mesh:index:ReaderAccount")
        assert account.name == "mesh-west-reader-account"
        role = graph.resources_by_name["mesh-west-reader-account-role"]
        assert graph.cluster(role) == "west"
        assert role.inputs["rules"] == rules(rights(served=True))
        made = {"long-lived": "mesh-west-own-reader-secret", "requested": "mesh-west-own-reader-request"}[kind]
        assert "mesh-west-reader-account-binding" in graph.resources_by_name[made].depends_on

    def test_a_cluster_without_a_kubeconfig_is_told_so(self) -> None:
        class Other(Cluster):
            def __init__(self) -> None:
                super().__init__("mesh:index:Other", "other", {}, None)

        def program() -> None:
            RequestedToken("other-reader", RequestedTokenArgs(cluster=Other()))

        with pytest.raises(pulumi.RunError, match="the cluster has no `kubeconfig` to request a token with"):
            run(program)


class TestOtherwise:
    """Peers that show no token: what they show stands nowhere in clear, and whom the document names gets the rights."""

    ROOT = authorities.root()
    CLIENT = authorities.client(ROOT)

    def mesh(self, *, preview: bool = False, secrets: str = "separate", **stated: Any) -> Graph:
        wanted = document("east", "west", discovery={"secrets": secrets})
        wanted["clusters"][0] |= {"peerAuthentication": stated}
        place = "clusters[0].peerAuthentication"
        texts = {
            f"{place}.clientCertificate.certificate": self.CLIENT.pem,
            f"{place}.clientCertificate.key": self.CLIENT.key,
            f"{place}.certificateAuthority": self.ROOT.pem,
            f"{place}.oidc.clientSecret": "the client secret\n",
            f"{place}.oidc.refreshToken": "the refresh token\n",
        }
        named = {key: text for key, text in texts.items() if key.split(".")[2] in stated}
        return federation(wanted, preview=preview, texts=named)

    @property
    def certificate(self) -> dict[str, Any]:
        return {"clientCertificate": {"certificate": {"file": "c"}, "key": {"file": "k"}}}

    @pytest.mark.parametrize("secrets", ["separate", "bundled"])
    def test_a_client_certificate(self, secrets: str) -> None:
        graph = self.mesh(secrets=secrets, **self.certificate)
        name = {"separate": "mesh-east-to-west-secret", "bundled": "mesh-west-sources-secret"}[secrets]
        found = kubeconfigs(graph.resources_by_name[name])["east"]
        user = found["users"][0]["user"]
        assert {key: base64.b64decode(value).decode() for key, value in user.items()} == {
            "client-certificate-data": self.CLIENT.pem,
            "client-key-data": self.CLIENT.key,
        }
        # The kubeconfig of the cluster has no authority of its own.
        assert found["clusters"][0]["cluster"] == {"server": "https://east.example.com:6443"}
        assert [item.name for item in graph.of_type("mesh:index:ReaderToken")] == ["mesh-west-reader"]
        assert graph.of_type("mesh:index:ReaderAccount") == []

    def test_oidc_with_an_authority_of_the_document(self) -> None:
        way = {"issuer": "https://login.example.com", "clientId": "mesh"}
        texts = {"clientSecret": {"secret": "s"}, "refreshToken": {"secret": "r"}}
        graph = self.mesh(oidc={**way, **texts}, certificateAuthority={"file": "ca"})
        found = kubeconfigs(secret(graph, "istio-remote-secret-east"))["east"]
        config = {
            "idp-issuer-url": "https://login.example.com",
            "client-id": "mesh",
            "client-secret": "the client secret",
            "refresh-token": "the refresh token",
        }
        assert found["users"][0]["user"] == {"auth-provider": {"name": "oidc", "config": config}}
        authority = found["clusters"][0]["cluster"]["certificate-authority-data"]
        assert base64.b64decode(authority).decode() == self.ROOT.pem

    def test_the_user_has_the_rights_before_a_peer_comes(self) -> None:
        graph = self.mesh(user="mesh-reader", **self.certificate)
        binding = graph.resources_by_name["mesh-east-reader-account-binding"]
        assert graph.cluster(binding) == "east"
        subject = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "mesh-reader"}
        assert binding.inputs["subjects"] == [subject]
        role = graph.resources_by_name["mesh-east-reader-account-role"]
        assert role.inputs["rules"] == rules(rights(served=False))
        made = {item.name for item in graph.of_type("kubernetes:core/v1:ServiceAccount")}
        assert "mesh-east-reader-account-account" not in made
        assert binding.name in secret(graph, "istio-remote-secret-east").depends_on

    def test_nothing_of_it_is_in_clear_and_preview_records_the_same(self) -> None:
        graph = self.mesh(user="mesh-reader", **self.certificate)
        assert "data" in secret(graph, "istio-remote-secret-east").secret
        assert self.mesh(user="mesh-reader", preview=True, **self.certificate).drawing() == graph.drawing()


class TestMounted:
    """istiod reads a folder: nothing of ours is about another cluster."""

    @staticmethod
    def mesh(*, preview: bool = False) -> Graph:
        wanted = document("east", "west", istio={"install": "charts"})
        wanted["discovery"] = {"secrets": "mounted", "mounted": {"volume": {"secret": {"secretName": "clusters"}}}}
        return federation(wanted, preview=preview)

    def test_each_istiod_mounts_it_and_is_told_where(self) -> None:
        graph = self.mesh()
        istiods = [item for item in graph.of_type("kubernetes:apps/v1:Deployment") if "istiod" in item.kubernetes_name]
        assert sorted(map(graph.cluster, istiods)) == ["east", "west"]
        for item in istiods:
            pod = item.inputs["spec"]["template"]["spec"]
            assert {"name": "mesh-clusters", "secret": {"secretName": "clusters"}} in pod["volumes"]
            mount = {"name": "mesh-clusters", "mountPath": "/var/run/secrets/mesh/clusters", "readOnly": True}
            assert mount in pod["containers"][0]["volumeMounts"]
        told = [rendered["values"].get("env", {}) for rendered in graph.rendered if "env" in rendered["values"]]
        assert {"PILOT_MULTICLUSTER_KUBECONFIG_PATH": "/var/run/secrets/mesh/clusters"}.items() <= told[0].items()

    def test_no_token_and_no_remote_secret(self) -> None:
        graph = self.mesh()
        for kind in ("ReaderToken", "RequestedToken", "RemoteSecret", "RemoteSecretBundle"):
            assert graph.of_type(f"mesh:index:{kind}") == []
        assert {item.kubernetes_name for item in graph.of_type("kubernetes:core/v1:Secret")} == {"cacerts"}

    def test_preview_records_the_same_graph_as_up(self) -> None:
        assert self.mesh(preview=True).drawing() == self.mesh().drawing()


class TestSource:
    """A secret from which no istiod could read anything would be found out only in istiod's log."""

    def test_nothing_to_read_with_is_refused(self) -> None:
        def make(clusters: Clusters) -> None:
            sources = {"east": RemoteSource(api_server="https://east.internal:6443")}
            RemoteSecretBundle("west-sources", RemoteSecretBundleArgs(reader=clusters["west"], sources=sources))

        with pytest.raises(
            pulumi.RunError, match=r'"east": .*give a kubeconfig, or api_server with one of token and user'
        ):
            between(make, "west")

    def test_a_ready_made_kubeconfig_is_handed_on_as_it_is(self) -> None:
        def make(clusters: Clusters) -> None:
            args = RemoteSecretArgs(
                source_name="east", source=clusters["east"], reader=clusters["west"], kubeconfig=kubeconfig("east")
            )
            RemoteSecret("east-to-west", args)

        graph = between(make, "east", "west")
        found = secret(graph, "istio-remote-secret-east")
        assert base64.b64decode(found.inputs["data"]["east"]).decode() == kubeconfig("east")
        assert graph.of_type("mesh:index:ReaderToken") == []

    def test_without_a_token_an_edge_makes_one_in_the_source(self) -> None:
        def make(clusters: Clusters) -> None:
            RemoteSecret(
                "east-to-west", RemoteSecretArgs(source_name="east", source=clusters["east"], reader=clusters["west"])
            )

        graph = between(make, "east", "west")
        token = secret(graph, "istio-reader-service-account-istio-remote-secret-token")
        assert graph.cluster(token) == "east"
        found = kubeconfigs(secret(graph, "istio-remote-secret-east"))["east"]
        assert found["users"][0]["user"]["token"] == f"token of {token.name}"

    def test_no_argument_that_is_a_kubeconfig_is_printed(self) -> None:
        source = RemoteSource(kubeconfig=kubeconfig("east"))
        assert "admin-token-of-east" not in repr(source)
