"""The root of the mesh's trust, and under it one signing certificate per cluster.

Owns keys and certificates. Does not own the Secrets that carry them into the clusters (`CaCerts`), and does not know
where a root comes from (`source`). Facts on what istiod and Envoy check:
https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs
from mesh_components.settings.trust import KeyAlgorithm
from mesh_components.topology import names
from mesh_components.topology.rotation import Phase, generations
from mesh_components.trust.generated import Generated
from mesh_components.trust.pem import chain, fingerprint
from mesh_components.trust.source import Issued, Place, Root, Source, Wanted

Counted = Annotated[int, Field(ge=1)]


class RootCAArgs(ComponentArgs):
    """Which clusters sign under the root, with what keys, for how long."""

    clusters: tuple[str, ...]
    """Names; each gets an intermediate of its own."""
    organization: str
    """`O=` of all subjects."""
    algorithm: KeyAlgorithm = "ECDSA-P256"
    root_validity_days: Counted = 3650
    intermediate_validity_days: Counted = 730
    namespace: str = "istio-system"
    """Root namespace: the intermediates name istiod's Service in it, as Istio's own tools do."""
    protect: bool = True
    """The root's key and certificate refuse to be deleted or replaced."""
    serial: Counted = 1
    """Generation of the root."""
    phase: Phase = "steady"
    """Of the way to the next generation."""
    intermediate_serials: Mapping[str, Counted] = Field(default_factory=dict)
    """By cluster; another number is another intermediate, with another key."""
    sources: Mapping[int, Source] = Field(default_factory=dict, repr=False)
    """Where the roots come from, by generation; what is not named is generated."""


@dataclass(frozen=True)
class CaBundle:
    """The four PEMs of a cluster's `cacerts`, each ending in a newline."""

    ca_cert: pulumi.Output[str]
    ca_key: pulumi.Output[str] = field(repr=False)
    """Secret."""
    root_cert: pulumi.Output[str]
    """Who is trusted: one root, or while it is replaced two, the older one first."""
    cert_chain: pulumi.Output[str]
    """The signing certificate first, then those above it; the root that it hangs on is the last."""
    expires: pulumi.Output[str]
    """When the signing certificate ends, RFC 3339."""


class RootCA(pulumi.ComponentResource):
    """The root, in one generation or in two, and an intermediate per cluster.

    Whoever trusts the mesh takes `root_cert_pem`; what is signed comes from `issue`. In the middle of a rotation the
    two are not about the same root.
    """

    root_cert_pem: pulumi.Output[str]
    """Who is trusted: the root's certificate, or while it is replaced both; the same text as in every `cacerts`."""
    fingerprint: pulumi.Output[str]
    """SHA-256 of the certificate (DER) of the root that signs, hexadecimal: what `openssl x509 -fingerprint -sha256`
    prints."""
    expires: pulumi.Output[str]
    """When the root that signs ends, RFC 3339."""
    roots: dict[int, Root]
    """Those that are trusted, by generation."""
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
        there = generations(args.serial, args.phase)
        generated = Generated(args.organization, args.algorithm, args.root_validity_days)
        made = {
            number: args.sources.get(number, generated)(
                Place(names.numbered(name, number), number, self, args.protect and number in there.protected)
            )
            for number in there.made
        }
        self.roots = {number: made[number] for number in there.trusted}
        self._signer = made[there.signer]
        # One root goes through the same hands as two: istiods before 1.31 take a bundle for a change of the old one
        # only where either text has the other inside of it.
        self.root_cert_pem = chain([root.certificate for root in self.roots.values()])
        self.fingerprint = self._signer.certificate.apply(fingerprint)
        self.expires = self._signer.expires
        self.bundles = {
            cluster: self._bundle(self._intermediate(names.numbered(name, there.signer), cluster, args))
            for cluster in args.clusters
        }
        self.register_outputs(
            {"rootCertPem": self.root_cert_pem, "fingerprint": self.fingerprint, "expires": self.expires}
        )

    def issue(self, wanted: Wanted) -> Issued:
        """A certificate under the root that signs. Raises `pulumi.RunError` where its source cannot give one."""
        return self._signer.issue(wanted)

    def _intermediate(self, name: str, cluster: str, args: RootCAArgs) -> Issued:
        called = names.numbered(f"{name}-{cluster}", args.intermediate_serials.get(cluster, 1))
        wanted = Wanted(
            purpose="intermediate",
            cluster=cluster,
            name=called,
            prefix=called,
            parent=self,
            subject={"organization": args.organization, "common_name": "Intermediate CA", "locality": cluster},
            dns_names=(f"istiod.{args.namespace}.svc",),
            days=args.intermediate_validity_days,
            algorithm=args.algorithm,
        )
        return self._signer.issue(wanted)

    def _bundle(self, issued: Issued) -> CaBundle:
        return CaBundle(
            ca_cert=issued.certificate,
            ca_key=issued.key,
            root_cert=self.root_cert_pem,
            cert_chain=chain([issued.certificate, issued.above]),
            expires=issued.expires,
        )
