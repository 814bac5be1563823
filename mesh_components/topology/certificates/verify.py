"""Bundles: of one cluster, of all clusters together, and what is to sign them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mesh_components.settings import Severity
from mesh_components.topology.certificates import across, certificate, keys, path, pem
from mesh_components.topology.certificates.bundle import USUAL, Bundle, Expected, Part, Problem, Remark, Signer
from mesh_components.topology.certificates.path import Held, Path

_MISSING = Remark(
    "missing-part",
    "is missing, and istiod does not start on a part of the four",
    "give all four: signing certificate, its key, the chain that begins with it, the roots",
)


@dataclass(frozen=True)
class Opened:
    """A bundle with its certificates read."""

    ca: Held | None
    chain: tuple[Held, ...]
    roots: tuple[Held, ...]
    way: Path | None
    public: bytes | None
    """Of the key."""


def problems(bundles: Mapping[str, Bundle], now: datetime, expected: Expected = USUAL) -> tuple[Problem, ...]:
    """Everything that is wrong with the bundles of a mesh, by themselves and together.

    Args:
        bundles: by cluster.
        now: the time.
        expected: what workloads and istiod will be called.
    """
    found: list[Problem] = []
    opened = {}
    for cluster, bundle in bundles.items():
        opened[cluster], own = _open(bundle, now, expected)
        found += [replace(problem, cluster=cluster) for problem in own]
    return (*found, *across.checks({c: one for c, one in opened.items() if one.way and one.way.root}))


def bundle_problems(bundle: Bundle, now: datetime, expected: Expected = USUAL) -> tuple[Problem, ...]:
    """Everything that is wrong with one bundle by itself."""
    return tuple(_open(bundle, now, expected)[1])


def signer_problems(signer: Signer, now: datetime, expected: Expected = USUAL) -> tuple[Problem, ...]:
    """Everything that will be wrong with what a signer signs: it stands one step above the clusters' certificates.

    The names of the parts are those of a bundle: `ca-cert.pem` is the signer's certificate, `cert-chain.pem` is what is
    above it.
    """
    words = {Part.CA_CERT: "the certificate", Part.CA_KEY: "the key", Part.CERT_CHAIN: "the chain"}
    found: list[Problem] = []
    own = _held(signer.certificate, Part.CA_CERT, words[Part.CA_CERT], found, several=False)
    above = _held(signer.chain, Part.CERT_CHAIN, words[Part.CERT_CHAIN], found) if signer.chain is not None else ()
    public = _key(signer.key, words[Part.CA_KEY], found)
    if not own:
        return tuple(found)
    roots = tuple(held for held in (*own, *above) if held.certificate.self_signed)
    way = path.find(own[0], above, roots)
    found += _path(way, 1, now, expected)
    found += _matches(own[0], public, words[Part.CA_KEY])
    found += path.look_alikes((*own, *above), [held.certificate for held in way.steps])
    return _once(found)


def root_problems(text: str, now: datetime, expected: Expected = USUAL) -> tuple[Problem, ...]:
    """Everything that is wrong with a root alone, when what is under it is made elsewhere."""
    found: list[Problem] = []
    held = _held(text, Part.ROOT_CERT, "the root", found, several=False)
    for one in held[:1]:
        found += [one.problem(remark) for remark in certificate.checks(one.certificate, 1, now, expected)]
        if not one.certificate.self_signed:
            what = "is no root: another certificate issued it"
            found.append(one.problem(Remark("untrusted-root", what, "give the certificate at the end of the chain")))
    return _once(found)


def server_problems(bundle: Bundle, now: datetime) -> tuple[Problem, ...]:
    """What is wrong with a server's certificate and those above it; `ca_cert` is the server's."""
    found: list[Problem] = []
    leaf = _held(bundle.ca_cert, Part.CA_CERT, "the certificate", found, several=False)
    above = _held(bundle.cert_chain, Part.CERT_CHAIN, "the chain", found)
    roots = _held(bundle.root_cert, Part.ROOT_CERT, "the root", found)
    if leaf:
        found += map(leaf[0].problem, certificate.dates(leaf[0].certificate, now))
        way = path.find(leaf[0], above, roots)
        higher = Path(way.steps[1:], way.end)
        found += _path(higher, 0, now, USUAL) if higher.steps else [leaf[0].problem(way.end)] if way.end else []
    return tuple(problem for problem in _once(found) if problem.kind != "root-signs")


def _open(bundle: Bundle, now: datetime, expected: Expected) -> tuple[Opened, tuple[Problem, ...]]:
    found: list[Problem] = []
    first = _held(bundle.ca_cert, Part.CA_CERT, bundle.called(Part.CA_CERT), found, several=bundle.tls)
    chain = _held(bundle.cert_chain, Part.CERT_CHAIN, bundle.called(Part.CERT_CHAIN), found)
    roots = _held(bundle.root_cert, Part.ROOT_CERT, bundle.called(Part.ROOT_CERT), found)
    key = bundle.called(Part.CA_KEY)
    public = None if bundle.key_elsewhere else _key(bundle.ca_key, key, found)
    if not first:
        return Opened(None, chain, roots, None, public), _once(found)
    ca = first[0]
    way = path.find(ca, chain, roots) if roots and chain else None
    if way is not None:
        found += _path(way, 0, now, expected)
        found += _beside(way, chain, roots, now, expected)
        found += path.look_alikes((*chain, *roots), [held.certificate for held in way.steps])
    else:
        found += [ca.problem(remark) for remark in certificate.checks(ca.certificate, 0, now, expected)]
    found += _matches(ca, public, key)
    found += _order(ca, chain, way)
    return Opened(ca, chain, roots, way, public), _once(found)


def _held(text: str | None, part: Part, called: str, found: list[Problem], *, several: bool = True) -> tuple[Held, ...]:
    """The certificates in a text; what is wrong with the text, or with what cannot be read, goes to `found`."""
    if text is None:
        found.append(_MISSING.of(part, called))
        return ()
    read = pem.read(text)
    found += [remark.of(part, called) for remark in read.remarks]
    held: list[Held] = []
    for number, block in enumerate(read.blocks, 1):
        which = f"certificate {number} of {called}" if len(read.blocks) > 1 else called
        one = certificate.read(block.der) if block.label == "CERTIFICATE" else _no_certificate(block)
        if isinstance(one, Remark):
            found.append(one.of(part, which))
        else:
            held.append(Held(one, part, f"{which} ({one.name})"))
    if len(held) > 1 and not several:
        found.append(
            Remark(
                "several-certificates",
                f"holds {len(held)} certificates where one belongs: istiod takes the first, the others are lost",
                "leave the signing certificate there; those above it belong into the chain, the root into the roots",
            ).of(part, called)
        )
    return tuple(held)


def _no_certificate(block: pem.Block) -> Remark:
    if block.secret:
        return Remark(
            "key-among-certificates",
            "is a private key, in a place that is handed to every workload",
            "take it out, and replace that key: it has to count as known",
        )
    kinds = {
        "CERTIFICATE REQUEST": ("request", "a certificate request, not yet signed"),
        "NEW CERTIFICATE REQUEST": ("request", "a certificate request, not yet signed"),
        "PKCS7": ("pkcs7", "a PKCS#7 collection"),
        "TRUSTED CERTIFICATE": ("trusted-label", "a TRUSTED CERTIFICATE of OpenSSL's own form"),
        "PUBLIC KEY": ("public-key", "a public key"),
        "X509 CRL": ("crl", "a revocation list"),
    }
    kind, words = kinds.get(block.label, ("other-block", "no block CERTIFICATE"))
    fixes = {
        "request": "have it signed, and give the certificate",
        "pkcs7": "convert it: `openssl pkcs7 -print_certs -in FILE`",
        "trusted-label": "convert it: `openssl x509 -in FILE`",
    }
    return Remark(kind, f"is {words}, and istiod skips it", fixes.get(kind, "leave blocks CERTIFICATE alone in it"))


def _key(text: str | None, called: str, found: list[Problem]) -> bytes | None:
    if text is None:
        found.append(_MISSING.of(Part.CA_KEY, called))
        return None
    read = keys.read(text)
    found += [remark.of(Part.CA_KEY, called) for remark in read.remarks]
    return read.public


def _matches(ca: Held, public: bytes | None, called: str) -> Iterator[Problem]:
    if public is not None and public != ca.certificate.public:
        yield Remark(
            "wrong-key",
            f"is not the key of {ca.which}",
            "bring the two that were made together; `openssl x509 -noout -pubkey` and `openssl pkey -pubout` print the "
            "same for them",
        ).of(Part.CA_KEY, called)


def _path(way: Path, below: int, now: datetime, expected: Expected) -> Iterator[Problem]:
    for depth, held in enumerate(way.steps, below):
        yield from map(held.problem, certificate.checks(held.certificate, depth, now, expected))
    if way.end is not None:
        yield way.steps[-1].problem(way.end)
        return
    yield from path.links(way)
    yield from path.lifetimes(way)
    last = way.steps[-1]
    if not last.certificate.same_names:
        yield last.problem(
            Remark(
                "root-not-self-signed",
                "is trusted as a root and was issued by another: old proxies and other tools ask for that one too",
                "trust the root that issued it, and put this one into the chain",
                Severity.WARNING,
            )
        )
    elif below == 0 and len(way.steps) == 1:
        yield last.problem(
            Remark(
                "root-signs",
                "is the root itself: its key lies in the cluster, and whoever has that key is the whole mesh",
                "sign with an intermediate, and keep the root's key elsewhere",
                Severity.WARNING,
            )
        )


def _beside(
    way: Path, chain: Sequence[Held], roots: Sequence[Held], now: datetime, expected: Expected
) -> Iterator[Problem]:
    """Certificates that the path does not use: roots of another generation, and what is there by mistake."""
    used = {held.certificate.fingerprint for held in way.steps}
    for held in roots:
        if held.certificate.fingerprint not in used:
            yield from (
                held.problem(remark.softened())
                for remark in certificate.checks(held.certificate, 1, now, expected)
            )  # fmt: skip
    for called, texts in (("twice-in-roots", roots), ("twice-in-chain", chain)):
        seen: set[str] = set()
        for held in texts:
            if held.certificate.fingerprint in seen:
                again = Remark(called, "stands there a second time", "leave it out once", Severity.WARNING)
                yield held.problem(again)
            seen.add(held.certificate.fingerprint)
    trusted = {held.certificate.fingerprint for held in roots}
    for held in chain if way.end is None else ():
        if held.certificate.fingerprint not in used | trusted:
            what = "is in no way from the signing certificate to a root, and is sent with every handshake"
            yield held.problem(Remark("stray", what, "leave it out", Severity.WARNING))


def _order(ca: Held, chain: Sequence[Held], way: Path | None) -> Iterator[Problem]:
    """Go puts `cert-chain.pem` behind every leaf as it is."""
    if not chain:
        return
    wanted = [held.certificate.fingerprint for held in way.steps] if way else [ca.certificate.fingerprint]
    there = [held.certificate.fingerprint for held in chain]
    if there[0] == wanted[0]:
        ordered = [fingerprint for fingerprint in dict.fromkeys(there) if fingerprint in wanted]
        if ordered != sorted(ordered, key=wanted.index):
            what = "is not where it belongs: each certificate is to be followed by the one that issued it"
            yield chain[1].problem(
                Remark("chain-order", what, "order the chain from the signing certificate up", Severity.WARNING)
            )
    elif wanted[0] in there:
        yield chain[0].problem(
            Remark(
                "reversed-chain",
                "is first, and the signing certificate is not: it must stand next to the workload's, for the chain is "
                "sent behind it as it is",
                "turn the chain around: signing certificate first, root last",
            )
        )
    else:
        yield chain[0].problem(
            Remark(
                "chain-without-signer",
                "is first, and the signing certificate is nowhere in the chain: no other cluster can build the way to "
                "the root",
                "put the signing certificate in front of the chain",
            )
        )


def _once(found: Sequence[Problem]) -> tuple[Problem, ...]:
    """Each problem once: a certificate may stand in more than one text."""
    return tuple(dict.fromkeys(found))
