"""Kubeconfigs that peers hold, opened once each: in a large mesh every reader holds the same ones, and YAML is slow."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import yaml

from mesh_components.settings.kubeconfig import KubeconfigError, read


@dataclass(frozen=True)
class Claims:
    """What a token of a service account says of itself (https://kubernetes.io/docs/reference/access-authn-authz/)."""

    ends: datetime | None = None
    account: str = ""
    """UID of the account."""


@dataclass(frozen=True)
class Opened:
    """What a kubeconfig says, without what is secret of it."""

    error: str = ""
    """Why it cannot be read; empty where it can."""
    refused: tuple[str, ...] = ()
    """What istiod refuses of it. It could run programs here, too, so nobody uses it."""
    claims: Claims = Claims()

    @property
    def usable(self) -> bool:
        """Whether istiod would use it, and whether it may be used here."""
        return not self.error and not self.refused


@lru_cache(maxsize=512)
def opened(text: str) -> Opened:
    """Open a kubeconfig."""
    try:
        kubeconfig = read(text)
    except KubeconfigError as failure:
        return Opened(str(failure))
    return Opened(refused=kubeconfig.refused, claims=claimed(_token(text, kubeconfig.context)))


def _token(text: str, context: str) -> str:
    """Of the user of a context that is known to be there."""
    document = yaml.safe_load(text)
    (user,) = [item["context"]["user"] for item in document["contexts"] if item["name"] == context][:1]
    return next((str(item["user"].get("token", "")) for item in document["users"] if item["name"] == user), "")


def claimed(token: str) -> Claims:
    """What a token says; nothing where it is one of another kind. Nothing is verified."""
    try:
        body = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (LookupError, ValueError):
        return Claims()
    if not isinstance(said, Mapping):
        return Claims()
    bound: Any = said.get("kubernetes.io")
    account = said.get("kubernetes.io/serviceaccount/service-account.uid")
    if isinstance(bound, Mapping) and isinstance(bound.get("serviceaccount"), Mapping):
        account = bound["serviceaccount"].get("uid")
    ends = said.get("exp")
    return Claims(datetime.fromtimestamp(ends, UTC) if isinstance(ends, int | float) else None, str(account or ""))
