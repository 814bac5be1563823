"""Bad bundles: each is refused, with a message of its own that names the certificate and no key.

The certificates are real. What is wrong is what people have brought: `reference/users.md` 18 to 22, and Istio's issues.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from mesh_components.settings import Severity
from mesh_components.topology.certificates import Bundle, Problem, bundle_problems, problems
from tests.support.authorities import (
    ANY,
    CLIENT,
    NOW,
    PKCS8,
    SERVER,
    TRADITIONAL,
    YEAR,
    Authority,
    intermediate,
    key,
    key_pem,
    resigned,
    root,
    usage,
)

DAY = YEAR / 365


def good() -> Authority:
    return intermediate(root())


def deep(upper: dict[str, object] | None = None, top: dict[str, object] | None = None) -> Authority:
    """Three levels."""
    above = intermediate(
        root(**(top or {})),
        key(number=2),
        **{"name": "Upper CA", "path_length": None, "san": None, "ends": NOW + YEAR * 2, **(upper or {})},
    )
    return intermediate(above)


def under_rsa(digest: str) -> Authority:
    above = root(key("rsa2048"))
    return resigned(intermediate(above, key("rsa2048", 1)), digest, above)


def upper_under_rsa() -> Authority:
    above = root(key("rsa2048"))
    middle = resigned(intermediate(above, key("rsa2048", 1), name="Upper CA", path_length=None), "sha1", above)
    return intermediate(middle, key(number=2))


def constrained(kind: type[x509.GeneralName], value: str, *, excluded: bool = False) -> Authority:
    tree = [kind(value)]  # type: ignore[call-arg]
    constraints = x509.NameConstraints(None if excluded else tree, tree if excluded else None)
    return intermediate(root(extra=[(constraints, True)]))


def directory() -> Authority:
    name = x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Istio")]))
    return intermediate(root(extra=[(x509.NameConstraints([name], None), True)]))


def ambiguous() -> Bundle:
    """A root that was made again under its name, without identifiers, while the old one is trusted still."""
    plain = {"with_key_id": False, "with_authority_id": False}
    old, new = root(key(number=3), **plain), root(**plain)
    made = intermediate(new, with_authority_id=False)
    return made.bundle(root_cert=old.pem + new.pem)


def without_lines(text: str, *numbers: int) -> str:
    return "".join(line for n, line in enumerate(text.splitlines(keepends=True)) if n not in numbers)


def damaged(pem: str) -> str:
    """A whole PEM with half of a certificate in it."""
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    return (
        f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(der[: len(der) // 2]).decode()}\n-----END CERTIFICATE-----\n"
    )


def glued(*pems: str) -> str:
    return "".join(pem.rstrip() for pem in pems) + "\n"


def der(text: str) -> str:
    body = base64.b64decode("".join(text.splitlines()[1:-1]))
    return body.decode("utf-8", "replace")


def relabelled(text: str, label: str) -> str:
    return re.sub(r"(BEGIN|END) [A-Z ]+", rf"\1 {label}", text)


def spki() -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key(number=1).public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def openssh() -> str:
    none = serialization.NoEncryption()
    form = serialization.PrivateFormat.OpenSSH
    return str(key(number=1).private_bytes(serialization.Encoding.PEM, form, none).decode())


def request() -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key(number=1), hashes.SHA256()).public_bytes(
        serialization.Encoding.PEM
    ).decode()  # fmt: skip


PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
CRITICAL = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")

BAD: dict[str, tuple[Callable[[], Bundle], str]] = {
    # dates
    "an expired intermediate": (lambda: intermediate(root(), ends=NOW - DAY).bundle(), "expired"),
    "an expired root": (lambda: intermediate(root(ends=NOW - DAY), ends=NOW + DAY).bundle(), "expired"),
    "an expired certificate in the middle": (lambda: deep({"ends": NOW - DAY}).bundle(), "expired"),
    "an intermediate of tomorrow": (lambda: intermediate(root(), begins=NOW + DAY).bundle(), "not-yet-valid"),
    "a root of tomorrow": (lambda: intermediate(root(begins=NOW + DAY)).bundle(), "not-yet-valid"),
    # authorities
    "a server's certificate that signs": (lambda: intermediate(root(), ca=False, path_length=None).bundle(), "not-ca"),
    "no basic constraints": (lambda: intermediate(root(), constraints=False).bundle(), "not-ca"),
    "a root that is no CA": (lambda: intermediate(root(ca=False)).bundle(), "not-ca"),
    "a root of path length 0": (lambda: intermediate(root(path_length=0)).bundle(), "path-length"),
    "a root of path length 1 over two": (lambda: deep(top={"path_length": 1}).bundle(), "path-length"),
    "path length 0 in the middle": (lambda: deep({"path_length": 0}).bundle(), "path-length"),
    "a key usage without keyCertSign": (
        lambda: intermediate(root(), usage=usage(key_cert_sign=False)).bundle(),
        "no-cert-sign",
    ),
    "a root without keyCertSign": (
        lambda: intermediate(root(usage=usage(key_cert_sign=False))).bundle(),
        "no-cert-sign",
    ),
    "clientAuth only": (lambda: intermediate(root(), purposes=[CLIENT]).bundle(), "no-server-auth"),
    "a root for clientAuth only": (lambda: intermediate(root(purposes=[CLIENT])).bundle(), "no-server-auth"),
    "serverAuth only": (lambda: intermediate(root(), purposes=[SERVER]).bundle(), "no-client-auth"),
    "any extended key usage": (lambda: intermediate(root(), purposes=[ANY]).bundle(), "any-usage"),
    "an empty subject": (lambda: intermediate(root(), nameless=True).bundle(), "no-subject"),
    "an unknown critical extension": (
        lambda: intermediate(root(), extra=[(CRITICAL, True)]).bundle(),
        "critical-extension",
    ),
    # name constraints
    "another trust domain permitted": (
        lambda: constrained(x509.UniformResourceIdentifier, "other.example").bundle(),
        "constrained-uri",
    ),
    "the trust domain excluded": (
        lambda: constrained(x509.UniformResourceIdentifier, "cluster.local", excluded=True).bundle(),
        "constrained-uri",
    ),
    "other hosts permitted": (lambda: constrained(x509.DNSName, "example.com").bundle(), "constrained-dns"),
    "a constraint that Go does not know": (lambda: directory().bundle(), "constraint-kind"),
    # algorithms
    "MD5": (lambda: under_rsa("md5").bundle(), "weak-signature-md5"),
    "SHA-1": (lambda: under_rsa("sha1").bundle(), "weak-signature-sha-1"),
    "SHA-1 in the middle": (lambda: upper_under_rsa().bundle(), "weak-signature-sha-1"),
    "SHA-224": (
        lambda: intermediate(root(key("rsa2048")), digest=hashes.SHA224()).bundle(),
        "weak-signature-sha-224",
    ),
    "an RSA key of 1024 bits": (lambda: intermediate(root(), key("rsa1024")).bundle(), "short-rsa"),
    "a root with 1024 bits": (lambda: intermediate(root(key("rsa1024"))).bundle(), "short-rsa"),
    "P-224": (lambda: intermediate(root(), key("p224")).bundle(), "curve"),
    "Bitcoin's curve": (lambda: intermediate(root(), key("k1")).bundle(), "curve"),
    "Ed25519": (lambda: intermediate(root(), key("ed25519")).bundle(), "edwards"),
    "a root of Ed25519": (lambda: intermediate(root(key("ed25519"))).bundle(), "edwards"),
    "DSA": (lambda: intermediate(root(), key("dsa")).bundle(), "dsa-key"),
    # keys
    "the key of another": (lambda: good().bundle(ca_key=key_pem(key(number=9))), "wrong-key"),
    "the root's key": (lambda: good().bundle(ca_key=root().key), "wrong-key"),
    "an encrypted key": (lambda: good().bundle(ca_key=key_pem(key(number=1), PKCS8, b"word")), "encrypted-key"),
    "a key that OpenSSL encrypted": (
        lambda: good().bundle(ca_key=key_pem(key(number=1), TRADITIONAL, b"word")),
        "encrypted-key",
    ),
    "parameters before the key": (
        lambda: good().bundle(ca_key=PARAMETERS + key_pem(key(number=1), TRADITIONAL)),
        "ec-parameters",
    ),
    "a key for SSH": (lambda: good().bundle(ca_key=openssh()), "openssh-key"),
    "the public key": (lambda: good().bundle(ca_key=spki()), "no-key"),
    "the certificate as key": (lambda: good().bundle(ca_key=good().pem), "no-key"),
    "two keys": (lambda: good().bundle(ca_key=good().key + root().key), "several-keys"),
    "the certificate before the key": (lambda: good().bundle(ca_key=good().pem + good().key), "key-label"),
    "a key under another's label": (
        lambda: good().bundle(ca_key=relabelled(key_pem(key(number=1), TRADITIONAL), "PRIVATE KEY")),
        "unreadable-key",
    ),
    "half a key": (lambda: good().bundle(ca_key=without_lines(good().key, 2)), "unreadable-key"),
    "a key without its end": (lambda: good().bundle(ca_key="".join(good().key.splitlines(True)[:-1])), "unterminated"),
    "an RSA-PSS key": (lambda: good().bundle(ca_key=pss_key()), "pss-key"),
    # the chain
    "a missing upper certificate": (lambda: (made := deep()).bundle(cert_chain=made.pem), "missing-chain"),
    "a root of the same name with another key": (
        lambda: good().bundle(root_cert=root(key(number=5)).pem, cert_chain=good().pem),
        "other-key",
    ),
    "another root": (
        lambda: good().bundle(root_cert=root(key(number=5), name="Other CA").pem),
        "untrusted-root",
    ),
    "a reversed chain": (lambda: (made := good()).bundle(cert_chain=made.root.pem + made.pem), "reversed-chain"),
    "a chain without the signing certificate": (
        lambda: (made := good()).bundle(cert_chain=made.root.pem),
        "chain-without-signer",
    ),
    "two certificates where one belongs": (lambda: (made := good()).bundle(ca_cert=made.chain), "several-certificates"),
    "an authority identifier of another": (
        lambda: intermediate(root(), authority_id=b"elsewhere").bundle(),
        "key-identifier",
    ),
    "the root's subject on the intermediate": (
        lambda: intermediate(root(), name="Root CA", locality=None, with_authority_id=False).bundle(),
        "same-name",
    ),
    "two roots of one name": (ambiguous, "ambiguous-name"),
    # what is missing, and what is no certificate
    "no chain": (lambda: good().bundle(cert_chain=None), "missing-part"),
    "no roots": (lambda: good().bundle(root_cert=None), "missing-part"),
    "no key": (lambda: good().bundle(ca_key=None), "missing-part"),
    "an empty chain": (lambda: good().bundle(cert_chain="\n"), "empty"),
    "a key among the roots": (
        lambda: (made := good()).bundle(root_cert=made.root.pem + made.root.key),
        "key-among-certificates",
    ),
    "a request": (lambda: good().bundle(ca_cert=request()), "request"),
    "a PKCS#7 collection": (lambda: good().bundle(cert_chain=relabelled(good().pem, "PKCS7")), "pkcs7"),
    "OpenSSL's own form": (
        lambda: good().bundle(root_cert=relabelled(root().pem, "TRUSTED CERTIFICATE")),
        "trusted-label",
    ),
    "a public key as root": (lambda: good().bundle(root_cert=spki()), "public-key"),
    # texts
    "DER": (lambda: good().bundle(ca_cert=der(good().pem)), "der"),
    "base64 without lines around it": (
        lambda: good().bundle(ca_cert="".join(good().pem.splitlines()[1:-1])),
        "no-armour",
    ),
    "CRLF": (lambda: (made := good()).bundle(root_cert=made.root.pem.replace("\n", "\r\n")), "crlf"),
    "text behind the root": (lambda: (made := good()).bundle(root_cert=f"{made.root.pem}the root\n"), "trailing-text"),
    "a byte order mark": (lambda: (made := good()).bundle(root_cert=f"\ufeff{made.root.pem}"), "bom"),
    "two blocks on one line": (lambda: (made := good()).bundle(cert_chain=glued(made.pem, made.root.pem)), "glued"),
    "an indented block": (lambda: good().bundle(ca_cert="  " + good().pem.replace("\n", "\n  ")), "indented"),
    "a certificate without its end": (lambda: good().bundle(ca_cert=good().pem[:-30]), "unterminated"),
    "line ends as two characters": (
        lambda: good().bundle(ca_cert=good().pem.strip().replace("\n", "\\n")),
        "escaped-newlines",
    ),
    "letters that are no base64": (lambda: good().bundle(ca_cert=good().pem.replace("\nMII", "\n?II")), "base64"),
    "a damaged certificate": (lambda: good().bundle(ca_cert=damaged(good().pem)), "unreadable-certificate"),
    "no PEM at all": (lambda: good().bundle(ca_cert="see the wiki"), "no-pem"),
    "an END line of another kind": (
        lambda: good().bundle(ca_cert=good().pem.replace("END CERTIFICATE", "END X509")),
        "end-label",
    ),
    "header lines in a certificate": (
        lambda: (made := good()).bundle(root_cert=made.root.pem.replace("-----\n", "-----\nSource: wiki\n\n", 1)),
        "headers",
    ),
}


def pss_key() -> str:
    """An RSA key whose algorithm is RSASSA-PSS, in PKCS#8: only the identifier's last byte differs."""
    body = key("rsa2048").private_bytes(serialization.Encoding.DER, PKCS8, serialization.NoEncryption())
    changed = body.replace(bytes.fromhex("06092a864886f70d010101"), bytes.fromhex("06092a864886f70d01010a"))
    return f"-----BEGIN PRIVATE KEY-----\n{base64.encodebytes(changed).decode()}-----END PRIVATE KEY-----\n"


