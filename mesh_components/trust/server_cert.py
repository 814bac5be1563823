"""A server's certificate under the mesh's root, as the TLS Secret that a gateway's `credentialName` names.

Owns key, certificate and Secret. Whoever connects has to trust the mesh's root: proxies and API servers that were
handed it, and nobody else.
"""

from __future__ import annotations

from typing import Annotated

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.kubernetes import KubernetesObject, tls_secret
from mesh_components.settings.location import AddressType
from mesh_components.settings.trust import KeyAlgorithm
from mesh_components.topology import names
from mesh_components.trust.pem import chain
from mesh_components.trust.root_ca import RootCA
from mesh_components.trust.source import Wanted


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
    serial: Annotated[int, Field(ge=1)] = 1
    """Another number is another certificate, with another key."""


class ServerCertificate(pulumi.ComponentResource):
    """The Secret goes to the cluster of the provider in `opts.providers`."""

    secret_name: pulumi.Output[str]
    """Name of the Secret."""
    expires: pulumi.Output[str]
    """When the certificate ends, RFC 3339."""

    def __init__(self, name: str, args: ServerCertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {"organization": args.organization, "validityDays": args.validity_days, "algorithm": args.algorithm}
        super().__init__("mesh:index:ServerCertificate", name, props, opts)
        issued = args.root_ca.issue(self._wanted(name, args))
        manifest = tls_secret(args.secret_name, args.namespace, chain([issued.certificate, issued.above]), issued.key)
        secret = KubernetesObject(f"{name}-secret", manifest, child_options(self, opts))
        self.secret_name = secret.metadata.apply(lambda metadata: str(metadata["name"]))
        self.expires = issued.expires
        self.register_outputs({"secretName": self.secret_name, "expires": self.expires})

    def _wanted(self, name: str, args: ServerCertificateArgs) -> Wanted:
        prefix = names.numbered(name, args.serial)
        return Wanted(
            purpose="server",
            cluster="",
            name=f"{prefix}-certificate",
            prefix=prefix,
            parent=self,
            # A host name may be longer than the 64 characters that a common name has room for; no client looks there.
            subject={"organization": args.organization, "common_name": "istiod"},
            dns_names=(args.address,) if args.address_type == "hostname" else (),
            ip_addresses=(args.address,) if args.address_type == "ip" else (),
            days=args.validity_days,
            algorithm=args.algorithm,
        )
