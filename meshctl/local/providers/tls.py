"""The `tls` package: keys, requests and certificates that live in the state alone, as pulumi-tls makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from meshctl.local.model import UNKNOWN, Applied, FieldChange, Goal, Op, Record, Step, StepError
from meshctl.local.values import differences

_KEY = "tls:index/privateKey:PrivateKey"
_REQUEST = "tls:index/certRequest:CertRequest"
_SELF_SIGNED = "tls:index/selfSignedCert:SelfSignedCert"
_SIGNED = "tls:index/locallySignedCert:LocallySignedCert"

_CERT = ("certPem", "validityStartTime", "validityEndTime")
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    _KEY: {"rsaBits": 2048, "ecdsaCurve": "P224"},
    _REQUEST: {},
    _SELF_SIGNED: {
        "earlyRenewalHours": 0,
        "isCaCertificate": False,
        "setSubjectKeyId": False,
        "setAuthorityKeyId": False,
        "readyForRenewal": False,
    },
    _SIGNED: {
        "earlyRenewalHours": 0,
        "isCaCertificate": False,
        "setSubjectKeyId": False,
        "readyForRenewal": False,
    },
}
_COMPUTED: Mapping[str, tuple[str, ...]] = {
    _KEY: (
        "privateKeyPem",
        "privateKeyPemPkcs8",
        "privateKeyOpenssh",
        "publicKeyPem",
        "publicKeyOpenssh",
        "publicKeyFingerprintMd5",
        "publicKeyFingerprintSha256",
    ),
    _REQUEST: ("certRequestPem", "keyAlgorithm"),
    _SELF_SIGNED: (*_CERT, "keyAlgorithm"),
    _SIGNED: (*_CERT, "caKeyAlgorithm"),
}
_WRITE_ONLY = ("privateKeyPemWo", "caPrivateKeyPemWo")


class TlsProvider:
    """Compares with the record alone, as there is nothing outside the state; time is the only thing that drifts."""

    cluster = ""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`now` tells when a certificate has to be renewed."""
        self._now = now

    def plan(self, goal: Goal, record: Record | None) -> Step:
        """Every change but that of `earlyRenewalHours` replaces, and so does reaching the time of renewal."""
        if goal.type not in _COMPUTED:
            message = f"the local engine knows keys, requests and certificates of tls, and not {goal.type}"
            raise StepError(message)
        fresh = {**_DEFAULTS[goal.type], **goal.inputs, **dict.fromkeys(_COMPUTED[goal.type], UNKNOWN)}
        if record is None:
            return Step(Op.CREATE, outputs=fresh)
        changes = tuple(c for c in differences(_kept(record.inputs), _kept(goal.inputs)))
        if any(change.path != "earlyRenewalHours" for change in changes):
            return Step(Op.REPLACE, changes, fresh)
        early = goal.inputs.get("earlyRenewalHours") or 0
        if self._is_due(record.outputs, early):
            due = FieldChange("readyForRenewal", False, True, "the time of renewal has come")
            return Step(Op.REPLACE, (*changes, due), fresh)
        if changes:
            return Step(Op.UPDATE, changes, {**record.outputs, "earlyRenewalHours": early})
        return Step(Op.SAME)

    def apply(self, goal: Goal, record: Record | None, step: Step) -> Applied:
        """Make a key, a request or a certificate; an update keeps it and takes over the hours only."""
        from meshctl.local.providers import tls_certs

        if record is not None and step.op is Op.UPDATE:
            return Applied(record.id, step.outputs or record.outputs)
        makers = {
            _KEY: tls_certs.private_key,
            _REQUEST: tls_certs.cert_request,
            _SELF_SIGNED: tls_certs.self_signed_cert,
            _SIGNED: tls_certs.locally_signed_cert,
        }
        inputs = {**_DEFAULTS[goal.type], **goal.inputs}
        try:
            id_, outputs = makers[goal.type](inputs, self._now())
        except (ValueError, TypeError, KeyError) as error:
            # Messages of the parser may quote what they were given, which may be a key.
            reason = str(error) if isinstance(error, tls_certs.InvalidInputError) else type(error).__name__
            message = f"{goal.type} {goal.name!r} cannot be made from its inputs: {reason}"
            raise StepError(message) from None
        return Applied(id_, {**_kept(inputs), **outputs})

    def delete(self, record: Record) -> None:
        """Do nothing: what is forgotten is gone."""

    def invoke(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 (none is known)
        """Know no functions."""
        message = f"{token} needs the Pulumi CLI"
        raise StepError(message)

    def _is_due(self, outputs: Mapping[str, Any], early: float) -> bool:
        try:
            end = datetime.fromisoformat(outputs["validityEndTime"])
        except (KeyError, ValueError, TypeError):
            return False
        return end - timedelta(hours=early) <= self._now()


def _kept(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what may be used but not be remembered."""
    return {key: value for key, value in inputs.items() if key not in _WRITE_ONLY}
