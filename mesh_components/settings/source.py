"""Where the mesh's root comes from, when it is not the program that makes it. Keys and tokens never stand here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mesh_components.settings.base import Settings
from mesh_components.settings.place import PlaceSettings


class OwnRootSettings(Settings):
    """A root of your own, or a certificate under it, that signs the clusters' certificates in this program."""

    certificate: PlaceSettings
    key: PlaceSettings
    """PEM, not encrypted. Secret."""
    chain: PlaceSettings | None = None
    """The certificates above it, the root last; left out where the certificate is the root."""


class IntermediateSettings(Settings):
    """A cluster's signing certificate, ready-made: the four PEMs of its `cacerts`."""

    certificate: PlaceSettings
    key: PlaceSettings
    """PEM, not encrypted. Secret."""
    root: PlaceSettings
    """The root's certificate, equal for all clusters."""
    chain: PlaceSettings | None = None
    """The certificate first, then those above it; left out where the root itself issued it."""


class IssuerSettings(Settings):
    """The issuer of cert-manager that signs."""

    name: str
    kind: Literal["ClusterIssuer", "Issuer"] = "ClusterIssuer"
    group: str = "cert-manager.io"
    spec: dict[str, Any] | None = None
    """Given, the program makes the issuer; left out, it is there already."""


class CertManagerSettings(Settings):
    """cert-manager, in every cluster with an istiod, makes `cacerts` there and renews it; no key passes the program."""

    issuer: IssuerSettings
    root: PlaceSettings
    """The root's certificate: webhooks and peers need it, and it is public."""
    renew_before_days: Annotated[int, Field(ge=1)] | None = None
    """How long before its end a signing certificate is renewed; left out: a third of its life."""


class AppRoleSettings(Settings):
    """Vault's AppRole login."""

    role_id: str
    secret_id: PlaceSettings
    """Secret."""
    mount: str = "approle"


class KubernetesLoginSettings(Settings):
    """Vault's Kubernetes login, for a program that runs in a pod."""

    role: str
    token: PlaceSettings
    """Token of the service account. Secret."""
    mount: str = "kubernetes"


class VaultSettings(Settings):
    """The PKI engine of HashiCorp Vault signs; requests leave the program, keys do not. Exactly one login."""

    address: str
    """Such as `https://vault.example.com:8200`."""
    root: PlaceSettings
    """The root's certificate: public, and what the answers of Vault are checked with."""
    mount: str = "pki"
    issuer: str | None = None
    """Name or id of an issuer of the mount; its default one when left out."""
    server_role: str | None = None
    """Role that signs the server certificate in front of an external control plane."""
    namespace: str | None = None
    """Of Vault Enterprise."""
    token: PlaceSettings | None = None
    """Secret."""
    app_role: AppRoleSettings | None = None
    kubernetes: KubernetesLoginSettings | None = None
    ca: PlaceSettings | None = None
    """Certificates that Vault's own server certificate is checked with; the system's when left out."""
    timeout_seconds: Annotated[int, Field(ge=1, le=300)] = 15
    """Of one request; it is asked again where Vault is busy."""


class GoogleCasSettings(Settings):
    """Google's Certificate Authority Service signs; requests leave the program, keys do not."""

    project: str
    location: str
    """Such as `europe-west1`."""
    pool: str
    root: PlaceSettings
    """The root's certificate: public, and what the answers are checked with."""
    certificate_authority: str | None = None
    """One authority of the pool; any of them when left out."""
    template: str | None = None
    """Full name of a certificate template for subordinate authorities; left out, the program makes one."""


class SourceSettings(Settings):
    """Where the root comes from: exactly one of these."""

    root: OwnRootSettings | None = None
    intermediates: dict[str, IntermediateSettings] = Field(default_factory=dict)
    """By cluster: ready-made, when the root's key must stay away."""
    cert_manager: CertManagerSettings | None = None
    vault: VaultSettings | None = None
    google_cas: GoogleCasSettings | None = None

    @property
    def stated(self) -> tuple[str, ...]:
        """Which kinds are given, by their keys in the document."""
        kinds = {
            "root": self.root,
            "intermediates": self.intermediates or None,
            "certManager": self.cert_manager,
            "vault": self.vault,
            "googleCas": self.google_cas,
        }
        return tuple(key for key, value in kinds.items() if value is not None)
