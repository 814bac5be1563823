"""A root that the program makes itself."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_tls as tls

from mesh_components.settings.trust import KeyAlgorithm
from mesh_components.trust.signing import CA_USES, KEYS, KeyedRoot
from mesh_components.trust.source import Place


@dataclass(frozen=True)
class Generated:
    """A source: a key, and a certificate that it signs for itself.

    Its subject differs from those of the certificates under it: with equal ones they would carry no authority key
    identifier. And from those of the other generations: who builds a chain has no choice between two issuers.
    """

    organization: str
    algorithm: KeyAlgorithm
    days: int

    def __call__(self, place: Place) -> KeyedRoot:
        """Make it."""
        opts = pulumi.ResourceOptions(parent=place.parent, protect=place.protect)
        key = tls.PrivateKey(f"{place.name}-root-key", **KEYS[self.algorithm], opts=opts)
        number = f" {place.generation}" if place.generation > 1 else ""
        root = tls.SelfSignedCert(
            f"{place.name}-root",
            private_key_pem=key.private_key_pem,
            subject={"organization": self.organization, "common_name": f"Root CA{number}"},
            is_ca_certificate=True,
            allowed_uses=CA_USES,
            validity_period_hours=self.days * 24,
            set_subject_key_id=True,
            opts=opts,
        )
        return KeyedRoot(root.cert_pem, root.validity_end_time, pulumi.Output.secret(key.private_key_pem))
