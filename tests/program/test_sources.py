"""Where the root comes from: whatever the source, what reaches the clusters passes one verifier."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest
from cryptography import x509

from mesh_components.settings.place import PlaceError
from mesh_components.topology.certificates import Bundle, Problem, problems
from mesh_components.trust.vault import VaultCertificates
from tests.program.test_program import program
from tests.support import authorities, google
from tests.support.authorities import Authority
from tests.support.graph import Answer, Graph, Registered
from tests.support.meshes import document, federation, kubeconfig
from tests.support.real_tls import REAL_TLS
from tests.support.vault import ROLE_ID, SECRET_ID, TOKEN, SmallVault, running

CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"
VAULT_TYPE = "pulumi-python:dynamic/trust:VaultCertificate"

TODAY = datetime.now(UTC)
DATES = {"begins": TODAY - timedelta(days=30), "ends": TODAY + timedelta(days=4000)}


def root(**over: Any) -> Authority:
    return authorities.root(**{**DATES, **over})


def under(issuer: Authority, number: int, **over: Any) -> Authority:
    return authorities.intermediate(
        issuer, authorities.key(number=number), **{**DATES, "locality": f"c{number}", **over}
    )


ROOT_PEM = root().pem


def place(name: str) -> dict[str, str]:
    return {"secret": name}


def own(chain: bool = False) -> dict[str, Any]:
    keys = ["certificate", "key", *(["chain"] if chain else [])]
    return {"root": {key: place(key) for key in keys}}


def secrets(graph: Graph) -> dict[str, Registered]:
    found = graph.of_type("kubernetes:core/v1:Secret")
    return {graph.cluster(one): one for one in found if one.kubernetes_name == "cacerts"}


def bundles(graph: Graph) -> dict[str, Bundle]:
    """What the clusters got."""
    found = {}
    for cluster, secret in secrets(graph).items():
        data = {key: base64.b64decode(value).decode() for key, value in secret.inputs["data"].items()}
        found[cluster] = Bundle(data["ca-cert.pem"], data["ca-key.pem"], data["cert-chain.pem"], data["root-cert.pem"])
    return found


def verdict(graph: Graph) -> tuple[Problem, ...]:
    return problems(bundles(graph), datetime.now(UTC) + timedelta(minutes=1))


def built(source: Mapping[str, Any] | None, texts: Mapping[str, str | PlaceError], preview: bool = False) -> Graph:
    trust = {"trust": {"source": source}} if source else {}
    return federation(document("c1", "c2", **trust), texts=texts, answers=REAL_TLS, preview=preview)


def external(source: Mapping[str, Any], texts: Mapping[str, str], answers: Mapping[str, Answer]) -> Graph:
    """A mesh with an external control plane, behind an address."""
    wanted = document("c1", "c2", trust={"source": source})
    wanted["istio"] = {"namespace": "external-istiod"}
    wanted["clusters"][0] |= {"role": "external"}
    wanted["clusters"][1] |= {"role": "config"}
    return federation(wanted, texts=texts, answers={**REAL_TLS, **answers})


def server_chain(graph: Graph) -> str:
    """What the gateway in front of istiod presents."""
    (secret,) = [
        one for one in graph.of_type("kubernetes:core/v1:Secret") if one.kubernetes_name == "external-istiod-tls"
    ]
    return base64.b64decode(secret.inputs["data"]["tls.crt"]).decode()


def test_a_generated_root_passes_too() -> None:
    graph = built(None, {})
    assert set(bundles(graph)) == {"c1", "c2"}
    assert verdict(graph) == ()


class TestOwnRoot:
    """A root that somebody else made, with its key."""

    def texts(self, signer: Authority) -> dict[str, str]:
        given = {"certificate": signer.pem, "key": signer.key}
        if signer.issuer:
            given["chain"] = signer.issuer.chain
        return {f"trust.source.root.{key}": text for key, text in given.items()}

    def test_signs_for_every_cluster(self) -> None:
        made = root()
        graph = built(own(), self.texts(made))
        assert verdict(graph) == ()
        assert {bundle.root_cert for bundle in bundles(graph).values()} == {made.pem}
        assert graph.of_type("tls:index/selfSignedCert:SelfSignedCert") == []

    def test_or_a_certificate_under_it(self) -> None:
        above = root()
        upper = under(above, 5, name="Upper CA", path_length=None, san=None)
        graph = built(own(chain=True), self.texts(upper))
        assert verdict(graph) == ()
        assert {bundle.root_cert for bundle in bundles(graph).values()} == {above.pem}
        for bundle in bundles(graph).values():
            assert bundle.cert_chain == f"{bundle.ca_cert}{upper.pem}{above.pem}"

    def test_preview_and_up_have_one_graph(self) -> None:
        texts = self.texts(root())
        assert built(own(), texts).drawing() == built(own(), texts, preview=True).drawing()

    @pytest.mark.parametrize("preview", [True, False])
    def test_the_key_is_secret_wherever_it_goes(self, preview: bool) -> None:
        made = root()
        graph = built(own(), self.texts(made), preview=preview)
        holders = [one for one in graph.resources_by_name.values() if made.key in one.inputs.values()]
        assert holders
        for one in holders:
            assert {key for key, value in one.inputs.items() if value == made.key} <= one.secret

    def test_trailing_newlines_do_not_matter(self) -> None:
        texts = {place: text.rstrip("\n") for place, text in self.texts(root()).items()}
        assert verdict(built(own(), texts)) == ()

    def test_signs_for_an_external_control_plane(self) -> None:
        above = root()
        upper = under(above, 5, name="Upper CA", path_length=None, san=None)
        chain = server_chain(external(own(chain=True), self.texts(upper), {}))
        assert chain.endswith(upper.pem + above.pem)

    def test_expiry_is_an_output(self) -> None:
        graph = built(own(), self.texts(root()))
        assert graph.stack_outputs["expires"]["root"].startswith(f"{DATES['ends']:%Y-%m-%dT%H}")


class TestReadyMade:
    """Intermediates under a root whose key stays away."""

    def given(self, above: Authority | None = None) -> tuple[dict[str, Any], dict[str, str]]:
        made = {f"c{n}": under(above or root(), n) for n in (1, 2)}
        source = {}
        texts: dict[str, str] = {}
        for name, one in made.items():
            keys = {"certificate": one.pem, "key": one.key, "root": one.root.pem}
            if one.above.issuer:
                keys["chain"] = one.chain
            source[name] = {key: place(f"{name}-{key}") for key in keys}
            texts |= {f"trust.source.intermediates.{name}.{key}": text for key, text in keys.items()}
        return {"intermediates": source}, texts

    def test_reach_their_clusters_as_they_are(self) -> None:
        source, texts = self.given(root())
        graph = built(source, texts)
        assert verdict(graph) == ()
        for name, bundle in bundles(graph).items():
            assert bundle.ca_key == texts[f"trust.source.intermediates.{name}.key"]
        assert [one.type for one in graph.resources_by_name.values() if one.type.startswith("tls:")] == []
        assert all("data" in one.secret for one in secrets(graph).values())

    def test_with_certificates_between(self) -> None:
        above = under(root(), 5, name="Upper CA", path_length=None, san=None)
        assert verdict(built(*self.given(above))) == ()

    def test_preview_and_up_have_one_graph(self) -> None:
        given = self.given(root())
        assert built(*given).drawing() == built(*given, preview=True).drawing()


class TestVault:
    """The request leaves, the key stays; asked over real HTTP, signed for real."""

    @pytest.fixture
    def server(self) -> Iterator[SmallVault]:
        upper = under(root(), 5, name="Upper CA", path_length=None, san=None)
        with running(SmallVault(upper)) as vault:
            yield vault

    def answer(self, _: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return dict(VaultCertificates().create(dict(inputs)).outs or {})

    def source(self, server: SmallVault, **over: Any) -> dict[str, Any]:
        login = {} if {"appRole", "kubernetes"} & set(over) else {"token": place("vaultToken")}
        return {"vault": {"address": server.address, "root": place("root"), **login, **over}}

    def texts(self, server: SmallVault, **over: str) -> dict[str, str]:
        given = {"root": server.issuer.root.pem, "token": TOKEN, **over}
        return {f"trust.source.vault.{key}": text for key, text in given.items()}

    def built(
        self, server: SmallVault, preview: bool = False, texts: Mapping[str, str] | None = None, **over: Any
    ) -> Graph:
        wanted = document("c1", "c2", trust={"source": self.source(server, **over)})
        answers = {**REAL_TLS, VAULT_TYPE: self.answer}
        return federation(wanted, texts=texts or self.texts(server), answers=answers, preview=preview)

    def test_signs_for_every_cluster(self, server: SmallVault) -> None:
        graph = self.built(server)
        assert verdict(graph) == ()
        assert {bundle.root_cert for bundle in bundles(graph).values()} == {server.issuer.root.pem}
        assert [path for path, _, _ in server.asked] == ["pki/root/sign-intermediate"] * 2
        for _, body, headers in server.asked:
            assert headers["X-Vault-Token"] == TOKEN
            assert "PRIVATE KEY" not in str(body)
            assert body["ttl"] == "17520h"

    def test_an_issuer_and_a_namespace(self, server: SmallVault) -> None:
        server.namespace = "team"
        assert verdict(self.built(server, issuer="mesh", namespace="team")) == ()
        assert server.asked[0][0] == "pki/issuer/mesh/sign-intermediate"

    def test_name_constraints_are_those_of_this_mesh(self, server: SmallVault) -> None:
        trees = [x509.UniformResourceIdentifier("example.org")]
        above = root(extra=[(x509.NameConstraints(trees, None), True)])
        server.issuer = under(above, 5, name="Upper CA", path_length=None, san=None)
        wanted = document("c1", "c2", trustDomain="example.org", trust={"source": self.source(server)})
        answers = {**REAL_TLS, VAULT_TYPE: self.answer}
        assert len(bundles(federation(wanted, texts=self.texts(server), answers=answers))) == 2

    def test_a_login_comes_first(self, server: SmallVault) -> None:
        texts = self.texts(server, **{"appRole.secretId": SECRET_ID})
        graph = self.built(server, texts=texts, appRole={"roleId": ROLE_ID, "secretId": place("vaultSecret")})
        assert verdict(graph) == ()

    def test_a_preview_asks_nothing_and_has_the_graph_of_up(self, server: SmallVault) -> None:
        drawing = self.built(server, preview=True).drawing()
        assert server.asked == []
        assert drawing == self.built(server).drawing()

    @pytest.mark.parametrize("preview", [True, False])
    def test_the_login_is_secret(self, server: SmallVault, preview: bool) -> None:
        graph = self.built(server, preview=preview)
        asked = graph.of_type(VAULT_TYPE)
        assert len(asked) == 2
        for one in asked:
            assert "login" in one.secret
            assert {key for key, value in one.inputs.items() if TOKEN in str(value)} == {"login"}
            assert "login" in one.additional_secret_outputs

    def test_what_is_recorded_has_no_login(self, server: SmallVault) -> None:
        graph = self.built(server)
        outs = VaultCertificates().create(dict(graph.of_type(VAULT_TYPE)[0].inputs)).outs
        assert TOKEN not in str(outs)

    def test_a_new_token_signs_nothing(self, server: SmallVault) -> None:
        inputs = dict(self.built(server).of_type(VAULT_TYPE)[0].inputs)
        provider = VaultCertificates()
        made = dict(provider.create(inputs).outs or {})
        count = len(server.asked)
        assert not provider.diff("id", made, {**inputs, "login": {"token": "another"}, "timeout": 3}).changes
        assert len(server.asked) == count

    def test_another_lifetime_is_an_update(self, server: SmallVault) -> None:
        inputs = dict(self.built(server).of_type(VAULT_TYPE)[0].inputs)
        provider = VaultCertificates()
        made = dict(provider.create(inputs).outs or {})
        longer = {**inputs, "body": {**inputs["body"], "ttl": "24h"}}
        found = provider.diff("id", made, longer)
        assert (found.changes, found.replaces) == (True, [])
        assert dict(provider.update("id", made, longer).outs or {})["expires"] != made["expires"]

    def test_what_is_in_the_state_is_looked_at_too(self, server: SmallVault) -> None:
        """The provider refuses a bad answer; what an engine hands on from its state passes the program's own check."""
        expired = under(server.issuer, 1, ends=TODAY - timedelta(days=1))
        stale = {"certificate": expired.pem, "above": expired.above.chain, "expires": "2020-01-01T00:00:00Z"}
        wanted = document("c1", "c2", trust={"source": self.source(server)})
        with pytest.raises(Exception, match=r"signed by Vault .*: the certificate is refused\n.* expired at"):
            federation(wanted, texts=self.texts(server), answers={**REAL_TLS, VAULT_TYPE: lambda *_: stale})

    def test_a_role_signs_for_an_external_control_plane(self, server: SmallVault) -> None:
        graph = external(self.source(server, serverRole="servers"), self.texts(server), {VAULT_TYPE: self.answer})
        assert "pki/sign/servers" in {path for path, _, _ in server.asked}
        assert server_chain(graph).startswith("-----BEGIN CERTIFICATE-----")

    def test_what_is_no_authority_reaches_no_cluster(self, server: SmallVault) -> None:
        server.ca = False
        with pytest.raises(Exception, match=r"is no CA certificate"):
            self.built(server)

    def test_nor_does_what_hangs_on_another_root(self, server: SmallVault) -> None:
        texts = self.texts(server, root=authorities.root(authorities.key(number=9), name="Other", **DATES).pem)
        with pytest.raises(Exception, match=r"is not among the roots that are trusted"):
            self.built(server, texts=texts)


