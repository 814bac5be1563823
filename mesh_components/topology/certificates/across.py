"""What the bundles of a mesh must have in common, and what they must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Protocol

from mesh_components.settings import Severity
from mesh_components.topology.certificates.bundle import Part, Problem
from mesh_components.topology.certificates.path import Held, Path, find


class Opened(Protocol):
    """A bundle that leads to a root."""

    @property
    def ca(self) -> Held | None:
        """The signing certificate."""

    @property
    def chain(self) -> tuple[Held, ...]:
        """What is sent behind workloads' certificates."""

    @property
    def roots(self) -> tuple[Held, ...]:
        """Who is trusted."""

    @property
    def way(self) -> Path | None:
        """From the signing certificate to a root."""


def checks(bundles: Mapping[str, Opened]) -> Iterator[Problem]:
    """Trust in both ways between each two clusters, and keys that are not shared."""
    for (left, one), (right, other) in combinations(bundles.items(), 2):
        strangers = [(left, right) for _ in (1,) if not _trusts(other, one)]
        strangers += [(right, left) for _ in (1,) if not _trusts(one, other)]
        if strangers:
            yield _strangers(right, strangers)
        elif _fingerprints(one) != _fingerprints(other):
            yield Problem(
                "bundles-differ",
                Severity.WARNING,
                Part.ROOT_CERT,
                f'does not trust the same roots as "{left}": they get on, and a stranger is trusted by one only',
                "give every cluster the same roots, in the same order",
                right,
            )
        if one.ca and other.ca and one.ca.certificate.public == other.ca.certificate.public:
            yield Problem(
                "shared-key",
                Severity.WARNING,
                Part.CA_CERT,
                f'signs with the key of "{left}": whoever takes it from one cluster is both, and neither can be '
                "replaced alone",
                "give each cluster an intermediate with a key of its own",
                right,
            )


def _strangers(cluster: str, pairs: list[tuple[str, str]]) -> Problem:
    words = " and ".join(f'"{reader}" does not trust the root of "{signer}"' for signer, reader in pairs)
    return Problem(
        "different-roots",
        Severity.ERROR,
        Part.ROOT_CERT,
        f"leads to another root: {words}, so their workloads refuse each other (CERTIFICATE_VERIFY_FAILED)",
        "sign the certificates of all clusters under one root",
        cluster,
    )


def _trusts(reader: Opened, signer: Opened) -> bool:
    """Whether what the signer's chain says leads to a root of the reader."""
    return signer.ca is not None and find(signer.ca, signer.chain, reader.roots).end is None


def _fingerprints(bundle: Opened) -> set[str]:
    return {held.certificate.fingerprint for held in bundle.roots}
