"""HTTP to one API server: the official client's authentication, TLS and connection pools, with raw JSON on top.

The typed models of the official client are left out on purpose: they cost more per object than the request itself, know
no custom resource, and drop fields that are newer than they are. The client is imported at the first request (0.7 s).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from mesh_components.kubernetes.official import LOADING
from mesh_components.settings.kubeconfig import document
from meshctl.local.model import Unreachable

from .errors import ApiError

POOL = 32
TOKEN_SECONDS = 1.0
"""How long a token is used before the client is asked for it again; it renews them minutes before they expire."""


@dataclass(frozen=True)
class Patience:
    """How long one request is waited for, and how often it is sent again."""

    connect: float = 5.0
    read: float = 60.0
    pauses: tuple[float, ...] = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
    """Seconds before each further try; none: one try."""


JSON = "application/json"
APPLY = "application/apply-patch+yaml"


def looks_like_path(kubeconfig: str) -> bool:
    """Whether the provider's `kubeconfig` names a file: contents span lines, or are one map of YAML or JSON."""
    text = kubeconfig.strip()
    return bool(text) and "\n" not in text and not text.startswith("{") and "clusters:" not in text


def check_given(where: str, kubeconfig: Any) -> None:
    """Raise unless there is a kubeconfig: without one, objects would go to whatever cluster kubectl points at."""
    if kubeconfig is None:
        what = "has no kubeconfig"
    elif kubeconfig == {} or (isinstance(kubeconfig, str) and not kubeconfig.strip(" \t\r\n:")):
        what = "has an empty kubeconfig"
    else:
        return
    raise Unreachable(
        f"{where}: its provider {what}, and the one that kubectl uses is not taken instead; fix: give the provider the"
        " contents of the cluster's kubeconfig, or its path"
    )


def _loader(kubeconfig: Any, context: str | None) -> Any:
    from kubernetes.config import kube_config as module

    kube_config: Any = module

    if isinstance(kubeconfig, Mapping):
        return kube_config.KubeConfigLoader(config_dict=dict(kubeconfig), active_context=context)
    text = str(kubeconfig)
    if looks_like_path(text):
        # Several paths joined by ":" are as good as one here: the client merges them.
        names = ":".join(str(Path(part).expanduser()) for part in text.strip().split(":") if part)
        return kube_config._get_kube_config_loader(filename=names, active_context=context, persist_config=False)
    return kube_config.KubeConfigLoader(config_dict=deepcopy(document(text)), active_context=context)


def _load(kubeconfig: Any, context: str | None, configuration: Any) -> None:
    loader = _loader(kubeconfig, context)
    loader.load_and_set(configuration)
    user = getattr(loader, "_user", None) or {}
    if "exec" in user and not configuration.api_key and not configuration.cert_file:
        # The client only logs it, and would go on as nobody.
        raise NoCredentialsError(f"its exec plugin {user['exec']['command']!r} gives no credentials")


class NoCredentialsError(Exception):
    """An exec plugin that is not installed, or not logged in."""


def _without_contents(error: Exception) -> str:
    """In words if they are only names: a YAML error quotes the lines around it, and those may be credentials."""
    name = type(error).__name__
    return str(error) if name in ("ConfigException", "NoCredentialsError") else name


