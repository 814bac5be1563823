"""A server's certificate under the mesh's root, as the TLS Secret that a gateway's `credentialName` names.

Owns key, certificate and Secret. Whoever connects has to trust the mesh's root: proxies and API servers that were
handed it, and nobody else.
"""

from __future__ import annotations

from typing import Annotated

import pulumi
import pulumi_tls as tls
from pydantic import Field

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.kubernetes import KubernetesObject, encode
from mesh_components.settings.cluster import AddressType
from mesh_components.settings.trust import KeyAlgorithm
from mesh_components.topology import names
from mesh_components.trust.root_ca import KEYS, RootCA, chain

USES = ["digital_signature", "key_encipherment", "server_auth"]


class ServerCertificateArgs(ComponentArgs):
    """For which address, signed by whom, kept where."""

    root_ca: RootCA
    address: MaybeOutput[str]
    """The only name of the certificate."""
    address_type: AddressType
    organization: str
    """`O=` of the subject."""
    namespace: MaybeOutput[str] = names.LOCAL_NAMESPACE
    """That of the gateway which presents it."""
    secret_name: str = "external-istiod-tls"  # noqa: S105 - the name of one
    validity_days: Annotated[int, Field(ge=1)] = 365
    algorithm: KeyAlgorithm = "ECDSA-P256"


class ServerCertificate(pulumi.ComponentResource):
    """The Secret goes to the cluster of the provider in `opts.providers`."""

    secret_name: pulumi.Output[str]
    """Name of the Secret."""
    expires: pulumi.Output[str]
    """When the certificate ends, RFC 3339."""

    def __init__(self, name: str, args: ServerCertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {"organization": args.organization, "validityDays": args.validity_days, "algorithm": args.algorithm}
        super().__init__("mesh:index:ServerCertificate", name, props, opts)
        key = tls.PrivateKey(f"{name}-key", **KEYS[args.algorithm], opts=pulumi.ResourceOptions(parent=self))
        signed = self._signed(name, args, key)
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": args.secret_name, "namespace": args.namespace},
            "data": pulumi.Output.secret(
                {
                    "tls.crt": encode(chain([signed.cert_pem, args.root_ca.root_cert_pem])),
                    "tls.key": encode(key.private_key_pem),
                }
            ),
        }
        secret = KubernetesObject(f"{name}-secret", manifest, child_options(self, opts))
        self.secret_name = secret.metadata.apply(lambda metadata: str(metadata["name"]))
        self.expires = signed.validity_end_time
        self.register_outputs({"secretName": self.secret_name, "expires": self.expires})

    def _signed(self, name: str, args: ServerCertificateArgs, key: tls.PrivateKey) -> tls.LocallySignedCert:
        child = pulumi.ResourceOptions(parent=self)
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            # A host name may be longer than the 64 characters that a common name has room for; no client looks there.
            subject={"organization": args.organization, "common_name": "istiod"},
            dns_names=[args.address] if args.address_type == "hostname" else None,
            ip_addresses=[args.address] if args.address_type == "ip" else None,
            opts=child,
        )
        return tls.LocallySignedCert(
            f"{name}-certificate",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=args.root_ca.root_key_pem,
            ca_cert_pem=args.root_ca.root_cert_pem,
            allowed_uses=USES,
            validity_period_hours=args.validity_days * 24,
            opts=child,
        )