def errors(found: tuple[Problem, ...]) -> list[Problem]:
    return [problem for problem in found if problem.severity is Severity.ERROR]


class TestBadBundles:
    @pytest.mark.parametrize("case", BAD)
    def test_is_refused_for_its_own_reason(self, case: str) -> None:
        make, kind = BAD[case]
        found = errors(bundle_problems(make(), NOW))
        assert kind in {problem.kind for problem in found}, found

    @pytest.mark.parametrize("case", BAD)
    def test_the_reason_is_the_only_kind_or_goes_before_what_follows_from_it(self, case: str) -> None:
        """One mistake is not told five times: what follows from another problem stays away."""
        make, _ = BAD[case]
        kinds = {problem.kind for problem in errors(bundle_problems(make(), NOW))}
        assert len(kinds) <= 2, kinds

    @pytest.mark.parametrize("case", BAD)
    def test_names_what_is_wrong_and_never_a_key(self, case: str) -> None:
        bundle = BAD[case][0]()
        for problem in bundle_problems(bundle, NOW):
            assert problem.part.value in str(problem)
            assert problem.fix
            for secret in (bundle.ca_key, bundle.root_cert):
                for line in (secret or "").splitlines():
                    assert len(line) < 20 or "-----" in line or line not in str(problem)

    def test_there_are_enough_and_each_message_is_its_own(self) -> None:
        assert len(BAD) >= 40
        first = {kind: next(p for p in bundle_problems(make(), NOW) if p.kind == kind) for make, kind in BAD.values()}
        reasons = {re.sub(r"\(.*?\)", "", problem.reason) for problem in first.values()}
        assert len(reasons) == len(first) >= 40


