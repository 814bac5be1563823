"""The way from a certificate up to a root that is trusted, and what breaks it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from mesh_components.settings import Severity
from mesh_components.topology.certificates.bundle import Part, Problem, Remark
from mesh_components.topology.certificates.certificate import Certificate, issued


@dataclass(frozen=True)
class Held:
    """A certificate, and where it stands."""

    certificate: Certificate
    part: Part
    which: str
    """Words for it: `certificate 2 of cert-chain.pem (CN=Root CA)`."""

    def problem(self, remark: Remark) -> Problem:
        """What is wrong with it."""
        return remark.of(self.part, self.which)


@dataclass(frozen=True)
class Path:
    """From the first certificate upwards; `end` tells why it goes no further, None where it reached a root."""

    steps: tuple[Held, ...]
    end: Remark | None = None

    @property
    def root(self) -> Certificate | None:
        """The root that it reached."""
        return None if self.end else self.steps[-1].certificate


def find(first: Held, chain: Sequence[Held], roots: Sequence[Held]) -> Path:
    """Walk up by names and signatures, roots before others, as crypto/x509 and BoringSSL do."""
    trusted = {held.certificate.fingerprint for held in roots}
    steps = [first]
    while steps[-1].certificate.fingerprint not in trusted:
        walked = {held.certificate.fingerprint for held in steps}
        last = steps[-1].certificate
        named = [held for held in (*roots, *chain) if held.certificate.subject == last.issuer]
        above = [held for held in named if issued(held.certificate, last)]
        # One that the identifiers fit comes first: BoringSSL takes no other.
        above.sort(key=lambda held: not _fits(held.certificate, last))
        following = next((held for held in above if held.certificate.fingerprint not in walked), None)
        if following is None:
            return Path(tuple(steps), _broken(last, named, bool(above)))
        steps.append(following)
    return Path(tuple(steps))


def _broken(last: Certificate, named: Sequence[Held], is_end: bool) -> Remark:
    if is_end or last.self_signed:
        return Remark(
            "untrusted-root",
            "is the end of the chain, and is not among the roots that are trusted",
            "put it into the roots, or have the chain signed under a root that is there",
        )
    if named:
        return Remark(
            "other-key",
            f"says it was issued by {last.issuer_name}, and the certificate of that name has another key: the root was "
            "made again under its old name, or two were mixed up",
            "sign it with the root that is here, or bring the certificate of the root that signed it",
        )
    return Remark(
        "missing-chain",
        f"was issued by {last.issuer_name}, and no certificate of that name is in the chain or among the roots",
        "add the certificates between it and the root to the chain",
    )


def links(path: Path) -> Iterator[Problem]:
    """Pairs that Go takes and Envoy does not: identifiers that do not fit, and one that seems to be its own root."""
    for below, above in pairwise(path.steps):
        certificate = below.certificate
        if not _fits(above.certificate, certificate):
            yield below.problem(
                Remark(
                    "key-identifier",
                    f"has an authority key identifier that is not {above.certificate.name}'s subject key identifier: "
                    "istiod takes it, and Envoy finds no issuer",
                    "sign it again with the certificate that is here",
                )
            )
        if certificate.same_names and certificate.authority_id in (None, certificate.key_id):
            yield below.problem(
                Remark(
                    "same-name",
                    "has the subject of its issuer and no identifier that tells them apart, so Envoy takes it for a "
                    "root of its own",
                    "give the root and the certificates under it different subjects",
                )
            )


def _fits(issuer: Certificate, certificate: Certificate) -> bool:
    """BoringSSL's `X509_check_akid`."""
    given = certificate.extension("AuthorityKeyIdentifier")
    if given is None:
        return True
    serial = given.value.authority_cert_serial_number
    if serial is not None and serial != issuer.parsed.serial_number:
        return False
    return None in (issuer.key_id, certificate.authority_id) or issuer.key_id == certificate.authority_id


def lifetimes(path: Path) -> Iterator[Problem]:
    """Certificates that end later than the one above them."""
    for below, above in pairwise(path.steps):
        if below.certificate.parsed.not_valid_after_utc > above.certificate.parsed.not_valid_after_utc:
            yield below.problem(
                Remark(
                    "outlives-issuer",
                    f"ends after {above.certificate.name} above it, and is good for nothing from that day on",
                    "renew the one above first, or count with the earlier date",
                    Severity.WARNING,
                )
            )


def look_alikes(held: Sequence[Held], issued_under: Iterable[Certificate]) -> Iterator[Problem]:
    """Different keys under one name or one identifier: who verifies may take the wrong one."""
    without = {item.issuer for item in issued_under if item.authority_id is None}

    def by_subject(one: Held) -> bytes:
        return one.certificate.subject

    for subject, group in groupby(sorted(held, key=by_subject), key=by_subject):
        same = list({one.certificate.public: one for one in group}.values())
        identifiers = {one.certificate.key_id for one in same}
        if len(same) > 1 and (None in identifiers or len(identifiers) < len(same) or subject in without):
            yield same[1].problem(
                Remark(
                    "ambiguous-name",
                    "has the name of another certificate here and another key, and nothing tells for whoever verifies "
                    "which is meant",
                    "give each root a name of its own, and subject and authority key identifiers to all certificates",
                )
            )
    yield from _same_identifier(held)


def _same_identifier(held: Sequence[Held]) -> Iterator[Problem]:
    seen: dict[bytes, Certificate] = {}
    for one in held:
        certificate = one.certificate
        if certificate.key_id is None:
            continue
        first = seen.setdefault(certificate.key_id, certificate)
        if first.public != certificate.public and first.subject != certificate.subject:
            yield one.problem(
                Remark(
                    "same-identifier",
                    f"has the subject key identifier of {first.name}, and another key",
                    "issue one of the two again, with an identifier made from its key",
                    Severity.WARNING,
                )
            )
