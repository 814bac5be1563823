"""cert-manager as the source of the root: it makes `cacerts` in the cluster, and renews it.

Owns the `Certificate`, and the issuer where asked to. Does not own cert-manager, which has to be there with its
webhook, nor the Secret: cert-manager writes it, in the form `kubernetes.io/tls`, with a key that never leaves the
cluster. istiod reads that form, and takes a renewed certificate under the same root without a restart.
https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.CertificateSpec
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, child_options
from mesh_components.kubernetes import KubernetesObject
from mesh_components.settings.source import IssuerSettings
from mesh_components.settings.trust import KeyAlgorithm
from mesh_components.topology import names
from mesh_components.topology.certificates.read import ends, lined
from mesh_components.trust.source import Issued, Place, Wanted

_KEYS: dict[KeyAlgorithm, dict[str, Any]] = {
    "ECDSA-P256": {"algorithm": "ECDSA", "size": 256},
    "RSA-4096": {"algorithm": "RSA", "size": 4096},
}

_USAGES = ["cert sign", "crl sign", "digital signature", "key encipherment"]
"""Named, since cert-manager's own choice may come with an extended key usage, which limits everything below."""

_READY = {"pulumi.com/waitFor": "condition=Ready"}


class CertManagerCaCertsArgs(ComponentArgs):
    """Which cluster's certificate, asked of whom, for how long."""

    cluster: str
    issuer: IssuerSettings
    organization: str
    """`O=` of the subject."""
    algorithm: KeyAlgorithm = "ECDSA-P256"
    validity_days: Annotated[int, Field(ge=1)] = 730
    renew_before_days: Annotated[int, Field(ge=1)] | None = None
    """A third of the validity when left out."""
    namespace: str = "istio-system"
    make_issuer: bool = True
    """False: another one in this cluster makes it already."""


class CertManagerCaCerts(pulumi.ComponentResource):
    """Ready once cert-manager has written the Secret: istiod comes after it."""

    expires: pulumi.Output[str]
    """When the certificate ends, RFC 3339; cert-manager renews it before."""

    def __init__(self, name: str, args: CertManagerCaCertsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:CertManagerCaCerts", name, {"validityDays": args.validity_days}, opts)
        after = []
        if args.issuer.spec is not None and args.make_issuer:
            after.append(KubernetesObject(f"{name}-issuer", _issuer(args), child_options(self, opts)))
        made = KubernetesObject(f"{name}-{names.CACERTS}", certificate(args), child_options(self, opts, *after))
        self.expires = made.status.apply(lambda status: str((status or {}).get("notAfter", "")))
        self.register_outputs({"expires": self.expires})


def certificate(args: CertManagerCaCertsArgs) -> dict[str, Any]:
    """The `Certificate` of one cluster."""
    before = args.renew_before_days or max(args.validity_days // 3, 1)
    hours = args.validity_days * 24
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": names.CACERTS, "namespace": args.namespace, "annotations": _READY},
        "spec": {
            "secretName": names.CACERTS,
            "isCA": True,
            "commonName": "Intermediate CA",
            "subject": {"organizations": [args.organization], "localities": [args.cluster]},
            "dnsNames": [f"istiod.{args.namespace}.svc"],
            "duration": f"{hours}h",
            "renewBefore": f"{min(before * 24, hours - 1)}h",
            "privateKey": {**_KEYS[args.algorithm], "encoding": "PKCS8", "rotationPolicy": "Always"},
            "usages": _USAGES,
            "issuerRef": {"name": args.issuer.name, "kind": args.issuer.kind, "group": args.issuer.group},
        },
    }


def _issuer(args: CertManagerCaCertsArgs) -> dict[str, Any]:
    metadata = {"name": args.issuer.name, "annotations": _READY}
    if args.issuer.kind == "Issuer":
        metadata["namespace"] = args.namespace
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": args.issuer.kind,
        "metadata": metadata,
        "spec": args.issuer.spec,
    }


@dataclass(frozen=True)
class CertManagerRoot:
    """The root that the issuers lead to; what hangs on it is made in the clusters."""

    certificate: pulumi.Output[str]
    expires: pulumi.Output[str]

    def issue(self, wanted: Wanted) -> Issued:
        """Nothing is signed here."""
        raise pulumi.RunError(
            f"{wanted.name}: cert-manager signs in the clusters, and the program has no certificate of it; give this "
            "one by itself (eastWest.credential), or take a source that signs"
        )


@dataclass(frozen=True)
class CertManagerSource:
    """Makes no resource: the clusters' certificates are `CertManagerCaCerts`."""

    root: str

    def __call__(self, _place: Place) -> CertManagerRoot:
        """The root that the document names."""
        root = lined(self.root)
        return CertManagerRoot(pulumi.Output.from_input(root), pulumi.Output.from_input(ends(root)))