class TestCertManager:
    """The keys are made in the clusters and never leave them."""

    def built(self, preview: bool = False, **over: Any) -> Graph:
        def status(_: str, _inputs: Mapping[str, Any]) -> dict[str, Any]:
            return {"status": {"notAfter": "2036-01-01T00:00:00Z", "conditions": []}}

        source = {"certManager": {"issuer": {"name": "mesh-ca"}, "root": place("root"), **over}}
        wanted = document("c1", "c2", trust={"source": source}, istio={})
        answers = {CERTIFICATE: status}
        return federation(wanted, texts={"trust.source.certManager.root": ROOT_PEM}, answers=answers, preview=preview)

    def test_writes_cacerts_before_istiod_starts(self) -> None:
        graph = self.built()
        asked = graph.of_type(CERTIFICATE)
        assert {graph.cluster(one) for one in asked} == {"c1", "c2"}
        for one in asked:
            assert one.inputs["metadata"]["annotations"] == {"pulumi.com/waitFor": "condition=Ready"}
            assert one.inputs["spec"]["secretName"] == "cacerts"
            assert one.inputs["spec"]["isCA"] is True
            assert not {"server auth", "client auth"} & set(one.inputs["spec"]["usages"])
        istiods = [one for one in graph.of_type("kubernetes:apps/v1:Deployment") if one.kubernetes_name == "istiod"]
        assert len(istiods) == 2
        for istiod in istiods:
            assert f"mesh-{graph.cluster(istiod)}-trust-cacerts" in istiod.depends_on

    def test_the_program_has_no_key_and_no_secret(self) -> None:
        graph = self.built()
        assert [one for one in graph.resources_by_name.values() if one.type.startswith("tls:")] == []
        assert secrets(graph) == {}

    def test_webhooks_know_the_root_that_the_document_names(self) -> None:
        graph = self.built()
        hooks = graph.of_type("kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration")
        bundles = {hook["clientConfig"]["caBundle"] for one in hooks for hook in one.inputs["webhooks"]}
        assert {base64.b64decode(text).decode() for text in bundles} == {ROOT_PEM}

    def test_expiry_is_what_the_clusters_say(self) -> None:
        expires = self.built().stack_outputs["expires"]
        assert expires["clusters"] == dict.fromkeys(("c1", "c2"), "2036-01-01T00:00:00Z")

    def test_preview_and_up_have_one_graph(self) -> None:
        assert self.built().drawing() == self.built(preview=True).drawing()

    def test_an_issuer_on_request(self) -> None:
        graph = self.built(issuer={"name": "mesh-ca", "kind": "Issuer", "spec": {"vault": {"path": "pki/root"}}})
        issuers = graph.of_type("kubernetes:cert-manager.io/v1:Issuer")
        assert [one.inputs["metadata"]["namespace"] for one in issuers] == ["istio-system"] * 2
        for one in graph.of_type(CERTIFICATE):
            assert one.name.replace("cacerts", "issuer") in one.depends_on

    def test_a_renewed_certificate_ends_after_it_is_renewed(self) -> None:
        (one, _) = self.built(renewBeforeDays=9999).of_type(CERTIFICATE)
        hours = {key: int(one.inputs["spec"][key].removesuffix("h")) for key in ("duration", "renewBefore")}
        assert hours["renewBefore"] < hours["duration"]

    def test_what_it_writes_passes_the_verifier(self) -> None:
        """The certificate as cert-manager makes it of this request, under an issuer that has the root."""
        for one in self.built().of_type(CERTIFICATE):
            assert one.inputs["spec"]["commonName"] == "Intermediate CA"
        made = under(root(), 1, usage=authorities.usage(crl_sign=True, content_commitment=False), path_length=None)
        bundle = Bundle.of_tls(made.pem, made.key, made.root.pem)
        assert problems({"c1": bundle}, datetime.now(UTC)) == ()


