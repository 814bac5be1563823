"""The Secret `cacerts`: a cluster's signing certificate where its istiod looks for it.

Must exist before istiod starts: without it istiod signs with a root of its own, and says nothing
(https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/).
"""

from __future__ import annotations

import pulumi

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.kubernetes import KubernetesObject, encode
from mesh_components.topology import names
from mesh_components.trust.root_ca import CaBundle


class CaCertsArgs(ComponentArgs):
    """What goes where."""

    bundle: CaBundle
    namespace: MaybeOutput[str] = "istio-system"


class CaCerts(pulumi.ComponentResource):
    """All four keys or none: istiod refuses to start with a part of them."""

    expires: pulumi.Output[str]
    """When the signing certificate ends, RFC 3339."""

    def __init__(self, name: str, args: CaCertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:CaCerts", name, {}, opts)
        bundle = args.bundle
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": names.CACERTS, "namespace": args.namespace},
            "type": "Opaque",
            "data": pulumi.Output.secret(
                {
                    "ca-cert.pem": encode(bundle.ca_cert),
                    "ca-key.pem": encode(bundle.ca_key),
                    "root-cert.pem": encode(bundle.root_cert),
                    "cert-chain.pem": encode(bundle.cert_chain),
                }
            ),
        }
        KubernetesObject(f"{name}-{names.CACERTS}", manifest, child_options(self, opts))
        self.expires = bundle.expires
        self.register_outputs({"expires": self.expires})
