"""How peers authenticate where it is not with a token of this program: whether it can work, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mesh_components.settings import Finding
from mesh_components.settings.kubeconfig import Kubeconfig
from mesh_components.settings.place import NOT_AT_HAND
from mesh_components.topology import material
from mesh_components.topology.certificates import leaf
from mesh_components.topology.certificates.bundle import Remark
from mesh_components.topology.peers import authentications, places
from mesh_components.topology.rules.context import Context, at, error, quoted, warning
from mesh_components.topology.rules.texts import missing
from mesh_components.topology.tokens import handed_out_elsewhere


def which(context: Context) -> Iterator[Finding]:
    """MESH510."""
    for index, place, stated in authentications(context.mesh):
        cluster = context.mesh.clusters[index]
        if len(stated.stated) != 1:
            said = "both ways are named" if stated.stated else "no way is named"
            yield error(
                "MESH510",
                place,
                f"peers authenticate in one way, and {said}",
                "leave one of clientCertificate and oidc",
            )
        if cluster.peer_kubeconfig is not None:
            yield error(
                "MESH510",
                place,
                "there is a `peerKubeconfig` too, which says already how peers authenticate",
                "leave one of the two",
            )
        if cluster.role == "config":
            yield error(
                "MESH510",
                place,
                f"istiod writes to {quoted(cluster.name)}, and this is for who reads",
                "leave it out; or bring a `peerKubeconfig` with istiod's rights there",
            )
        elif handed_out_elsewhere(context.mesh) or not context.readers(index):
            yield warning("MESH510", place, "no istiod reads this cluster with a Secret of this program", "take it out")
        oidc = stated.oidc
        if oidc is not None and oidc.refresh_token is None:
            if oidc.id_token is None:
                yield error(
                    "MESH510",
                    f"{place}.oidc",
                    "there is neither a refresh token nor an ID token, so istiod has nothing to show",
                    "name a `refreshToken`",
                )
            else:
                yield warning(
                    "MESH510",
                    f"{place}.oidc.idToken",
                    "nothing comes after this ID token; when it ends, within hours, istiods lose sight of the cluster",
                    "name a `refreshToken`",
                )


def unreadable(context: Context) -> Iterator[Finding]:
    """MESH511."""
    without = "no istiod can read the cluster"
    yield from missing(context, places(context.mesh), once="MESH511", absent="MESH511", without=without)


def unsound(context: Context) -> Iterator[Finding]:
    """MESH512."""
    if context.now is None:
        return
    for _, place, stated in authentications(context.mesh):
        place = f"{place}.clientCertificate"
        certificate = material.text(context.texts, f"{place}.certificate")
        key = material.text(context.texts, f"{place}.key")
        if stated.client_certificate is None or certificate is None or NOT_AT_HAND in (certificate, key):
            continue
        wrong = tuple(leaf.client_remarks(certificate, context.now))
        for remark in wrong:
            yield _unsound(f"{place}.certificate", remark)
        if not wrong:
            yield from _ends_soon(context, f"{place}.certificate", certificate)
        for remark in leaf.key_remarks(key, certificate) if key is not None else ():
            yield _unsound(f"{place}.key", remark)


def authority(context: Context) -> Iterator[Finding]:
    """MESH513."""
    for index, place, stated in authentications(context.mesh):
        own = context.kubeconfigs.get(index)
        if stated.certificate_authority is None and isinstance(own, Kubeconfig) and own.authority_is_path:
            yield error(
                "MESH513",
                at(index, "kubeconfig"),
                "it names a file with what signs the API server's certificate, which the peers do not have",
                f"put it in as `certificate-authority-data`, or name it in `{place}.certificateAuthority`",
            )


def _ends_soon(context: Context, place: str, certificate: str) -> Iterator[Finding]:
    found = leaf.first(certificate)
    if isinstance(found, Remark) or context.now is None:
        return
    ends = found.parsed.not_valid_after_utc
    if ends - context.now <= timedelta(days=context.mesh.trust.warn_days_before):
        yield warning(
            "MESH512",
            place,
            f"it ends on {ends:%Y-%m-%d}, and istiods lose sight of the cluster then",
            "bring another one: the remote secrets change in place",
        )


def _unsound(place: str, remark: Remark) -> Finding:
    return Finding("MESH512", remark.severity, place, f"it {remark.what}", remark.fix)


RULES = (which, unreadable, unsound, authority)
