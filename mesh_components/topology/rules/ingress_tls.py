"""Certificates of ingress gateways: whether there is one, where the gateway reads it, whether clients take it."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.settings.place import NOT_AT_HAND
from mesh_components.topology.certificates.leaf import key_remarks, server_remarks
from mesh_components.topology.material import text
from mesh_components.topology.outside import certificates, credential, tls_place
from mesh_components.topology.rules.context import Context, error, quoted, warning
from mesh_components.topology.rules.ingress import SECRET, gateways
from mesh_components.topology.rules.texts import missing


def no_credential(context: Context) -> Iterator[Finding]:
    """MESH920."""
    for gateway in gateways(context):
        for place, host in gateway.hosts():
            if host.tls is None:
                continue
            given = [key for key in ("certificate", "key") if getattr(host.tls, key) is not None]
            if not given and host.tls.credential is None:
                yield error(
                    "MESH920",
                    f"{place}.tls",
                    f"{quoted(host.host)} is to have TLS, and nothing says with which certificate",
                    "name the TLS Secret as `credential`, or where `certificate` and `key` are",
                )
            elif len(given) == 1:
                other = "key" if given == ["certificate"] else "certificate"
                yield error(
                    "MESH920",
                    f"{place}.tls.{given[0]}",
                    f"a Secret is made of a certificate and its key, and the {other} is missing",
                    f"say where the {other} is; or name a Secret that is there, as `credential`",
                )


def credential_elsewhere(context: Context) -> Iterator[Finding]:
    """MESH921 (https://github.com/istio/istio/issues/14598)."""
    for gateway in gateways(context):
        for place, host in gateway.hosts():
            name = host.tls.credential if host.tls else None
            if name is None or SECRET.fullmatch(name):
                continue
            namespace, slash, _ = name.rpartition("/")
            reason = (
                f"it names a Secret of the namespace {quoted(namespace)}; a gateway reads the Secrets of its own "
                f"namespace, {quoted(gateway.settings.namespace)}, and no others"
                if slash
                else f"{quoted(name)} cannot be the name of a Secret"
            )
            yield error(
                "MESH921",
                f"{place}.tls.credential",
                reason,
                f"have the Secret in {quoted(gateway.settings.namespace)}, and write its name alone",
            )


def unsound(context: Context) -> Iterator[Finding]:
    """MESH937."""
    without = "there is no certificate to present"
    yield from missing(context, certificates(context.mesh), once="MESH937", absent="MESH937", without=without)
    for gateway in gateways(context):
        for position, host in enumerate(gateway.settings.hosts):
            place = tls_place(gateway.index, gateway.number, position)
            chain, key = text(context.texts, f"{place}.certificate"), text(context.texts, f"{place}.key")
            if context.now is None or NOT_AT_HAND in (chain, key):
                continue
            for remark in server_remarks(chain, host.host, context.now) if chain is not None else ():
                yield Finding("MESH937", remark.severity, f"{place}.certificate", f"it {remark.what}", remark.fix)
            for remark in key_remarks(key, chain) if key is not None else ():
                yield Finding("MESH937", remark.severity, f"{place}.key", f"it {remark.what}", remark.fix)


def two_in_one_secret(context: Context) -> Iterator[Finding]:
    """MESH938."""
    for gateway in gateways(context):
        first: dict[str, tuple[str, object]] = {}
        for place, host in gateway.hosts():
            if host.tls is None:
                continue
            name = credential(gateway.settings.name, host)
            wanted = (host.tls.certificate, host.tls.key)
            earlier, there = first.setdefault(name, (place, wanted))
            if there != wanted:
                yield error(
                    "MESH938",
                    f"{place}.tls.credential",
                    f"the Secret {quoted(name)} is that of {earlier} too, and the two say differently what is in it",
                    "give one of them a name of its own, or both the same `certificate` and `key`",
                )


def beside_the_keys(context: Context) -> Iterator[Finding]:
    """MESH929."""
    root = context.mesh.istio.namespace
    for gateway in gateways(context):
        if gateway.settings.namespace == root:
            yield warning(
                "MESH929",
                gateway.at("namespace"),
                f"an ingress gateway may read all Secrets of its namespace, and in {quoted(root)} lie the key with "
                "which istiod signs, and credentials for the other clusters: who breaks into a proxy that the world "
                "reaches has them all",
                "leave `namespace` out, or name one of the gateway's own",
            )


RULES = (no_credential, credential_elsewhere, beside_the_keys, unsound, two_in_one_secret)
