"""Roots that sign requests: keys and requests are made here, under names that stay.

Every certificate has a key of its own. What istiod and Envoy check of them:
https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_tls as tls

from mesh_components.settings.trust import KeyAlgorithm
from mesh_components.trust.source import Certificate, Issued, Wanted

CA_USES = ["cert_signing", "crl_signing", "digital_signature", "key_encipherment"]
"""No extended key usage: one on a CA would limit what Envoy accepts below it."""

SERVER_USES = ["digital_signature", "key_encipherment", "server_auth"]

KEYS: dict[KeyAlgorithm, dict[str, Any]] = {
    # The provider's default curve, P224, is not offered by Go's and BoringSSL's TLS.
    "ECDSA-P256": {"algorithm": "ECDSA", "ecdsa_curve": "P256"},
    "RSA-4096": {"algorithm": "RSA", "rsa_bits": 4096},
}
"""What a private key is asked for with."""


class SigningRoot(ABC):
    """A root that signs a request, here or elsewhere."""

    certificate: pulumi.Output[str]
    expires: pulumi.Output[str]

    def issue(self, wanted: Wanted) -> Issued:
        """Make a key and a request, and have it signed."""
        child = pulumi.ResourceOptions(parent=wanted.parent)
        key = tls.PrivateKey(f"{wanted.prefix}-key", **KEYS[wanted.algorithm], opts=child)
        request = tls.CertRequest(
            f"{wanted.prefix}-request",
            private_key_pem=key.private_key_pem,
            subject=tls.CertRequestSubjectArgs(**wanted.subject),
            dns_names=list(wanted.dns_names) or None,
            ip_addresses=list(wanted.ip_addresses) or None,
            opts=child,
        )
        signed = self.sign(wanted, request.cert_request_pem)
        return Issued(signed.certificate, signed.above, signed.expires, pulumi.Output.secret(key.private_key_pem))

    @abstractmethod
    def sign(self, wanted: Wanted, request: pulumi.Output[str]) -> Certificate:
        """Have the request (PEM) signed; an intermediate's must not carry an extended key usage."""


@dataclass(frozen=True)
class KeyedRoot(SigningRoot):
    """A root whose key is in the program, and with it in the state, as a secret."""

    certificate: pulumi.Output[str]
    expires: pulumi.Output[str]
    key: pulumi.Output[str] = field(repr=False)
    """Secret."""

    def sign(self, wanted: Wanted, request: pulumi.Output[str]) -> Certificate:
        """Sign with the root's key."""
        return signed_here(wanted, request, self.key, self.certificate, self.certificate)


def signed_here(
    wanted: Wanted,
    request: pulumi.Output[str],
    key: pulumi.Output[str],
    issuer: pulumi.Output[str],
    above: pulumi.Output[str],
) -> Certificate:
    """Sign in the program, with the issuer's key; `above` are the certificates from the issuer up to the root."""
    authority: dict[str, Any] = {"is_ca_certificate": True, "set_subject_key_id": True}
    signed = tls.LocallySignedCert(
        wanted.name,
        cert_request_pem=request,
        ca_private_key_pem=key,
        ca_cert_pem=issuer,
        allowed_uses=CA_USES if wanted.purpose == "intermediate" else SERVER_USES,
        validity_period_hours=wanted.days * 24,
        **(authority if wanted.purpose == "intermediate" else {}),
        opts=pulumi.ResourceOptions(parent=wanted.parent),
    )
    return Certificate(signed.cert_pem, above, signed.validity_end_time)
