"""How the istiods of other clusters authenticate to this one, where it is not with a token of this program.

istiod refuses what would run programs or read files inside of it, so everything here is handed over as data
(istio/istio pkg/kube/util.go, `sanitizeKubeConfig`).
"""

from __future__ import annotations

from mesh_components.settings.base import Settings
from mesh_components.settings.place import PlaceSettings


class ClientCertificateSettings(Settings):
    """A certificate that the API server takes for a user: its common name, in the groups of its organisations."""

    certificate: PlaceSettings
    """PEM; further certificates of its chain may follow."""
    key: PlaceSettings
    """PEM, not encrypted. Secret."""


class OidcSettings(Settings):
    """An account of an identity provider that the API server trusts. istiod gets itself ID tokens with the refresh
    token (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens)."""

    issuer: str
    """URL of the identity provider, as the API server knows it."""
    client_id: str
    client_secret: PlaceSettings | None = None
    """Secret."""
    refresh_token: PlaceSettings | None = None
    """Secret. One that may be used again: every istiod that reads the cluster has it."""
    id_token: PlaceSettings | None = None
    """Secret. Used until it ends; without a refresh token nothing comes after it."""
    certificate_authority: PlaceSettings | None = None
    """What signs the identity provider's certificate, PEM; public authorities when left out."""


class PeerAuthenticationSettings(Settings):
    """Exactly one of `client_certificate` and `oidc`."""

    client_certificate: ClientCertificateSettings | None = None
    oidc: OidcSettings | None = None
    user: str | None = None
    """Who that is to the API server: the certificate's common name, or what it makes of the ID token. The rights that
    istiod asks for are given to that user; left out, somebody else gives them."""
    certificate_authority: PlaceSettings | None = None
    """What signs the API server's certificate, PEM; that of the cluster's own kubeconfig when left out."""

    @property
    def stated(self) -> tuple[str, ...]:
        """Which ways are named."""
        return tuple(key for key in ("client_certificate", "oidc") if getattr(self, key) is not None)
