"""A small client of one API server, for the lab's own needs: JSON over HTTPS, and watches.

The official client takes 0.7 s to import, and turns every event of a watch into typed objects that nobody here needs.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import urllib3
import yaml

Object = dict[str, Any]
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 30.0
WATCH_SECONDS = 60
"""The API server ends a watch after this time; the list that follows mends what was missed for whatever reason."""


class ApiError(Exception):
    """The API server answered, and the answer was no."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        super().__init__(f"{method} {path}: {status} {body[:300]}")
        self.status = status


Unreachable = (urllib3.exceptions.HTTPError, OSError)
"""The API server did not answer, or stopped in the middle of it."""


class Listed(NamedTuple):
    """The answer to a list."""

    items: list[Object]
    version: str


class Api:
    """Talks to the cluster of a kubeconfig as the lab writes them. Safe to use from several threads."""

    def __init__(self, kubeconfig: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        cluster = document["clusters"][0]["cluster"]
        self._server: str = cluster["server"]
        self._headers = {"Authorization": f"Bearer {document['users'][0]['user']['token']}"}
        self._pool = urllib3.PoolManager(
            ca_cert_data=base64.b64decode(cluster["certificate-authority-data"]).decode(), retries=False, maxsize=8
        )

    def get(self, path: str, accept: str = "application/json") -> Object:
        """Read one object or a list, in the form that is asked for."""
        answer: Object = json.loads(self.request("GET", path, accept=accept))
        return answer

    def apply(self, path: str, body: Object) -> None:
        """Server-side apply as `mesh-lab`: what is equal already is left alone."""
        self.request("PATCH", f"{path}?fieldManager=mesh-lab&force=true", body, APPLY)

    def request(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        content: str = "application/json",
        accept: str = "application/json",
    ) -> bytes:
        """One request and the body of its answer; raises `ApiError` or one of `Unreachable`."""
        answer = self._pool.request(
            method,
            self._server + path,
            body=None if body is None else json.dumps(body).encode(),
            headers={**self._headers, "Content-Type": content, "Accept": accept},
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS),
        )
        if answer.status >= 300:
            raise ApiError(method, path, answer.status, answer.data.decode(errors="replace"))
        return answer.data

    def list(self, path: str) -> Listed:
        """All objects as they are, and the version to watch from."""
        answer = self.get(path)
        return Listed(answer["items"], answer["metadata"]["resourceVersion"])

    def watch(self, path: str, version: str) -> Iterator[tuple[str, Object]]:
        """What happens after `version`, until the API server ends the watch, which it does now and then."""
        query = f"watch=1&resourceVersion={version}&timeoutSeconds={WATCH_SECONDS}"
        answer = self._pool.request(
            "GET",
            f"{self._server}{path}?{query}",
            headers=self._headers,
            preload_content=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=WATCH_SECONDS + ANSWER_SECONDS),
        )
        try:
            for line in _lines(answer):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]
        finally:
            answer.close()


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Whole lines as soon as they are there; `read1` does not wait for more than what has come."""
    rest = b""
    while chunk := answer.read1():
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
