"""The source of the root: where its texts are, what istiod and Envoy check of them, and what it cannot give.

The checks are `topology.certificates`; here they get numbers, and places in the document.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.topology import material
from mesh_components.topology.certificates import Expected, Problem, problems, root_problems, signer_problems
from mesh_components.topology.certificates.bundle import Part
from mesh_components.topology.material import Stated
from mesh_components.topology.roles import runs_istiod
from mesh_components.topology.rules.context import Context, at, error, quoted, warning
from mesh_components.topology.rules.texts import missing

_NUMBERS = {
    "MESH313": {"expired", "not-yet-valid", "outlives-issuer"},
    "MESH314": {
        "not-ca", "path-length", "no-subject", "no-cert-sign", "no-server-auth", "any-usage", "no-client-auth",
        "critical-extension", "constraint-kind", "constrained-uri", "constrained-dns", "root-signs",
    },
    "MESH315": {
        "short-rsa", "long-rsa", "edwards", "dsa-key", "p521", "curve", "pss-key", "unknown-key", "key-algorithm",
        "unknown-signature", "weak-signature-md2", "weak-signature-md5", "weak-signature-sha-1",
        "weak-signature-sha-224",
    },
    "MESH316": {
        "wrong-key", "no-key", "several-keys", "encrypted-key", "ec-parameters", "openssh-key", "key-label",
        "unreadable-key", "shared-key",
    },
    "MESH317": {
        "untrusted-root", "other-key", "missing-chain", "key-identifier", "same-name", "ambiguous-name",
        "same-identifier", "root-not-self-signed", "twice-in-roots", "twice-in-chain", "stray", "chain-order",
        "reversed-chain", "chain-without-signer",
    },
    "MESH318": {"different-roots", "bundles-differ"},
}  # fmt: skip
"""The number of each kind of problem; what is in none of them is about the form of a text, MESH312."""

_KEYS = {Part.CA_CERT: "certificate", Part.CA_KEY: "key", Part.CERT_CHAIN: "chain", Part.ROOT_CERT: "root"}


def which(context: Context) -> Iterator[Finding]:
    """MESH310: exactly one kind of source."""
    for source in material.stated(context.mesh.trust):
        kinds = source.settings.stated
        if len(kinds) != 1:
            said = f"several are named ({', '.join(kinds)})" if kinds else "none is named"
            yield error(
                "MESH310",
                source.place,
                f"the root comes from exactly one source, and {said}",
                "name one of root, intermediates, certManager, vault and googleCas; leave `source` out for a root that "
                "the program makes",
            )
        vault = source.settings.vault
        if vault is not None:
            logins = [key for key in ("token", "app_role", "kubernetes") if getattr(vault, key) is not None]
            if len(logins) != 1:
                yield error(
                    "MESH310",
                    f"{source.place}.vault",
                    f"{len(logins)} logins are named, and Vault is asked with exactly one",
                    "name one of token, appRole and kubernetes",
                )


def unreadable(context: Context) -> Iterator[Finding]:
    """MESH310, of a text that is named never or twice; MESH311."""
    without = "no cluster gets its certificate"
    yield from missing(context, material.places(context.mesh.trust), once="MESH310", absent="MESH311", without=without)


def unsound(context: Context) -> Iterator[Finding]:
    """MESH312 to MESH318: what istiod and Envoy would refuse."""
    if context.now is None:
        return
    expected = Expected(context.mesh.trust_domain, context.mesh.istio.namespace)
    for source in material.stated(context.mesh.trust):
        own, ready = source.settings.root, source.settings.intermediates
        if own is not None:
            signer = material.signer(context.texts, f"{source.place}.root", own)
            if signer is not None:
                for problem in signer_problems(signer, context.now, expected):
                    yield _finding(f"{source.place}.root.{_KEYS[problem.part]}", problem)
        place = f"{source.place}.intermediates"
        made = {name: material.bundle(context.texts, f"{place}.{name}", item) for name, item in ready.items()}
        whole = {name: found for name, found in made.items() if found is not None}
        for problem in problems(whole, context.now, expected):
            chainless = problem.part is Part.CERT_CHAIN and ready[problem.cluster].chain is None
            key = "certificate" if chainless else _KEYS[problem.part]
            yield _finding(f"{place}.{problem.cluster}.{key}", problem)
        yield from _roots(context, source, expected)


def _roots(context: Context, source: Stated, expected: Expected) -> Iterator[Finding]:
    """The root alone, where what is under it is not made yet."""
    for key in ("certManager", "vault", "googleCas"):
        text = material.text(context.texts, f"{source.place}.{key}.root")
        if text is not None and context.now is not None:
            for problem in root_problems(text, context.now, expected):
                yield _finding(f"{source.place}.{key}.root", problem)


def _finding(place: str, problem: Problem) -> Finding:
    number = next((number for number, kinds in _NUMBERS.items() if problem.kind in kinds), "MESH312")
    where = f'"{problem.cluster}": ' if problem.cluster else ""
    return Finding(number, problem.severity, place, f"{where}{problem.reason}", problem.fix)


def server_certificate(context: Context) -> Iterator[Finding]:
    """MESH319: who cannot sign the certificate in front of an external control plane."""
    for source in material.stated(context.mesh.trust):
        if not _cannot_sign_servers(source):
            continue
        for index, cluster in context.clusters():
            if cluster.role == "external" and cluster.east_west.credential is None:
                yield error(
                    "MESH319",
                    at(index, "eastWest.credential"),
                    f"the gateway in front of this istiod needs a server certificate, and {source.place}."
                    f"{source.settings.stated[0]} cannot sign one here",
                    "name the TLS Secret of a certificate for the gateway's address that is made elsewhere"
                    + ("; or set serverRole of vault" if source.settings.vault else ""),
                )


def _cannot_sign_servers(source: Stated) -> bool:
    settings = source.settings
    if settings.vault is not None:
        return settings.vault.server_role is None
    return bool(settings.intermediates) or settings.cert_manager is not None


def clusters(context: Context) -> Iterator[Finding]:
    """MESH320: ready-made intermediates, one for every cluster that signs."""
    signing = {cluster.name: index for index, cluster in context.clusters() if runs_istiod(cluster)}
    for source in material.stated(context.mesh.trust):
        ready = source.settings.intermediates
        if not ready:
            continue
        place = f"{source.place}.intermediates"
        for name in signing:
            if name not in ready:
                yield error(
                    "MESH320",
                    place,
                    f"the cluster {quoted(name)} has an istiod and no signing certificate here: istiod would sign "
                    "under a root of its own, and say nothing",
                    "add its certificate, key and root",
                )
        for name in ready:
            if name not in signing:
                yield error(
                    "MESH320",
                    f"{place}.{name if len(name) < 80 else '…'}",
                    "no cluster of that name has an istiod",
                    "correct the name, or take the certificate away",
                )


def ignored(context: Context) -> Iterator[Finding]:
    """MESH321: settings about making certificates, where they are not made here."""
    trust = context.mesh.trust
    for source in material.stated(trust):
        made_elsewhere = {"root_validity_days", "protect_root"}
        if source.settings.intermediates:
            made_elsewhere |= {"algorithm", "intermediate_validity_days", "organization"}
        for name in sorted(made_elsewhere & trust.model_fields_set):
            yield warning(
                "MESH321",
                f"trust.{type(trust).model_fields[name].alias}",
                f"it is not read: {source.place} brings what it is about, ready-made",
                "take it out",
            )


def vault_address(context: Context) -> Iterator[Finding]:
    """MESH322: a token over plain HTTP."""
    for source in material.stated(context.mesh.trust):
        vault = source.settings.vault
        if vault is not None and not vault.address.startswith("https://"):
            plain = vault.address.startswith("http://")
            local = plain and vault.address[7:].split("/")[0].rsplit(":", 1)[0] in ("localhost", "127.0.0.1", "[::1]")
            yield (warning if local else error)(
                "MESH322",
                f"{source.place}.vault.address",
                "it is plain HTTP, so whoever sits in between reads the token and signs what he likes"
                if plain
                else "it is no URL that begins with https://",
                "give the https:// URL of Vault",
            )


def phases(context: Context) -> Iterator[Finding]:
    """MESH323."""
    trust = context.mesh.trust
    if trust.rotation is None:
        return
    for source in material.stated(trust):
        if source.settings.cert_manager is not None:
            yield error(
                "MESH323",
                f"{source.place}.certManager",
                "cert-manager writes root and signing certificate of a cluster at once, so no cluster can trust the "
                "new root before another signs with it: a rotation by phases breaks trust",
                "take another source for the time of the rotation, or leave rotation out",
            )


RULES = (which, unreadable, unsound, server_certificate, clusters, ignored, vault_address, phases)
