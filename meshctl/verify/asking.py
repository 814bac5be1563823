"""How the clients are asked: curl in a pod, through the API server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from mesh_components.services.helloworld import CLIENT
from meshctl.check.facts import Object
from meshctl.check.gateways import pretended
from meshctl.local.providers.kubernetes.transport import Transport

SECONDS = 5
"""For one request."""
SCRIPT = (
    'n=0; while [ $n -lt "$1" ]; do n=$((n+1)); '
    "curl -sS -m \"$2\" -w ' [%{http_code}]' \"$3\" 2>&1 | tr '\\n' ' '; echo; done"
)
"""One line a request: what came back, and the status; 000 where nothing did."""


class CannotAskError(Exception):
    """Nobody could be asked: in words for the user, why."""


class PretendedError(CannotAskError):
    """The lab says that the pod runs, and nothing runs in it."""


class Asker(Protocol):
    """Whoever has requests sent by a client."""

    def ask(self, transport: Transport, pod: Object, url: str, times: int) -> Sequence[str]:
        """One line a request, as `answers.read` wants them. Raises CannotAskError."""


class Exec:
    """By `exec`, as `kubectl exec` does it; needs the right `create pods/exec`
    (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/)."""

    def ask(self, transport: Transport, pod: Object, url: str, times: int) -> Sequence[str]:
        """Ask in one session. Raises CannotAskError."""
        if pretended(pod):
            raise PretendedError("the lab pretends its pods, and nothing runs in them")
        return run(transport, pod, ["sh", "-c", SCRIPT, "sh", str(times), str(SECONDS), url], SECONDS * times)


def run(transport: Transport, pod: Object, command: Sequence[str], seconds: float) -> Sequence[str]:
    """Lines that a command prints in the client's container. Raises CannotAskError."""
    from kubernetes.client import ApiClient, ApiException, CoreV1Api
    from kubernetes.stream import stream
    from kubernetes.stream.ws_client import ERROR_CHANNEL

    core: Any = CoreV1Api(ApiClient(transport.configuration()))
    metadata = pod["metadata"]
    try:
        session: Any = stream(
            core.connect_get_namespaced_pod_exec,
            metadata["name"],
            metadata["namespace"],
            container=CLIENT,
            command=list(command),
            stdin=False,
            stdout=True,
            stderr=True,
            tty=False,
            _preload_content=False,
        )
        session.run_forever(timeout=seconds)
        ended, status = not session.is_open(), session.read_channel(ERROR_CHANNEL)
        session.close()
    except (ApiException, OSError) as error:
        why = str(getattr(error, "reason", None) or error).partition(" -+-+- ")[0]
        raise CannotAskError(_failed(pod, why)) from error
    failure = _failure(status) if ended else f"no end after {seconds:g} s"
    if failure:
        raise CannotAskError(_failed(pod, failure))
    return str(session.read_all()).splitlines()


def _failed(pod: Object, why: str) -> str:
    return f"exec into pod {pod['metadata']['name']} failed: {why}"


def _failure(status: str) -> str:
    """What the end of a session says went wrong; empty where nothing did. It is a Status of Kubernetes, in JSON."""
    try:
        said = json.loads(status)
        return "" if said["status"] == "Success" else str(said["message"])
    except (ValueError, LookupError, TypeError):
        return status or "the session ended without a word"
