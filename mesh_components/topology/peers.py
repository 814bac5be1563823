"""How istiods authenticate to a cluster that they do not read with a token of this program, as a kubeconfig says it.

Pure: who reads the texts hands them over.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from mesh_components.settings import ClusterSettings, MeshSettings
from mesh_components.settings.peers import OidcSettings, PeerAuthenticationSettings
from mesh_components.settings.place import PlaceSettings
from mesh_components.topology.material import Texts, text, within


def authentications(mesh: MeshSettings) -> Iterator[tuple[int, str, PeerAuthenticationSettings]]:
    """Those of the document: the cluster's position, the place, and what is said there."""
    for index, cluster in enumerate(mesh.clusters):
        if cluster.peer_authentication is not None:
            yield index, f"clusters[{index}].peerAuthentication", cluster.peer_authentication


def places(mesh: MeshSettings) -> Iterator[tuple[str, PlaceSettings]]:
    """Every text that they name, with its place in the document."""
    for _, place, stated in authentications(mesh):
        yield from within(place, stated)


def user(place: str, stated: PeerAuthenticationSettings, texts: Texts) -> dict[str, Any]:
    """The user of a kubeconfig; as secret as the texts are. Expects a document without error findings.

    Args:
        place: of `stated` in the document.
        stated: how to authenticate.
        texts: what the document names, by place.
    """
    if stated.client_certificate is not None:
        return _certificate(f"{place}.clientCertificate", texts)
    if stated.oidc is None:
        raise ValueError(f"{place} names no way to authenticate")  # MESH510 tells of it before
    return {"auth-provider": {"name": "oidc", "config": _oidc(f"{place}.oidc", stated.oidc, texts)}}


def authority(place: str, texts: Texts) -> str | None:
    """Base64 of what signs the API server's certificate; None where that of the cluster's own kubeconfig counts."""
    found = text(texts, f"{place}.certificateAuthority")
    return None if found is None else _base64(found)


def reader_user(cluster: ClusterSettings) -> str | None:
    """Who gets a reader's rights in a cluster that is not read with a token; None where somebody else gives them."""
    return cluster.peer_authentication.user if cluster.peer_authentication is not None else None


def _certificate(place: str, texts: Texts) -> dict[str, Any]:
    certificate, key = text(texts, f"{place}.certificate") or "", text(texts, f"{place}.key") or ""
    return {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)}


def _oidc(place: str, stated: OidcSettings, texts: Texts) -> dict[str, str]:
    """Keys of client-go's plugin (client-go plugin/pkg/client/auth/oidc/oidc.go)."""
    authority = text(texts, f"{place}.certificateAuthority")
    config = {
        "idp-issuer-url": stated.issuer,
        "client-id": stated.client_id,
        "client-secret": _line(texts, f"{place}.clientSecret"),
        "refresh-token": _line(texts, f"{place}.refreshToken"),
        "id-token": _line(texts, f"{place}.idToken"),
        "idp-certificate-authority-data": None if authority is None else _base64(authority),
    }
    return {key: value for key, value in config.items() if value is not None}


def _line(texts: Texts, place: str) -> str | None:
    """A token, without the line break that files end with."""
    found = text(texts, place)
    return None if found is None else found.strip()


def _base64(contents: str) -> str:
    return base64.b64encode(contents.encode()).decode()