class Transport:
    """Requests to one API server, from many threads. Every request of ours can be repeated safely, so it is."""

    def __init__(
        self, where: str, kubeconfig: Any, context: str | None = None, patience: Patience = Patience()
    ) -> None:
        self._where = where
        self._patience = patience
        self._kubeconfig = kubeconfig
        self._context = context
        self._lock = threading.Lock()
        self._configuration: Any = None
        self._host = ""
        self._pools: Any = None
        self._timeout: Any = None
        self._token: str | None = None
        self._token_until = 0.0
        self._reached = False
        self._gone = False
        """It has answered, and then not for as long as a request is repeated."""
        self._failure: Unreachable | None = None
        self.date = ""
        """The clock of the API server, as its last answer had it (RFC 9110, `Date`)."""

    @property
    def server(self) -> str:
        """Where the API server is; empty before the first request."""
        return self._host

    def configuration(self) -> Any:
        """The official client's own, for what is no plain request, such as `exec`. Raises Unreachable."""
        if self._pools is None:
            self._connect()
        if self._failure is not None:
            raise self._failure
        return self._configuration

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        warn: Callable[[str], None] | None = None,
        accept: str = JSON,
    ) -> tuple[int, dict[str, Any]]:
        """Status code and JSON of the answer. Raises ApiError, or Unreachable if there is no answer.

        `warn` is told what the API server wants its user to know (a field that it does not know and leaves out).
        """
        if self._pools is None:
            self._connect()
        if self._failure is not None:  # hundreds of resources need not each find out by a timeout of their own
            raise self._failure
        target = f"{path}?{urlencode(query)}" if query else path
        payload = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        pauses = self._patience.pauses
        for pause in (*pauses, None):
            try:
                return self._once(method, target, payload, warn, accept)
            except ApiError as error:
                if pause is None or not error.temporary:
                    raise
                time.sleep(max(pause, min(error.retry_after, 10.0)))
            except OSError as error:
                self._lost(error, first=pauses != () and pause == pauses[0], last=pause is None)
                time.sleep(pause or 0)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def text(self, path: str) -> str:
        """The body of an answer that is no JSON, such as metrics; asked for once. Raises ApiError, or OSError if there
        is no answer."""
        if self._pools is None:
            self._connect()
        if self._failure is not None:
            raise self._failure
        answer = self._send("GET", path, None, "*/*")
        text: str = answer.data.decode(errors="replace")
        if answer.status >= 400:
            raise ApiError(answer.status, {"message": text[:200]})
        return text

    def _once(
        self, method: str, target: str, payload: bytes | None, warn: Callable[[str], None] | None, accept: str
    ) -> tuple[int, dict[str, Any]]:
        answer = self._send(method, target, payload, accept)
        raw = answer.data
        try:
            parsed = json.loads(raw) if raw else {}
        except ValueError:
            parsed = {"message": raw[:200].decode(errors="replace")}
        if answer.status >= 400:
            raise ApiError(answer.status, parsed if isinstance(parsed, dict) else {})
        if warn is not None and (warning := answer.headers.get("Warning")):
            warn(warning.removeprefix("299 - "))
        return answer.status, parsed

    def _send(self, method: str, target: str, payload: bytes | None, accept: str) -> Any:
        from urllib3.exceptions import HTTPError

        headers = {"Accept": accept, "User-Agent": "mesh"}
        if method == "PATCH":
            headers["Content-Type"] = APPLY
        elif payload is not None:
            headers["Content-Type"] = JSON
        if token := self._current_token():
            headers["authorization"] = token
        url = self._host + target
        try:
            # Not by the client's own wrapper, which costs as much again as the request.
            answer = self._pools.urlopen(method, url, headers=headers, body=payload, timeout=self._timeout)
        except HTTPError as error:
            raise ConnectionError(_words(error)) from error
        self._reached, self._gone = True, False
        self.date = answer.headers.get("Date", "")
        return answer

    def _current_token(self) -> str | None:
        # Under a lock: the client asks an exec plugin again when its token is about to expire.
        with self._lock:
            if (now := time.monotonic()) >= self._token_until:
                token = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
                self._token, self._token_until = str(token) if token else None, now + TOKEN_SECONDS
            return self._token

    def _lost(self, error: OSError, *, first: bool, last: bool) -> None:
        """A server that has answered before is given time to come back, once; one that never has, one try more."""
        if not self._gone and (first or (self._reached and not last)):
            return
        self._gone = self._reached
        failure = Unreachable(
            f"{self._where}: the API server {self._host} does not answer: {error}; fix: see that it runs"
            " and that this machine reaches it (VPN, proxy, authorized networks), or correct the kubeconfig"
        )
        if not self._reached:
            self._failure = failure
        raise failure from error

    def _connect(self) -> None:
        with self._lock:
            if self._pools is not None or self._failure is not None:
                return
            try:
                check_given(self._where, self._kubeconfig)
            except Unreachable as failure:
                self._failure = failure
                raise
            with LOADING:
                import urllib3
                from kubernetes.client import rest
                from kubernetes.client.configuration import Configuration

            configuration = Configuration()
            configuration.connection_pool_maxsize = POOL
            configuration.retries = False
            try:
                with LOADING:
                    _load(self._kubeconfig, self._context, configuration)
                pools = rest.RESTClientObject(configuration).pool_manager
            except Exception as error:  # the client raises whatever the YAML or a file gave it
                self._failure = Unreachable(
                    f"{self._where}: the kubeconfig cannot be used: {_without_contents(error)}; fix: give the"
                    " contents of a kubeconfig, or the path of one that exists, and a context that is in it"
                )
                raise self._failure from error
            self._configuration, self._host = configuration, str(configuration.host)
            self._timeout = urllib3.Timeout(connect=self._patience.connect, read=self._patience.read)
            self._pools = pools


def _words(error: Exception) -> str:
    """Of urllib3's nested exceptions the innermost says what happened, without the object addresses."""
    inner: BaseException = error
    while (reason := getattr(inner, "reason", None) or inner.__cause__) and isinstance(reason, BaseException):
        inner = reason
    text = str(inner)
    return text.rsplit(">: ", 1)[-1].removeprefix("HTTPSConnection").strip() or type(inner).__name__
