"""Posts a file as a comment of a pull request, or updates the comment that an earlier run has posted for the stack.

Reads GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN, NUMBER and STACK. A comment is ours if it begins with the marker
and a bot wrote it: a person who copies the marker gets no comment of theirs overwritten. Needs Python alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIMIT = 65_536
_PAGE = 100
_SECONDS = 30


class CommentError(Exception):
    """The API said no, or was not there."""


def marker(stack: str) -> str:
    """First line of the comment; not seen by readers. A digest, as a name could end the HTML comment."""
    return f"<!-- mesh-diff {hashlib.sha256(stack.encode()).hexdigest()[:16]} -->"


class Comments:
    """The comments of one pull request (https://docs.github.com/en/rest/issues/comments)."""

    def __init__(self, api: str, repository: str, number: int, token: str) -> None:
        self._issues = f"{api.rstrip('/')}/repos/{repository}/issues"
        self._number = number
        self._token = token

    def put(self, stack: str, text: str) -> str:
        """Post or update. Returns which of the two."""
        body = f"{marker(stack)}\n{text}"[:LIMIT]
        found = next((item for item in self._listed() if _ours(item, stack)), None)
        if found is None:
            self._request("POST", f"{self._issues}/{self._number}/comments", {"body": body})
            return "posted"
        if found.get("body") == body:
            return "unchanged"
        self._request("PATCH", f"{self._issues}/comments/{int(found['id'])}", {"body": body})
        return "updated"

    def _listed(self) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            found = self._request("GET", f"{self._issues}/{self._number}/comments?per_page={_PAGE}&page={page}")
            yield from found
            if len(found) < _PAGE:
                return
            page += 1

    def _request(self, method: str, url: str, body: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 (the API's address is that of the runner)
            url,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise CommentError(f"{method} {url}: {error.code} {error.reason}{_fix(error.code)}") from None
        except OSError as error:
            raise CommentError(f"{method} {url}: {error}; run the job again") from None


def _ours(comment: dict[str, Any], stack: str) -> bool:
    written_by = comment.get("user") or {}
    return str(comment.get("body", "")).startswith(marker(stack)) and written_by.get("type") == "Bot"


def _fix(code: int) -> str:
    if code in (401, 403, 404):
        return (
            "; give the job `permissions: {pull-requests: write}`. On a pull request from a fork the token may only "
            "read: set `comment: false`, the comparison is in the summary of the job"
        )
    return "; run the job again"


def main() -> int:
    """Returns the exit code."""
    environment = os.environ
    number = environment.get("NUMBER", "")
    if not re.fullmatch(r"[0-9]+", number):
        print(f"NUMBER is no number of a pull request: {number!r}", file=sys.stderr)  # noqa: T201
        return 1
    comments = Comments(
        environment.get("GITHUB_API_URL", "https://api.github.com"),
        environment["GITHUB_REPOSITORY"],
        int(number),
        environment["GITHUB_TOKEN"],
    )
    try:
        print(comments.put(environment["STACK"], Path(sys.argv[1]).read_text()))  # noqa: T201
    except CommentError as error:
        print(f"::error::{error}")  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
