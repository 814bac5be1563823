"""HTTP to IBM Cloud: a token for an API key, and what is asked of its Kubernetes Service. No Pulumi; no message has a
key or a token.

Paths and bodies are those of IBM's own client (https://github.com/IBM-Cloud/bluemix-go, `api/container`), tokens those
of https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

TRIES = 6
TIMEOUT = 60.0
_LONGEST_WAIT = 60.0
_LONGEST_QUOTE = 300
_MARGIN = 300
"""Seconds before its end at which a token is not used any more."""
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _THROTTLED, _SERVER_ERROR = 401, 403, 404, 409, 429, 500

pause = time.sleep


class IbmError(RuntimeError):
    """IBM Cloud did not do what it was asked. Says where, what, why and what to do."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

    @property
    def no_rights(self) -> bool:
        """Whether it is the key that is refused."""
        return self.status in (_UNAUTHORIZED, _FORBIDDEN)


class UnsureError(IbmError):
    """Nobody knows whether it was done: look before it is asked again."""


@dataclass
class Ibm:
    """IBM Cloud, as a client with one API key sees it."""

    key: str = field(repr=False)
    iam: str
    containers: str
    resource_group: str | None = None
    timeout: float = TIMEOUT
    _token: str = field(default="", repr=False)
    _ends: float = 0

    @property
    def account(self) -> str:
        """The account that the key belongs to, as the token says it."""
        body = self._bearer().split(".")[1]
        found: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return str(found["account"]["bss"])

    def get(self, path: str, **query: str) -> Any:
        """Ask; None where there is no such thing."""
        try:
            return self._ask("GET", f"{path}?{urlencode(query)}")
        except IbmError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def post(self, path: str, body: Mapping[str, Any], *, once: bool = False) -> Any:
        """Have something done. With `once`, what may have been done is not asked again: raises UnsureError."""
        return self._ask("POST", path, body, once=once)

    def delete(self, path: str) -> None:
        """Have something deleted; nothing there is success."""
        try:
            self._ask("DELETE", path)
        except IbmError as error:
            if error.status != _NOT_FOUND:
                raise

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, once: bool = False) -> Any:
        renewed = False
        for turn in range(TRIES):
            headers = {"Authorization": f"Bearer {self._bearer()}", "Accept": "application/json"}
            if self.resource_group:
                headers["X-Auth-Resource-Group"] = self.resource_group
            text = None if body is None else json.dumps(body)
            if text is not None:
                headers["Content-Type"] = "application/json"
            status, found, data = self._once(method, f"{self.containers.rstrip('/')}{path}", headers, text)
            if 200 <= status < 300:
                return _read(data)
            if status == _UNAUTHORIZED and not renewed:
                # A token ends, and may be withdrawn before.
                renewed, self._token = True, ""
                continue
            if once and (status in (0, _CONFLICT) or status >= _SERVER_ERROR):
                problem = f"{_problem(status, data)}, and it may have been done all the same"
                raise UnsureError(f"{_place(method, path)}: {problem}; run again, the next run looks first", status)
            if status not in (0, _THROTTLED) and status < _SERVER_ERROR:
                raise IbmError(self._refused(method, path, status, data), status)
            if turn < TRIES - 1:
                pause(_wait(found, turn))
        raise IbmError(
            f"{_place(method, path)}: {_problem(status, data)}, asked {TRIES} times; look at "
            f"https://cloud.ibm.com/status, and run again later{self._quoted(data) if status else ''}",
            status,
        )

    def _bearer(self) -> str:
        """The token, or another one where that ends soon."""
        if self._token and time.time() < self._ends - _MARGIN:
            return self._token
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        form = urlencode({"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": self.key})
        where = f"{self.iam.rstrip('/')}/identity/token"
        for turn in range(TRIES):
            status, found, data = self._once("POST", where, headers, form)
            answer = _read(data)
            if status == 200 and isinstance(answer, Mapping) and answer.get("access_token"):
                self._token = str(answer["access_token"])
                self._ends = float(answer.get("expiration") or time.time() + float(answer.get("expires_in", 0)))
                return self._token
            if status not in (0, _THROTTLED) and status < _SERVER_ERROR:
                raise IbmError(
                    f"IBM Cloud {where}: the API key is refused ({status}){self._quoted(data)}; it was deleted, "
                    "locked, or is none: make another one with `ibmcloud iam api-key-create`, and put it where "
                    "`apiKey` says",
                    _UNAUTHORIZED,
                )
            if turn < TRIES - 1:
                pause(_wait(found, turn))
        raise IbmError(f"IBM Cloud {where}: {_problem(status, data)}, asked {TRIES} times; run again later", status)

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and contents; status 0 with a word for why where there was no answer."""
        import urllib3

        with urllib3.PoolManager(timeout=self.timeout, retries=False) as pool:
            try:
                found = pool.request(method, url, body=body, headers=dict(headers), redirect=False)
            except urllib3.exceptions.HTTPError as error:
                return 0, {}, type(error).__name__.encode()
        return found.status, found.headers, found.data

    def _refused(self, method: str, path: str, status: int, data: bytes) -> str:
        where = _place(method, path)
        if status in (_UNAUTHORIZED, _FORBIDDEN):
            return (
                f"{where}: the API key has no right to this ({status}){self._quoted(data)}; give its owner the "
                "platform role Administrator and the service role Manager for Kubernetes Service, Viewer of the "
                "resource group, and Editor of VPC Infrastructure, or use a key of somebody who has them"
            )
        return f"{where}: refused ({status}){self._quoted(data)}"

    def _quoted(self, data: bytes) -> str:
        """What the answer says of itself, as far as it may be printed."""
        answer = _read(data)
        if not isinstance(answer, Mapping):
            return ""
        said = answer.get("description") or answer.get("errorMessage") or ""
        code = answer.get("code") or answer.get("errorCode") or ""
        incident = answer.get("incidentID")
        text = f"{code} {said}".strip() + (f" (incident {incident})" if incident else "")
        plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        for secret in filter(None, (self.key, self._token)):
            plain = plain.replace(secret, "…")
        return f"; IBM says: {plain[:_LONGEST_QUOTE]}" if plain else ""


def _place(method: str, path: str) -> str:
    return f"IBM Cloud {method} {path.partition('?')[0]}"


def _problem(status: int, data: bytes) -> str:
    if status == 0:
        return f"there was no answer ({data.decode()})"
    return "there are too many requests (429)" if status == _THROTTLED else f"the answer is {status}"


def _read(data: bytes) -> Any:
    """JSON as what it says; anything else, such as an archive, as it is."""
    try:
        return json.loads(data)
    except ValueError:
        return data


def _wait(headers: Mapping[str, str], turn: int) -> float:
    asked = headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT) if asked.isdecimal() else min(2.0**turn, _LONGEST_WAIT)
