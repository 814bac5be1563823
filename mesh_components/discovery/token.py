"""What a remote secret needs of a cluster's token, whoever made it."""

from __future__ import annotations

import pulumi


class Token(pulumi.ComponentResource):
    """The token of one account in one cluster."""

    token: pulumi.Output[str]
    """Bearer token; secret."""
    certificate_authority: pulumi.Output[str]
    """Base64 of the PEM that signs the API server's certificate, as `certificate-authority-data` wants it."""
