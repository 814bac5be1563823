"""Good bundles are let through, and every chain gets OpenSSL's and Python's own verdict beside ours."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_components.settings import Severity
from mesh_components.topology.certificates import (
    Bundle,
    Expected,
    Signer,
    bundle_problems,
    problems,
    signer_problems,
)
from tests.support.authorities import (
    CLIENT,
    INTERMEDIATE,
    NOW,
    SERVER,
    TRADITIONAL,
    YEAR,
    Authority,
    Shape,
    authority,
    intermediate,
    key,
    key_pem,
    root,
)

OPENSSL = shutil.which("openssl")


def deep() -> Authority:
    upper = intermediate(root(), key(number=2), name="Upper CA", path_length=None, ends=NOW + YEAR * 2)
    return intermediate(upper)


def rotating() -> Bundle:
    """Two roots of different names, as in the middle of a rotation."""
    made, following = intermediate(root()), root(key(number=3), name="Root CA 2")
    return made.bundle(root_cert=made.root.pem + following.pem)


def permitted() -> Authority:
    trees = [x509.UniformResourceIdentifier("cluster.local"), x509.DNSName("istio-system.svc")]
    return intermediate(root(extra=[(x509.NameConstraints(trees, None), True)]))


def tls(made: Authority, *, whole: bool) -> Bundle:
    """As cert-manager writes it: the certificates below the root in tls.crt, the root in ca.crt."""
    above = made.above.pem if whole else ""
    return Bundle.of_tls(made.pem + above, made.key, made.root.pem)


GOOD: dict[str, Callable[[], Bundle]] = {
    "Istio's Makefile": lambda: intermediate(root(key("rsa4096")), key("rsa4096", 1)).bundle(),
    "P-256": lambda: intermediate(root()).bundle(),
    "P-384": lambda: intermediate(root(key("p384")), key("p384", 1)).bundle(),
    "RSA 2048": lambda: intermediate(root(key("rsa2048")), key("rsa2048", 1)).bundle(),
    "RSA under P-384": lambda: intermediate(root(key("p384")), key("rsa2048", 1)).bundle(),
    "three levels": lambda: deep().bundle(),
    "three levels, root not sent": lambda: (made := deep()).bundle(cert_chain=made.pem + made.above.pem),
    "two roots": rotating,
    "a SEC1 key": lambda: intermediate(root()).bundle(ca_key=key_pem(key(number=1), TRADITIONAL)),
    "a PKCS#1 key": lambda: intermediate(root(), key("rsa2048")).bundle(ca_key=key_pem(key("rsa2048"), TRADITIONAL)),
    "kubernetes.io/tls": lambda: tls(intermediate(root()), whole=False),
    "kubernetes.io/tls, three levels": lambda: tls(deep(), whole=True),
    "no key usage": lambda: intermediate(root(usage=None), usage=None).bundle(),
    "usages for both ends of TLS": lambda: intermediate(root(), purposes=[SERVER, CLIENT]).bundle(),
    "a root of path length 1": lambda: intermediate(root(path_length=1)).bundle(),
    "no identifiers": lambda: intermediate(
        root(with_key_id=False), with_authority_id=False, with_key_id=False
    ).bundle(),
    "names permitted": lambda: permitted().bundle(),
    "a critical policy": lambda: intermediate(root(), extra=[(x509.PolicyConstraints(None, 0), True)]).bundle(),
    "a key that is not known here": lambda: intermediate(root()).bundle(ca_key=None, key_elsewhere=True),
}


class TestGoodBundles:
    @pytest.mark.parametrize("case", GOOD)
    def test_has_nothing_to_be_said_about(self, case: str) -> None:
        assert bundle_problems(GOOD[case](), NOW) == ()

    def test_clusters_under_one_root(self) -> None:
        above = root()
        bundles = {f"c{n}": intermediate(above, key(number=n), locality=f"c{n}").bundle() for n in range(1, 5)}
        assert problems(bundles, NOW) == ()

    def test_what_works_and_will_be_regretted_is_a_warning(self) -> None:
        above = root()
        doubtful = {
            "p521": intermediate(above, key("p521")).bundle(),
            "outlives-issuer": intermediate(above, ends=NOW + YEAR * 20).bundle(),
            "root-signs": above.bundle(),
            "text-around": intermediate(above).bundle(root_cert=f"# the root\n{above.pem}"),
            "stray": (made := intermediate(above)).bundle(cert_chain=made.chain + root(key(number=8), name="X").pem),
            "twice-in-roots": intermediate(above).bundle(root_cert=above.pem * 2),
            "root-not-self-signed": (low := deep()).bundle(root_cert=low.above.pem, cert_chain=low.pem + low.above.pem),
            "chain-order": (low := deep()).bundle(cert_chain=low.pem + low.root.pem + low.above.pem),
            "expired": intermediate(above).bundle(root_cert=above.pem + root(key(number=8), name="X", ends=NOW).pem),
        }
        later = NOW + timedelta(seconds=1)
        for kind, bundle in doubtful.items():
            assert [(p.kind, p.severity) for p in bundle_problems(bundle, later)] == [(kind, Severity.WARNING)]

    def test_the_names_that_are_constrained_are_those_of_this_mesh(self) -> None:
        made = permitted().bundle()
        assert [p.kind for p in bundle_problems(made, NOW, Expected("example.org"))] == ["constrained-uri"]
        assert [p.kind for p in bundle_problems(made, NOW, Expected(namespace="mesh"))] == ["constrained-dns"]


class TestSigners:
    """What is to sign the clusters' certificates stands one step higher."""

    def test_a_root(self) -> None:
        made = root()
        assert signer_problems(Signer(made.pem, made.key), NOW) == ()

    def test_an_upper_intermediate(self) -> None:
        upper = deep().above
        assert signer_problems(Signer(upper.pem, upper.key, upper.root.pem), NOW) == ()

    @pytest.mark.parametrize(
        ("signer", "kind"),
        [
            (lambda: (made := root(path_length=0), Signer(made.pem, made.key))[1], "path-length"),
            (lambda: (made := intermediate(root()), Signer(made.pem, made.key, made.root.pem))[1], "path-length"),
            (lambda: Signer(intermediate(root(), path_length=None).pem, key_pem(key(number=1))), "missing-chain"),
            (lambda: Signer(root().pem, key_pem(key(number=1))), "wrong-key"),
            (lambda: Signer(root().pem, None), "missing-part"),
            (lambda: Signer(None, root().key), "missing-part"),
            (lambda: Signer(root().pem * 2, root().key), "several-certificates"),
        ],
    )
    def test_a_bad_one(self, signer: Callable[[], Signer], kind: str) -> None:
        assert [p.kind for p in signer_problems(signer(), NOW)] == [kind]


