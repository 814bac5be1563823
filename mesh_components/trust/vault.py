"""HashiCorp Vault's PKI engine as the source of the root: requests go out, keys stay.

Owns the certificates that are signed, not the engine, its issuers or the policy of the login. Nothing is revoked when a
certificate goes: that takes rights which signing does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from mesh_components.settings.source import VaultSettings
from mesh_components.topology.certificates import Expected
from mesh_components.topology.certificates.read import ends, lined
from mesh_components.trust.signing import SigningRoot
from mesh_components.trust.source import Certificate, Place, Wanted
from mesh_components.trust.vault_client import Vault
from mesh_components.trust.verified import checked, parts, verified

_SIGNED = ("request", "path", "body", "namespace", "root", "purpose")
"""What makes another certificate when it changes. Another address, login or timeout does not."""

_KEPT = (*_SIGNED, "address")


class VaultCertificates(ResourceProvider):
    """Has requests signed. Has no state of its own; the engine finds it by its name."""

    serialize_as_secret_always = False
    """What the engine keeps of it is the name of this class."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Have it signed."""
        outputs = _sign(props)
        return CreateResult(str(outputs["serial"]), outputs)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Nothing is ever replaced: the new certificate goes into the same `cacerts`."""
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in _SIGNED), replaces=[])

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Have it signed again."""
        return UpdateResult(_sign(_news))


def _sign(props: dict[str, Any]) -> dict[str, Any]:
    """What is recorded: no login among it."""
    vault = Vault(props["address"], props.get("namespace"), props.get("ca"), float(props["timeout"]))
    # Pulumi's numbers are floats, and Vault takes no 0.0 for a path length.
    said = {key: int(value) if isinstance(value, float) else value for key, value in props["body"].items()}
    body = {**said, "csr": props["request"]}
    answer = vault.post(props["path"], body, vault.token(props["login"])).get("data") or {}
    others = [*(answer.get("ca_chain") or []), answer.get("issuing_ca") or ""]
    who = f"Vault {props['address']} {props['path']}"
    expected = Expected(props["trustDomain"], props["rootNamespace"])
    certificate, chain = str(answer.get("certificate", "")), "\n".join(map(str, others))
    made = verified(certificate, chain, props["root"], props["purpose"], who, expected)
    return {
        **{key: props.get(key) for key in _KEPT},
        "certificate": made.certificate,
        "above": made.above,
        "expires": made.expires,
        "serial": str(answer.get("serial_number") or "unknown"),
    }


class VaultCertificate(Resource, module="trust", name="VaultCertificate"):
    """A certificate that Vault signed."""

    certificate: pulumi.Output[str]
    above: pulumi.Output[str]
    expires: pulumi.Output[str]
    serial: pulumi.Output[str]
    """Vault's serial number of it, with which it can be revoked there."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = {"certificate": None, "above": None, "expires": None, "serial": None}
        hidden = pulumi.ResourceOptions(additional_secret_outputs=["login"])
        super().__init__(VaultCertificates(), name, {**outputs, **props}, pulumi.ResourceOptions.merge(opts, hidden))


@dataclass(frozen=True)
class VaultLogin:
    """What Vault is asked with."""

    login: dict[str, Any] = field(repr=False)
    """Secret."""
    ca: str | None = None


@dataclass(frozen=True)
class VaultRoot(SigningRoot):
    """A root, or what is under it, in Vault."""

    certificate: pulumi.Output[str]
    expires: pulumi.Output[str]
    root: str
    settings: VaultSettings
    login: VaultLogin = field(repr=False)
    expected: Expected = field(default_factory=Expected)

    def sign(self, wanted: Wanted, request: pulumi.Output[str]) -> Certificate:
        """Send the request."""
        settings = self.settings
        props = {
            "address": settings.address,
            "namespace": settings.namespace,
            "ca": self.login.ca,
            "timeout": settings.timeout_seconds,
            "path": path(settings, wanted),
            "body": _body(wanted),
            "root": self.root,
            "purpose": wanted.purpose,
            "trustDomain": self.expected.trust_domain,
            "rootNamespace": self.expected.namespace,
            "login": pulumi.Output.secret(self.login.login),
            "request": request,
        }
        made = VaultCertificate(wanted.name, props, pulumi.ResourceOptions(parent=wanted.parent))
        who = f"{wanted.name}, signed by Vault {settings.address}"
        good = checked(made.certificate, made.above, self.root, wanted.purpose, who, self.expected)
        return parts(good)


def path(settings: VaultSettings, wanted: Wanted) -> str:
    """Where a request is posted to."""
    mount = settings.mount.strip("/")
    issuer = f"{mount}/issuer/{settings.issuer}" if settings.issuer else ""
    if wanted.purpose == "intermediate":
        return f"{issuer or f'{mount}/root'}/sign-intermediate"
    if settings.server_role is None:
        raise pulumi.RunError(
            f"{wanted.name}: Vault signs a server's certificate by a role; set serverRole, or eastWest.credential"
        )
    return f"{issuer or mount}/sign/{settings.server_role}"


def _body(wanted: Wanted) -> dict[str, Any]:
    """What goes with the request. Subject and names are those of the request; a role decides that by itself."""
    name, life = wanted.subject["common_name"], f"{wanted.days * 24}h"
    body: dict[str, Any] = {"common_name": name, "format": "pem", "ttl": life}
    if wanted.purpose == "intermediate":
        body |= {"use_csr_values": True, "max_path_length": 0}
    return body


@dataclass(frozen=True)
class VaultSource:
    """Makes no resource by itself."""

    settings: VaultSettings
    root: str
    login: VaultLogin = field(repr=False)
    expected: Expected = field(default_factory=Expected)

    def __call__(self, _place: Place) -> VaultRoot:
        """The root that the document names."""
        root = lined(self.root)
        known = pulumi.Output.from_input(root)
        return VaultRoot(known, pulumi.Output.from_input(ends(root)), root, self.settings, self.login, self.expected)
