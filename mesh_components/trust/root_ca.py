"""The root of the mesh's trust, and under it one signing certificate per cluster.

Owns keys and certificates. Does not own the Secrets that carry them into the clusters (`CaCerts`). Facts on what istiod
and Envoy check: https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import pulumi
import pulumi_tls as tls
from pydantic import Field

from mesh_components.component import ComponentArgs
from mesh_components.settings.trust import KeyAlgorithm

CA_USES = ["cert_signing", "crl_signing", "digital_signature", "key_encipherment"]
"""No extended key usage: one on a CA would limit what Envoy accepts below it."""

KEYS: dict[KeyAlgorithm, dict[str, Any]] = {
    # The provider's default curve, P224, is not offered by Go's and BoringSSL's TLS.
    "ECDSA-P256": {"algorithm": "ECDSA", "ecdsa_curve": "P256"},
    "RSA-4096": {"algorithm": "RSA", "rsa_bits": 4096},
}
"""What a private key is asked for with."""


class RootCAArgs(ComponentArgs):
    """Which clusters sign under the root, with what keys, for how long."""

    clusters: tuple[str, ...]
    """Names; each gets an intermediate of its own."""
    organization: str
    """`O=` of all subjects."""
    algorithm: KeyAlgorithm = "ECDSA-P256"
    root_validity_days: Annotated[int, Field(ge=1)] = 3650
    intermediate_validity_days: Annotated[int, Field(ge=1)] = 730
    namespace: str = "istio-system"
    """Root namespace: the intermediates name istiod's Service in it, as Istio's own tools do."""
    protect: bool = True
    """The root's key and certificate refuse to be deleted or replaced."""


@dataclass(frozen=True)
class CaBundle:
    """The four PEMs of a cluster's `cacerts`, each ending in a newline."""

    ca_cert: pulumi.Output[str]
    ca_key: pulumi.Output[str]
    """Secret."""
    root_cert: pulumi.Output[str]
    cert_chain: pulumi.Output[str]
    """The signing certificate first, then the root."""
    expires: pulumi.Output[str]
    """When the signing certificate ends, RFC 3339."""


class RootCA(pulumi.ComponentResource):
    """A self-signed root and an intermediate per cluster.

    Their subjects differ: with equal ones an intermediate would carry no authority key identifier.
    """

    root_cert_pem: pulumi.Output[str]
    """The root's certificate."""
    root_key_pem: pulumi.Output[str]
    """The root's key, for certificates that are not a cluster's; secret."""
    fingerprint: pulumi.Output[str]
    """SHA-256 of the root's certificate (DER), hexadecimal: what `openssl x509 -fingerprint -sha256` prints."""
    expires: pulumi.Output[str]
    """When the root ends, RFC 3339."""
    bundles: dict[str, CaBundle]
    """By cluster."""

    def __init__(self, name: str, args: RootCAArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {
            "algorithm": args.algorithm,
            "organization": args.organization,
            "rootValidityDays": args.root_validity_days,
            "intermediateValidityDays": args.intermediate_validity_days,
        }
        super().__init__("mesh:index:RootCA", name, props, opts)
        protected = pulumi.ResourceOptions(parent=self, protect=args.protect)
        key = tls.PrivateKey(f"{name}-root-key", **KEYS[args.algorithm], opts=protected)
        root = tls.SelfSignedCert(
            f"{name}-root",
            private_key_pem=key.private_key_pem,
            subject={"organization": args.organization, "common_name": "Root CA"},
            is_ca_certificate=True,
            allowed_uses=CA_USES,
            validity_period_hours=args.root_validity_days * 24,
            set_subject_key_id=True,
            opts=protected,
        )
        self.root_cert_pem = root.cert_pem
        self.root_key_pem = pulumi.Output.secret(key.private_key_pem)
        self.fingerprint = root.cert_pem.apply(fingerprint)
        self.expires = root.validity_end_time
        self.bundles = {cluster: self._intermediate(name, cluster, args, key, root) for cluster in args.clusters}
        self.register_outputs(
            {"rootCertPem": self.root_cert_pem, "fingerprint": self.fingerprint, "expires": self.expires}
        )

    def _intermediate(
        self, name: str, cluster: str, args: RootCAArgs, root_key: tls.PrivateKey, root: tls.SelfSignedCert
    ) -> CaBundle:
        child = pulumi.ResourceOptions(parent=self)
        key = tls.PrivateKey(f"{name}-{cluster}-key", **KEYS[args.algorithm], opts=child)
        request = tls.CertRequest(
            f"{name}-{cluster}-request",
            private_key_pem=key.private_key_pem,
            subject={"organization": args.organization, "common_name": "Intermediate CA", "locality": cluster},
            dns_names=[f"istiod.{args.namespace}.svc"],
            opts=child,
        )
        signed = tls.LocallySignedCert(
            f"{name}-{cluster}",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=root_key.private_key_pem,
            ca_cert_pem=root.cert_pem,
            is_ca_certificate=True,
            allowed_uses=CA_USES,
            validity_period_hours=args.intermediate_validity_days * 24,
            set_subject_key_id=True,
            opts=child,
        )
        return CaBundle(
            ca_cert=signed.cert_pem,
            ca_key=pulumi.Output.secret(key.private_key_pem),
            root_cert=root.cert_pem,
            cert_chain=chain([signed.cert_pem, root.cert_pem]),
            expires=signed.validity_end_time,
        )


def chain(certificates: Sequence[pulumi.Output[str]]) -> pulumi.Output[str]:
    """Several PEMs as one text, each on lines of its own."""
    return pulumi.Output.all(*certificates).apply(lambda pems: "".join(f"{pem.rstrip()}\n" for pem in pems))


def fingerprint(pem: str) -> str:
    """SHA-256 of one certificate's DER, hexadecimal."""
    body = "".join(line for line in pem.splitlines() if line and not line.startswith("-"))
    return hashlib.sha256(base64.b64decode(body)).hexdigest()