KINDS = st.sampled_from(["p256", "p384", "rsa2048"])
LENGTHS = st.none() | st.integers(0, 4)


@st.composite
def ladders(draw: st.DrawFn) -> Authority:
    """Chains of two to four certificates, some of which are wrong."""
    made = root(key(draw(KINDS), 0), path_length=draw(LENGTHS), ends=NOW + draw(st.sampled_from([-0.5, 1, 9])) * YEAR)
    for level in range(1, draw(st.integers(2, 4))):
        shape = Shape(
            f"CA {level}",
            path_length=draw(LENGTHS),
            ca=draw(st.sampled_from([True] * 9 + [False])),
            ends=NOW + draw(st.sampled_from([9, 9, 9, 9, -0.5])) * YEAR,
            san=INTERMEDIATE.san,
        )
        if not shape.ca:
            shape = Shape(shape.name, ca=False, ends=shape.ends)
        made = authority(shape, key(draw(KINDS), level), made)
    return made


def openssl(made: Authority, folder: Path) -> bool:
    """OpenSSL's verdict on a workload's certificate under the bundle, as a server and as a client."""
    leaf = authority(
        Shape("workload", ca=False, constraints=False, usage=None, purposes=[SERVER, CLIENT]), key(number=9), made
    )
    for name, text in {"leaf": leaf.pem, "chain": made.chain, "root": made.root.pem}.items():
        (folder / name).write_text(text)
    command = [str(OPENSSL), "verify", "-attime", str(int(NOW.timestamp())), "-no-CApath", "-CAfile", "root"]
    return all(
        subprocess.run(
            [*command, "-untrusted", "chain", "-purpose", purpose, "leaf"], cwd=folder, capture_output=True, check=False
        ).returncode
        == 0
        for purpose in ("sslserver", "sslclient")
    )


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not at hand")
class TestTheVerdictOfOpenssl:
    """OpenSSL's rules about chains are those of BoringSSL, which Envoy has."""

    @settings(max_examples=40, deadline=None)
    @given(made=ladders())
    def test_is_ours(self, made: Authority, tmp_path_factory: pytest.TempPathFactory) -> None:
        found = bundle_problems(made.bundle(), NOW)
        ours = not any(problem.severity is Severity.ERROR for problem in found)
        assert ours == openssl(made, tmp_path_factory.mktemp("chain")), found

    @pytest.mark.parametrize(
        "over",
        [
            {"purposes": [SERVER]},
            {"purposes": [CLIENT]},
            {"authority_id": b"elsewhere"},
            {"purposes": [SERVER, CLIENT]},
        ],
    )
    def test_is_ours_on_extensions(self, over: dict[str, object], tmp_path: Path) -> None:
        made = intermediate(root(), **over)
        ours = not any(problem.severity is Severity.ERROR for problem in bundle_problems(made.bundle(), NOW))
        assert ours == openssl(made, tmp_path)


class TestAnyText:
    """Whatever stands in the four places, the answer is problems, and no exception."""

    @settings(max_examples=80, deadline=None)
    @given(
        position=st.integers(0, 900), letter=st.characters(codec="utf-8"), part=st.sampled_from(["ca_cert", "ca_key"])
    )
    def test_a_changed_letter(self, position: int, letter: str, part: str) -> None:
        made = intermediate(root()).bundle()
        text = getattr(made, part)
        at = position % len(text)
        changed = {part: text[:at] + letter + text[at + 1 :]}
        bundle_problems(intermediate(root()).bundle(**changed), NOW)

    @settings(max_examples=80, deadline=None)
    @given(texts=st.lists(st.text() | st.just("-----BEGIN CERTIFICATE-----\n"), min_size=4, max_size=4))
    def test_noise(self, texts: list[str]) -> None:
        found = bundle_problems(Bundle(texts[0], texts[1], texts[2], texts[3]), NOW)
        assert any(problem.severity is Severity.ERROR for problem in found)
