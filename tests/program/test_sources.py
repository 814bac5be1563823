"""Where the root comes from: whatever the source, what reaches the clusters passes one verifier."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest

from mesh_components.settings.place import PlaceError
from mesh_components.topology.certificates import Bundle, Problem, problems
from tests.program.test_program import program
from tests.support import authorities
from tests.support.authorities import Authority
from tests.support.graph import Graph, Registered
from tests.support.meshes import document, federation, kubeconfig
from tests.support.real_tls import REAL_TLS

TODAY = datetime.now(UTC)
DATES = {"begins": TODAY - timedelta(days=30), "ends": TODAY + timedelta(days=4000)}


def root(**over: Any) -> Authority:
    return authorities.root(**{**DATES, **over})


def under(issuer: Authority, number: int, **over: Any) -> Authority:
    return authorities.intermediate(
        issuer, authorities.key(number=number), **{**DATES, "locality": f"c{number}", **over}
    )


def place(name: str) -> dict[str, str]:
    return {"secret": name}


def own(chain: bool = False) -> dict[str, Any]:
    keys = ["certificate", "key", *(["chain"] if chain else [])]
    return {"root": {key: place(key) for key in keys}}


def secrets(graph: Graph) -> dict[str, Registered]:
    return {graph.cluster(one): one for one in graph.kubernetes() if one.kubernetes_name == "cacerts"}


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
