"""Made-up meshes: their roots, their workloads' certificates, and what they say of themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mesh_components.settings.facts import ExportFact, GatewayFact, MeshFacts, RootFact
from mesh_components.settings.meshes import ExportPort
from mesh_components.trust.pem import fingerprint
from tests.support import authorities
from tests.support.authorities import CLIENT, SERVER, Shape

BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)
"""OpenSSL and programs look at the clock, so these are valid on any day that the tests run."""


@dataclass(frozen=True)
class MeshAuthority:
    """A mesh's root with its key."""

    name: str
    end: datetime = END

    @cached_property
    def made(self) -> authorities.Authority:
        private = ec.generate_private_key(ec.SECP256R1())
        return authorities.root(private, name=self.name, begins=BEGIN, ends=self.end)

    @property
    def pem(self) -> str:
        return self.made.pem

    @property
    def root(self) -> RootFact:
        return RootFact(pem=self.pem, sha256=fingerprint(self.pem))

    def leaf(self, identity: str) -> tuple[str, str]:
        """A workload's certificate and its key, PEM."""
        name = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
        shape = Shape(
            nameless=True,
            ca=False,
            usage=None,
            purposes=(SERVER, CLIENT),
            extra=((name, True),),
            begins=BEGIN,
            ends=self.end,
        )
        made = authorities.authority(shape, ec.generate_private_key(ec.SECP256R1()), self.made)
        return made.pem, made.key


HELLO = ExportFact(
    host="helloworld.sample.svc.cluster.local",
    ports=(ExportPort(number=5000, name="http", protocol="HTTP"),),
    accounts=("sample/helloworld",),
    meshes=("mesh1",),
)
GATEWAY = GatewayFact(cluster="west", network="network1", address="203.0.113.7")


def facts(authority: MeshAuthority, mesh: str = "mesh2", **changed: Any) -> MeshFacts:
    """What `mesh` says of itself: it exports `helloworld.sample` to `mesh1`."""
    said: dict[str, Any] = {
        "mesh": mesh,
        "trust_domain": f"{mesh}.example",
        "roots": (authority.root,),
        "gateways": (GATEWAY,),
        "exports": (HELLO,),
        **changed,
    }
    return MeshFacts(**said)
