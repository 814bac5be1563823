"""Roots that somebody else made: with the key to sign with, or with everything under them ready-made.

What is in the texts was checked before the first resource (`topology.certificates`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from mesh_components.topology.certificates import Bundle, Signer
from mesh_components.topology.certificates.read import above, ends, lined, split
from mesh_components.trust.signing import SigningRoot, signed_here
from mesh_components.trust.source import Certificate, Issued, Place, Wanted


@dataclass(frozen=True)
class OwnRoot(SigningRoot):
    """A root of one's own, or a certificate under it, whose key is given to the program. The key is in the state with
    what it signs, as a secret."""

    certificate: pulumi.Output[str]
    expires: pulumi.Output[str]
    issuer: pulumi.Output[str]
    """What signs; the root itself where nothing is between."""
    above: pulumi.Output[str]
    """From the issuer up to the root."""
    key: pulumi.Output[str] = field(repr=False)
    """Of the issuer. Secret."""

    def sign(self, wanted: Wanted, request: pulumi.Output[str]) -> Certificate:
        """Sign with the key that was given."""
        return signed_here(wanted, request, self.key, self.issuer, self.above)


@dataclass(frozen=True)
class OwnRootSource:
    """Makes no resource: a root that came from outside is not the program's to protect."""

    signer: Signer

    def __call__(self, _place: Place) -> OwnRoot:
        """Put the texts in order."""
        steps = above(self.signer)
        return OwnRoot(
            certificate=pulumi.Output.from_input(steps[-1]),
            expires=pulumi.Output.from_input(ends(steps[-1])),
            issuer=pulumi.Output.from_input(steps[0]),
            above=pulumi.Output.from_input("".join(steps)),
            key=pulumi.Output.secret(lined(self.signer.key or "")),
        )


@dataclass(frozen=True)
class ReadyMade:
    """A root whose key is elsewhere, and the certificates under it."""

    certificate: pulumi.Output[str]
    expires: pulumi.Output[str]
    bundles: Mapping[str, Bundle] = field(repr=False)

    def issue(self, wanted: Wanted) -> Issued:
        """The cluster's certificate, as it was given."""
        found = self.bundles.get(wanted.cluster)
        if found is None:
            raise pulumi.RunError(
                f"{wanted.name}: the certificates under this root are ready-made, and there is none for this; give it "
                "one of its own (eastWest.credential), or a source that signs"
            )
        first, *others = split(found.cert_chain or "")
        root = lined(found.root_cert or "")
        return Issued(
            certificate=pulumi.Output.from_input(first),
            above=pulumi.Output.from_input("".join([*(text for text in others if text != root), root])),
            expires=pulumi.Output.from_input(ends(first)),
            key=pulumi.Output.secret(lined(found.ca_key or "")),
        )


@dataclass(frozen=True)
class ReadyMadeSource:
    """Makes no resource either."""

    bundles: Mapping[str, Bundle] = field(repr=False)

    def __call__(self, _place: Place) -> ReadyMade:
        """All bundles have one root; that was checked."""
        root = lined(next(iter(self.bundles.values())).root_cert or "")
        return ReadyMade(pulumi.Output.from_input(root), pulumi.Output.from_input(ends(root)), self.bundles)
