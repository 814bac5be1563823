"""What is not there, without asking for each object: hundreds of new ones would be hundreds of requests for nothing.

Only a no is taken from a list. What a list names is asked for itself, and what came after the list is found by the
apply, which tells an object that it has not made; so a list of the last seconds is as good as a request of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .errors import ApiError

SECONDS = 5.0
"""How long a list is believed: a run of hundreds of objects makes few lists, and looks again soon after it."""
FEW = 2
"""So many objects of a collection that are not there make a list of it worth its while."""
LIMIT = "500"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"


@dataclass
class _Collection:
    misses: int = 0
    names: frozenset[str] = frozenset()
    until: float = 0.0
    refused: bool = False
    """Who may read an object need not be one who may list its kind; and a long list is no saving."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Absences:
    """What the collections of one API server lack."""

    def __init__(self, request: Callable[..., tuple[int, dict[str, Any]]]) -> None:
        self._request = request
        self._collections: dict[str, _Collection] = {}
        self._lock = threading.Lock()

    def has(self, path: str) -> bool:
        """Whether the object of that path is known not to be there; if not, ask for it."""
        one, name = self._of(path)
        if one.misses < FEW or one.refused:
            return False
        with one.lock:  # one thread lists, the others wait for its answer
            if (now := time.monotonic()) >= one.until and not one.refused:
                self._list(path.rpartition("/")[0], one)
                one.until = now + SECONDS
            return not one.refused and name not in one.names

    def add(self, path: str) -> None:
        """Count an object that was asked for and is not there."""
        self._of(path)[0].misses += 1

    def _of(self, path: str) -> tuple[_Collection, str]:
        collection, _, name = path.rpartition("/")
        with self._lock:
            return self._collections.setdefault(collection, _Collection()), unquote(name)

    def _list(self, collection: str, one: _Collection) -> None:
        try:
            _, answer = self._request("GET", collection, {"limit": LIMIT}, accept=METADATA)
        except ApiError:
            one.refused = True
            return
        one.refused = bool(answer.get("metadata", {}).get("continue"))
        one.names = frozenset(item["metadata"]["name"] for item in answer.get("items") or ())
