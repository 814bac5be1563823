"""A sidecar's TLS, as istiod configures it: who is let in, and whom a caller takes for the service it asked for.

Certificates are verified by OpenSSL, in whole handshakes in memory. What istiod adds is from its code: to every proxy
one bundle of all roots (pilot/pkg/trustbundle/trustbundle.go), for servers the trust domains that a caller may come
from (pilot/pkg/networking/plugin/authn/util.go), for clients the names in the ServiceEntry. `by_domain` is the stricter
check that istiod itself makes of its own peers: the root is that of the trust domain in the certificate
(`VerifyPeerCert` in pkg/spiffe/spiffe.go).
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509


class RefusedError(Exception):
    """A handshake that ends."""


@dataclass(frozen=True)
class Sidecar:
    """A workload's proxy with its own certificate."""

    leaf: tuple[str, str]
    """Certificate and key."""
    mesh_config: Mapping[str, Any]
    root: str
    """Of its own mesh."""
    by_domain: bool = False
    names: tuple[str, ...] = field(default=())
    """Whom it expects, as a client."""

    @property
    def identity(self) -> str:
        return identity(self.leaf[0])

    @property
    def trust_domains(self) -> list[str]:
        others = [domain for entry in self.others for domain in entry["trustDomains"]]
        return [self.mesh_config["trustDomain"], *self.mesh_config.get("trustDomainAliases", ()), *others]

    @property
    def others(self) -> Sequence[Mapping[str, Any]]:
        return tuple(self.mesh_config.get("caCertificates", ()))

    def roots_for(self, peer: str) -> str:
        """The bundle for a peer."""
        if not self.by_domain:
            return "".join([self.root, *(entry["pem"] for entry in self.others)])
        domain = domain_of(peer)
        pools = [self.root] if domain == self.mesh_config["trustDomain"] else []
        pools += [entry["pem"] for entry in self.others if domain in entry["trustDomains"]]
        if not pools:
            raise RefusedError(f"no roots for {domain}")
        return "".join(pools)


def identity(leaf: str) -> str:
    names = x509.load_pem_x509_certificate(leaf.encode()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    (found,) = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    return str(found)


def domain_of(name: str) -> str:
    return name.removeprefix("spiffe://").partition("/")[0]


def call(client: Sidecar, server: Sidecar) -> str:
    """One handshake. The caller's identity as the server knows it; raises RefusedError."""
    waiting, answering = ssl.MemoryBIO(), ssl.MemoryBIO()
    asks = _context(client, server, ssl.PROTOCOL_TLS_CLIENT).wrap_bio(answering, waiting)
    answers = _context(server, client, ssl.PROTOCOL_TLS_SERVER).wrap_bio(waiting, answering, server_side=True)
    done: set[ssl.SSLObject] = set()
    try:
        for _ in range(6):
            for side in (asks, answers):
                if side not in done and _goes_on(side):
                    done.add(side)
    except ssl.SSLError as error:
        raise RefusedError(str(error)) from error
    assert done == {asks, answers}, "the handshake has not ended"
    caller, callee = _uri(answers), _uri(asks)
    if not any(caller.startswith(f"spiffe://{domain}/") for domain in server.trust_domains):
        raise RefusedError(f"the server lets nobody in from {domain_of(caller)}")
    if callee not in client.names:
        raise RefusedError(f"the caller wanted {client.names}, and found {callee}")
    return caller


def _context(own: Sidecar, peer: Sidecar, protocol: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=own.roots_for(peer.identity))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "leaf.pem"
        path.write_text("".join(own.leaf))
        context.load_cert_chain(path)
    return context


def _goes_on(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _uri(side: ssl.SSLObject) -> str:
    names = (side.getpeercert() or {}).get("subjectAltName", ())
    (found,) = [str(pair[1]) for pair in names if pair[0] == "URI"]
    return found


def denied(policy: Mapping[str, Any], principal: str, sni: str) -> bool:
    """Whether a DENY policy of ours refuses a request."""
    assert policy["action"] == "DENY"
    return any(_matches(rule, principal, sni) for rule in policy["rules"])


def _matches(rule: Mapping[str, Any], principal: str, sni: str) -> bool:
    assert rule.keys() <= {"from", "when"}, "no other part is understood here"
    who = any(
        any(_like(principal, text) for text in source["source"]["principals"])
        and not any(_like(principal, text) for text in source["source"].get("notPrincipals", ()))
        for source in rule["from"]
    )
    conditions = rule.get("when", ())
    assert all(condition["key"] == "connection.sni" for condition in conditions)
    return who and all(
        ("values" not in condition or sni in condition["values"]) and sni not in condition.get("notValues", ())
        for condition in conditions
    )


def _like(principal: str, text: str) -> bool:
    return principal.startswith(text[:-1]) if text.endswith("*") else principal == text
