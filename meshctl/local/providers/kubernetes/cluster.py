"""What is asked of one cluster: which path an object has, and the four requests there are about it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .absence import Absences
from .errors import ApiError
from .transport import Transport


@dataclass(frozen=True)
class Kind:
    """What discovery tells of one kind."""

    plural: str
    namespaced: bool


class Cluster:
    """One API server, with the name that messages give it and the namespace of objects that name none."""

    def __init__(self, label: str, transport: Transport, namespace: str = "default") -> None:
        self.label = label
        self.namespace = namespace
        self.request = transport.request
        self._absences = Absences(transport.request)
        self._kinds: dict[str, dict[str, Kind]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def where(self, kind: str, id_: str) -> str:
        """«cluster: Kind namespace/name», how every message begins."""
        return ": ".join(part for part in (self.label, f"{kind} {id_}") if part)

    def kind(self, api_version: str, kind: str) -> Kind | None:
        """Plural and scope, or None if the cluster does not know the kind (yet: nothing is remembered of a no)."""
        known = self._kinds.get(api_version)
        if known is not None and kind in known:
            return known[kind]
        with self._lock:
            lock = self._locks.setdefault(api_version, threading.Lock())
        with lock:  # one thread asks, the others wait for its answer
            again = self._kinds.get(api_version)
            if again is known or again is None or kind not in again:
                again = self._kinds[api_version] = self._discover(api_version)
        return again.get(kind)

    def _discover(self, api_version: str) -> dict[str, Kind]:
        try:
            _, answer = self.request("GET", _root(api_version))
        except ApiError as error:
            if error.code == 404:
                return {}
            raise
        return {
            item["kind"]: Kind(item["name"], bool(item["namespaced"]))
            for item in answer.get("resources") or ()
            if "/" not in item["name"]
        }

    def path(self, api_version: str, kind: Kind, namespace: str, name: str) -> str:
        """The path of one object. Names of RBAC objects hold colons, so all parts are quoted."""
        inside = f"/namespaces/{quote(namespace or self.namespace, safe='')}" if kind.namespaced else ""
        return f"{_root(api_version)}{inside}/{kind.plural}/{quote(name, safe='')}"

    def get(self, path: str) -> dict[str, Any] | None:
        """The live object, None if there is none."""
        try:
            return self.request("GET", path)[1]
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def find(self, path: str) -> dict[str, Any] | None:
        """The live object, for a plan: that there is none may be known from a list that is a moment old."""
        if self._absences.has(path):
            return None
        live = self.get(path)
        if live is None:
            self._absences.add(path)
        return live

    def apply(
        self,
        path: str,
        body: Mapping[str, Any],
        manager: str,
        *,
        dry: bool = False,
        force: bool = False,
        warn: Callable[[str], None] | None = None,
    ) -> tuple[dict[str, Any], bool]:
        """Server-side apply: the object after it, and whether it has been created by it."""
        query = {"fieldManager": manager, "fieldValidation": "Warn"}
        if dry:
            query["dryRun"] = "All"
        if force:
            query["force"] = "true"
        code, live = self.request("PATCH", path, query, body, warn)
        return live, code == 201

    def delete(self, path: str, propagation: str, uid: str = "") -> dict[str, Any] | None:
        """What is left of the object: None if it is gone already. With `uid`, another object of its name is left."""
        body: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            answer = self.request("DELETE", path, body=body)[1]
        except ApiError as error:
            if error.code == 404 or (error.code == 409 and uid and "uid" in error.message.lower()):
                return None
            raise
        return answer if answer.get("kind") != "Status" else None


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
