"""The words of the verifier: what it is given, what it expects, what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from mesh_components.settings import Severity


class Part(StrEnum):
    """One of the texts of a bundle."""

    CA_CERT = "ca-cert.pem"
    CA_KEY = "ca-key.pem"
    CERT_CHAIN = "cert-chain.pem"
    ROOT_CERT = "root-cert.pem"


TLS_NAMES = {
    Part.CA_CERT: "tls.crt",
    Part.CA_KEY: "tls.key",
    Part.CERT_CHAIN: "tls.crt with ca.crt",
    Part.ROOT_CERT: "ca.crt",
}
"""The names in a Secret of the type kubernetes.io/tls."""


@dataclass(frozen=True)
class Bundle:
    """A cluster's `cacerts`. None where a key of the Secret is missing."""

    ca_cert: str | None
    ca_key: str | None = field(repr=False)
    """Secret. Left out of what is checked where `key_elsewhere` says so."""
    cert_chain: str | None
    root_cert: str | None
    tls: bool = False
    """True: of the type kubernetes.io/tls, where istiod puts the chain together itself and `tls.crt` may hold it."""
    key_elsewhere: bool = False
    """True: the key is not known here."""

    @classmethod
    def of_tls(cls, crt: str | None, key: str | None, root: str | None) -> Bundle:
        """The bundle that istiod makes of `tls.crt`, `tls.key` and `ca.crt`."""
        return cls(crt, key, f"{crt}{root}" if crt and root else None, root, tls=True)

    def called(self, part: Part) -> str:
        """The name of a text in its Secret."""
        return TLS_NAMES[part] if self.tls else part.value


@dataclass(frozen=True)
class Signer:
    """A root, or a certificate under it, that is to sign the clusters' certificates."""

    certificate: str | None
    key: str | None = field(repr=False)
    """Secret."""
    chain: str | None = None
    """The certificates above it, the root last; None where the certificate is the root itself."""


@dataclass(frozen=True)
class Expected:
    """What the certificates under a bundle carry: name constraints must let it through."""

    trust_domain: str = "cluster.local"
    namespace: str = "istio-system"


USUAL = Expected()
"""Istio's defaults."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with one certificate or key."""

    kind: str
    """A word for it that stays: `expired`, `wrong-key`."""
    severity: Severity
    part: Part
    reason: str
    """Which certificate, what, and what comes of it."""
    fix: str
    cluster: str = ""
    """Empty where a bundle was looked at alone."""

    def __str__(self) -> str:
        where = f'cluster "{self.cluster}": ' if self.cluster else ""
        return f"{where}{self.reason}\n    fix: {self.fix}"


@dataclass(frozen=True)
class Remark:
    """What is wrong, before it is known of which part."""

    kind: str
    what: str
    fix: str
    severity: Severity = Severity.ERROR

    def of(self, part: Part, which: str) -> Problem:
        """The problem of one certificate or text."""
        return Problem(self.kind, self.severity, part, f"{which} {self.what}", self.fix)

    def softened(self) -> Remark:
        """The same as a warning: what is wrong with it is not used."""
        return Remark(self.kind, self.what, self.fix, Severity.WARNING)
