"""The kubeconfig inside a remote secret. Pure functions on plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml


def remote_kubeconfig(
    cluster: str,
    server: str,
    certificate_authority: str | None,
    user: Mapping[str, Any],
    tls_server_name: str | None = None,
) -> str:
    """The kubeconfig in the very shape that `istioctl create-remote-secret` writes
    (istio/istio istioctl/pkg/multicluster/remote_secret.go).

    Args:
        cluster: name of the source cluster; also the name of the context and of the user.
        server: URL of its API server as the reader's istiod reaches it.
        certificate_authority: base64 of the PEM that signs the API server's certificate; None for public authorities.
        user: how istiod authenticates, `{"token": ...}`; the result is as secret as this.
        tls_server_name: name to expect in the API server's certificate.
    """
    trusted = {"certificate-authority-data": certificate_authority} if certificate_authority else {}
    access: dict[str, Any] = {**trusted, "server": server}
    if tls_server_name:
        access["tls-server-name"] = tls_server_name
    document = {
        "apiVersion": "v1",
        "clusters": [{"cluster": access, "name": cluster}],
        "contexts": [{"context": {"cluster": cluster, "user": cluster}, "name": cluster}],
        "current-context": cluster,
        "kind": "Config",
        "preferences": {},
        "users": [{"name": cluster, "user": dict(user)}],
    }
    return yaml.safe_dump(document, sort_keys=False)
