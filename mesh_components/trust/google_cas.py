"""Google's Certificate Authority Service as the source of the root: requests go out, keys stay.

Owns the certificates, and a template that makes them authorities where the document names none. Does not own the pool
or its authorities. `pulumi_gcp` is imported when a certificate is asked for, and comes with the extra `gcp`.
https://www.pulumi.com/registry/packages/gcp/api-docs/certificateauthority/certificate/
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import Any

import pulumi

from mesh_components.settings.source import GoogleCasSettings
from mesh_components.topology.certificates import Expected
from mesh_components.topology.certificates.read import ends, lined
from mesh_components.trust.signing import SigningRoot
from mesh_components.trust.source import Certificate, Place, Wanted
from mesh_components.trust.verified import checked, parts


def missing() -> str | None:
    """What to say where the package is not installed; None where it is."""
    if importlib.util.find_spec("pulumi_gcp") is not None:
        return None
    return (
        "trust.source.googleCas: the package pulumi-gcp is not installed, so Google's CA Service cannot be asked; "
        "nothing was created\n    fix: pip install 'mesh-components[gcp]', or requirements-gcp.txt"
    )


@dataclass(frozen=True)
class GoogleCasRoot(SigningRoot):
    """A root, or what is under it, in Google's CA Service."""

    certificate: pulumi.Output[str]
    expires: pulumi.Output[str]
    root: str
    settings: GoogleCasSettings
    template: pulumi.Input[str]
    """That of subordinate authorities."""
    expected: Expected = field(default_factory=Expected)

    def sign(self, wanted: Wanted, request: pulumi.Output[str]) -> Certificate:
        """Send the request. A server's has no template: its names are in the request, and it is no authority."""
        from pulumi_gcp import certificateauthority

        settings = self.settings
        made = certificateauthority.Certificate(
            wanted.name,
            project=settings.project,
            location=settings.location,
            pool=settings.pool,
            certificate_authority=settings.certificate_authority,
            certificate_template=self.template if wanted.purpose == "intermediate" else None,
            lifetime=f"{wanted.days * 86400}s",
            pem_csr=request,
            opts=pulumi.ResourceOptions(parent=wanted.parent),
        )
        who = f"{wanted.name}, signed by Google's CA Service ({settings.pool})"
        others = made.pem_certificate_chains.apply(lambda chain: "".join(f"{one.rstrip()}\n" for one in chain or []))
        return parts(checked(made.pem_certificate, others, self.root, wanted.purpose, who, self.expected))


@dataclass(frozen=True)
class GoogleCasSource:
    """Makes the template, where the document names none."""

    settings: GoogleCasSettings
    root: str
    expected: Expected = field(default_factory=Expected)

    def __call__(self, place: Place) -> GoogleCasRoot:
        """The root that the document names."""
        root = lined(self.root)
        return GoogleCasRoot(
            certificate=pulumi.Output.from_input(root),
            expires=pulumi.Output.from_input(ends(root)),
            root=root,
            settings=self.settings,
            template=self.settings.template or self._template(place),
            expected=self.expected,
        )

    def _template(self, place: Place) -> pulumi.Output[str]:
        from pulumi_gcp import certificateauthority

        made = certificateauthority.CertificateTemplate(
            f"{place.name}-template",
            project=self.settings.project,
            location=self.settings.location,
            description="Signing certificates of a mesh's clusters",
            predefined_values=_authority(certificateauthority),
            opts=pulumi.ResourceOptions(parent=place.parent),
        )
        template: pulumi.Output[str] = made.id
        return template


def _authority(certificateauthority: Any) -> Any:
    """An authority with none below it, and no extended key usage: one would limit what Envoy accepts."""
    base = certificateauthority.CertificateTemplatePredefinedValuesKeyUsageBaseKeyUsageArgs(
        cert_sign=True, crl_sign=True, digital_signature=True, key_encipherment=True
    )
    none = certificateauthority.CertificateTemplatePredefinedValuesKeyUsageExtendedKeyUsageArgs()
    return certificateauthority.CertificateTemplatePredefinedValuesArgs(
        ca_options=certificateauthority.CertificateTemplatePredefinedValuesCaOptionsArgs(
            is_ca=True, zero_max_issuer_path_length=True
        ),
        key_usage=certificateauthority.CertificateTemplatePredefinedValuesKeyUsageArgs(
            base_key_usage=base, extended_key_usage=none
        ),
    )
