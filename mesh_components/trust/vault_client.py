"""HTTP to HashiCorp Vault: log in, have a request signed. No Pulumi; no message has a token or a key.

Paths and answers: https://developer.hashicorp.com/vault/api-docs/secret/pki#sign-intermediate,
https://developer.hashicorp.com/vault/api-docs/auth/approle#login-with-approle, …/auth/kubernetes#login; what the status
codes mean: https://developer.hashicorp.com/vault/api-docs#http-status-codes.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

_TRIES = 4
_LONGEST_WAIT = 30.0
_LONGEST_QUOTE = 300
_MOVED = {307, 308}
_BUSY = {412, 429, 472, 473, 500, 502, 503, 504}
"""Asked again: busy, starting, without a leader. A sealed Vault says so, and is not."""


class VaultError(RuntimeError):
    """Vault did not do what it was asked. Says where, what, why and what to do."""


@dataclass(frozen=True)
class Vault:
    """One Vault, as a client sees it."""

    address: str
    namespace: str | None = None
    ca: str | None = None
    """PEM of what its server certificate is checked with; the system's roots where there is none."""
    timeout: float = 15
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def token(self, login: Mapping[str, Any]) -> str:
        """The token that was given, or that a login gives: `{"token": …}` or `{"path": …, "body": …}`."""
        if login.get("token"):
            return str(login["token"]).strip()
        answer = self.post(str(login["path"]), login["body"], None)
        found = (answer.get("auth") or {}).get("client_token")
        if not found:
            raise VaultError(f"{self._place(str(login['path']))}: the answer has no token; is this a login's path?")
        return str(found)

    def post(self, path: str, body: Mapping[str, Any], token: str | None) -> Mapping[str, Any]:
        """Ask, and ask again where Vault is busy. Raises VaultError."""
        problem = ""
        for turn in range(_TRIES):
            status, headers, text = self._once(path, body, token)
            if status == 200:
                return self._answer(path, text)
            problem = "the server is not reached" if status == 0 else f"the answer is {status}"
            if status == 0:
                problem += f" ({text})"
            elif status not in _BUSY or _sealed(text):
                raise VaultError(self._refused(path, status, text, login=token is None))
            if turn < _TRIES - 1:
                self.sleep(_wait(headers, turn))
        raise VaultError(
            f"{self._place(path)}: {problem}, asked {_TRIES} times; look whether it runs, is active and can be reached"
            + _quoted(text if status else "")
        )

    def _once(self, path: str, body: Mapping[str, Any], token: str | None) -> tuple[int, Mapping[str, str], str]:
        """Status, headers and text; status 0 with a word for why where there was no answer."""
        import urllib3

        headers = {"X-Vault-Request": "true", "Content-Type": "application/json"}
        if token:
            headers["X-Vault-Token"] = token
        if self.namespace:
            headers["X-Vault-Namespace"] = self.namespace
        url = f"{self.address.rstrip('/')}/v1/{path}"
        with urllib3.PoolManager(ssl_context=self._context(), timeout=self.timeout, retries=False) as pool:
            for _ in range(3):
                try:
                    found = pool.request("POST", url, body=json.dumps(body), headers=headers, redirect=False)
                except urllib3.exceptions.SSLError:
                    raise VaultError(
                        f"{self._place(path)}: the server's certificate is not verified; name its root as `ca`, "
                        "and look whether the address has the name of the certificate"
                    ) from None
                except urllib3.exceptions.HTTPError as error:
                    return 0, {}, type(error).__name__
                if found.status not in _MOVED:
                    return found.status, found.headers, found.data.decode("utf-8", "replace")
                url = self._moved(path, url, found.headers.get("Location", ""))
        raise VaultError(f"{self._place(path)}: sent from one server to the next without an end")

    def _moved(self, path: str, url: str, location: str) -> str:
        """Standbys name the active one. The token goes there too, so not from HTTPS to HTTP."""
        target = urljoin(url, location)
        if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
            raise VaultError(
                f"{self._place(path)}: sent on to a server without HTTPS; give the active server's address"
            )
        return target

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cadata=self.ca)
        except (ssl.SSLError, ValueError):
            raise VaultError(f"{self.address}: the text named as `ca` holds no certificate in PEM") from None

    def _answer(self, path: str, text: str) -> Mapping[str, Any]:
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, Mapping):
            raise VaultError(f"{self._place(path)}: the answer is no JSON; is this the address of a Vault?")
        return answer

    def _refused(self, path: str, status: int, text: str, *, login: bool) -> str:
        where = self._place(path)
        if _sealed(text):
            return f"{where}: Vault is sealed; unseal it, and run again"
        if login:
            return f"{where}: the login was refused ({status}); look at the role, its id and the mount of the login"
        reasons = {
            403: "permission denied; the token may have expired, or its policy lacks `update` on this path",
            404: "there is no such path; look at `mount`, `issuer` and `serverRole`",
            405: "this path signs nothing; look at `mount`",
        }
        return f"{where}: {reasons.get(status, f'refused ({status})')}{_quoted(text)}"

    def _place(self, path: str) -> str:
        return f"Vault {self.address} {path}"


def _sealed(text: str) -> bool:
    return "sealed" in text.lower()


def _wait(headers: Mapping[str, str], turn: int) -> float:
    asked = headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isdecimal() else 0.5 * 2**turn


def _quoted(text: str) -> str:
    """The errors of an answer to a request that has no secret in it, as far as they may be printed."""
    try:
        errors = json.loads(text).get("errors") or []
    except (ValueError, AttributeError):
        return ""
    plain = "".join(letter if letter.isprintable() else " " for letter in "; ".join(map(str, errors)))
    said = " ".join(plain.split())[:_LONGEST_QUOTE]
    return f"; Vault says: {said}" if said else ""