class TestGoogle:
    """Google's CA Service, under mocks: with its SDK where that is installed, else with what stands for it."""

    @pytest.fixture
    def issuer(self, monkeypatch: pytest.MonkeyPatch) -> Authority:
        google.installed(monkeypatch)
        return under(root(), 5, name="Upper CA", path_length=None, san=None)

    def built(self, issuer: Authority, preview: bool = False, **over: Any) -> Graph:
        vault = SmallVault(issuer)

        def signed(_: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
            life = f"{int(inputs['lifetime'].removesuffix('s')) // 3600}h"
            body = {"csr": inputs["pemCsr"], "ttl": life, "use_csr_values": True, "max_path_length": 0}
            made = vault.sign(body, server="certificateTemplate" not in inputs)
            chain = [issuer.pem, issuer.root.pem]
            return {"pemCertificate": made.public_bytes(authorities.PEM).decode(), "pemCertificateChains": chain}

        source = {
            "googleCas": {"project": "p", "location": "europe-west1", "pool": "mesh", "root": place("root"), **over}
        }
        wanted = document("c1", "c2", trust={"source": source})
        texts = {"trust.source.googleCas.root": issuer.root.pem}
        answers = {**REAL_TLS, google.CERTIFICATE: signed}
        return federation(wanted, texts=texts, answers=answers, preview=preview)

    def test_signs_for_every_cluster(self, issuer: Authority) -> None:
        graph = self.built(issuer)
        assert verdict(graph) == ()
        for one in graph.of_type(google.CERTIFICATE):
            assert "PRIVATE KEY" not in str(one.inputs)
            assert one.inputs["lifetime"] == "63072000s"

    def test_makes_a_template_of_authorities(self, issuer: Authority) -> None:
        (template,) = self.built(issuer).of_type(google.TEMPLATE)
        assert template.inputs["predefinedValues"]["caOptions"] == {"isCa": True, "zeroMaxIssuerPathLength": True}
        usages = template.inputs["predefinedValues"]["keyUsage"]["baseKeyUsage"]
        assert usages == dict.fromkeys(("certSign", "crlSign", "digitalSignature", "keyEncipherment"), True)

    def test_or_takes_the_one_that_is_named(self, issuer: Authority) -> None:
        graph = self.built(issuer, template="projects/p/locations/l/certificateTemplates/t")
        assert graph.of_type(google.TEMPLATE) == []
        for one in graph.of_type(google.CERTIFICATE):
            assert one.inputs["certificateTemplate"].endswith("/t")

    def test_preview_and_up_have_one_graph(self, issuer: Authority) -> None:
        assert self.built(issuer).drawing() == self.built(issuer, preview=True).drawing()

    def test_what_hangs_on_another_root_reaches_no_cluster(self, issuer: Authority) -> None:
        other = under(authorities.root(authorities.key(number=8), name="Other", **DATES), 5, path_length=None)
        source = {"googleCas": {"project": "p", "location": "l", "pool": "mesh", "root": place("root")}}
        wanted = document("c1", "c2", trust={"source": source})
        made = under(other, 1)
        answer = {"pemCertificate": made.pem, "pemCertificateChains": [other.pem, other.root.pem]}
        texts = {"trust.source.googleCas.root": issuer.root.pem}
        with pytest.raises(Exception, match="is not among the roots that are trusted"):
            federation(wanted, texts=texts, answers={**REAL_TLS, google.CERTIFICATE: lambda *_: answer})

    def test_without_the_package_nothing_is_begun(self, monkeypatch: pytest.MonkeyPatch) -> None:
        google.absent(monkeypatch)
        with pytest.raises(pulumi.RunError, match="the package pulumi-gcp is not installed"):
            self.built(root())


class TestBadTexts:
    """Nothing is made of them."""

    def test_stop_the_program_before_the_first_resource(self) -> None:
        bad = root(path_length=0)
        with pytest.raises(pulumi.RunError) as raised:
            built(own(), {"trust.source.root.certificate": bad.pem, "trust.source.root.key": bad.key})
        assert "MESH314 error at trust.source.root.certificate" in str(raised.value)
        assert "PRIVATE KEY" not in str(raised.value)

    def test_a_text_that_nobody_handed_over(self) -> None:
        with pytest.raises(pulumi.RunError, match="the texts that it names were not handed over"):
            built(own(), {})


class TestStack:
    """A stack reads what its document names."""

    def document(self) -> dict[str, Any]:
        source = {"certificate": {"file": "root.pem"}, "key": {"secret": "rootKey"}}
        wanted = document("c1", "c2", trust={"source": {"root": source}})
        for cluster in wanted["clusters"]:
            cluster["kubeconfig"] = {"secret": cluster["name"]}
        return wanted

    def test_files_and_secret_settings(self, tmp_path: Path) -> None:
        made = root()
        (tmp_path / "root.pem").write_text(made.pem)
        settings = {"mesh:rootKey": made.key, **{f"mesh:{name}": kubeconfig(name) for name in ("c1", "c2")}}
        graph = program(tmp_path, self.document(), settings)
        assert {base64.b64decode(one.inputs["data"]["root-cert.pem"]).decode() for one in secrets(graph).values()} == {
            made.pem
        }

    def test_der_is_told_from_pem(self, tmp_path: Path) -> None:
        made = root()
        (tmp_path / "root.pem").write_bytes(made.der)
        settings = {"mesh:rootKey": made.key, **{f"mesh:{name}": kubeconfig(name) for name in ("c1", "c2")}}
        with pytest.raises(pulumi.RunError, match=r"MESH312 error at trust.source.root.certificate: .* is binary"):
            program(tmp_path, self.document(), settings)

    def test_what_is_absent_is_named(self, tmp_path: Path) -> None:
        settings = {f"mesh:{name}": kubeconfig(name) for name in ("c1", "c2")}
        with pytest.raises(pulumi.RunError) as raised:
            program(tmp_path, self.document(), settings)
        assert "MESH311 error at trust.source.root.certificate: there is no file" in str(raised.value)
        assert "MESH311 error at trust.source.root.key: the secret stack setting rootKey is not set" in str(
            raised.value
        )
