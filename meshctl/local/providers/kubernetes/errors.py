"""What can go wrong between us and an API server, and its words.

A `Status` of the API server says what is wrong but not where in the user's world, nor what to do; `explain` adds both.
422 messages echo the values they refuse, so for objects that hold secrets the server's words are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

CONFLICT_CAUSE = "FieldManagerConflict"

_MANAGER = re.compile(r'conflict with "([^"]*)"')
_WEBHOOK = re.compile(r'failed calling webhook "([^"]*)"')
_IMMUTABLE = re.compile(
    r"immutable|may not change once set|cannot change roleRef|may not be changed"
    r"|updates to \S+ spec for fields other than",
    re.IGNORECASE,
)
_MALFORMED = re.compile(r"typed patch object|field not declared|failed to convert new object|unable to convert")

_FIXES = {
    401: "renew the credentials in the kubeconfig of this cluster",
    403: "give the kubeconfig's user the right to do this (kubectl auth can-i --list), or use another user",
    404: "create what is missing first (depends_on), or check apiVersion, kind and namespace",
    409: "run again; if it stays, look at the object's managedFields for who else writes it",
}


class ApiError(Exception):
    """An answer of the API server that is not a success. `details` is that of its `Status`."""

    def __init__(self, code: int, status: Mapping[str, Any]) -> None:
        self.code = code
        self.reason = str(status.get("reason") or "")
        self.message = str(status.get("message") or self.reason or code)
        details = status.get("details")
        self.details: Mapping[str, Any] = details if isinstance(details, dict) else {}
        self.retry_after = float(self.details.get("retryAfterSeconds") or 0)
        super().__init__(f"{code}: {self.message}")

    @property
    def conflicts(self) -> list[tuple[str, str]]:
        """The fields that other managers own, each with the manager, as a refused server-side apply lists them."""
        found = []
        for cause in self.details.get("causes") or ():
            if cause.get("reason", cause.get("type")) == CONFLICT_CAUSE:
                manager = _MANAGER.search(cause.get("message", ""))
                found.append((str(cause.get("field", "")), manager.group(1) if manager else "another manager"))
        return found

    @property
    def webhook(self) -> str:
        """The admission webhook that could not be asked, "" if that is not what went wrong.

        A webhook that was asked and said no is not meant: trying again will not change its mind.
        """
        called = _WEBHOOK.search(self.message)
        if called:
            return called.group(1)
        return "no endpoints" if "no endpoints available for service" in self.message else ""

    @property
    def no_dry_run(self) -> bool:
        """Whether only the dry run is refused: to who may read and not write, or by a webhook with side effects."""
        return self.code == 403 or "does not support dry run" in self.message

    @property
    def immutable(self) -> bool:
        """Whether the API server refuses because a field can only be set at creation."""
        return self.code == 422 and bool(_IMMUTABLE.search(self.message))

    @property
    def malformed(self) -> bool:
        """Whether the object does not fit its schema. Server-side apply answers so with 400, 422 or, mostly, 500."""
        return self.code in (400, 422) or (self.code == 500 and bool(_MALFORMED.search(self.message)))

    @property
    def missing_namespace(self) -> bool:
        """Whether the namespace is what is not there."""
        return self.code == 404 and self.details.get("kind") in ("namespaces", "Namespace")

    @property
    def temporary(self) -> bool:
        """Whether the same request can succeed a moment later, with nobody doing anything about it."""
        if self.webhook:
            return False  # waits longer than a moment, and tells so: see applying.py
        if self.code == 409:
            return "the object has been modified" in self.message
        if self.code == 500:  # an apply that does not fit the schema is answered so, too
            return not self.malformed
        return self.code in (429, 502, 503, 504)


def explain(where: str, error: ApiError, *, secret: bool = False) -> str:
    """`where` is «cluster: Kind namespace/name». With `secret`, the server's words could hold values: left out."""
    message = error.message
    if secret and error.malformed:
        fields = ", ".join(str(cause.get("field", "")) for cause in error.details.get("causes") or ())
        message = f"the API server refuses {fields or 'a value'} (its words are left out: they may hold secret values)"
    return f"{where}: {error.code}: {message}; fix: {_fix(error)}"


def _fix(error: ApiError) -> str:
    if error.webhook:
        return "see that the webhook's Service has ready pods, or remove its webhook configuration if it is a leftover"
    if error.missing_namespace:
        return f"create the namespace {error.details.get('name', '')} first (depends_on)"
    if error.malformed:
        return "correct the field that the API server names" if error.code != 500 else "correct what the schema refuses"
    return _FIXES.get(error.code, "run again; if it stays, look at the API server's log")