class TestMeshes:
    """What no cluster shows by itself."""

    def test_different_roots(self) -> None:
        east, west = good(), intermediate(root(key(number=7), name="West Root"), key(number=2))
        (found,) = problems({"east": east.bundle(), "west": west.bundle()}, NOW)
        assert (found.kind, found.severity, found.cluster) == ("different-roots", Severity.ERROR, "west")
        assert '"east"' in found.reason
        assert '"west"' in found.reason

    def test_roots_that_one_side_trusts_only(self) -> None:
        here, there = root(), root(key(number=7), name="West Root")
        east = intermediate(here).bundle(root_cert=here.pem + there.pem)
        west = intermediate(there, key(number=2)).bundle()
        (found,) = errors(problems({"east": east, "west": west}, NOW))
        assert found.kind == "different-roots"
        assert '"west" does not trust the root of "east"' in found.reason
        assert '"east" does not trust' not in found.reason

    def test_a_shared_key_is_a_warning(self) -> None:
        made = good()
        (found,) = problems({"east": made.bundle(), "west": made.bundle()}, NOW)
        assert (found.kind, found.severity) == ("shared-key", Severity.WARNING)

    def test_a_root_that_was_issued_again_with_its_key_is_trusted(self) -> None:
        """Both sides verify; that the texts differ is told, since istiod compares them."""
        east, west = intermediate(root()), intermediate(root(), key(number=2), locality="west")
        found = problems({"east": east.bundle(), "west": west.bundle()}, NOW)
        assert [(one.kind, one.severity) for one in found] == [("bundles-differ", Severity.WARNING)]

    def test_each_problem_says_its_cluster(self) -> None:
        made = good()
        west = intermediate(made.root, key(number=2), locality="west").bundle(cert_chain=None)
        (found,) = problems({"east": made.bundle(), "west": west}, NOW)
        assert found.cluster == "west"
        assert 'cluster "west"' in str(found)
