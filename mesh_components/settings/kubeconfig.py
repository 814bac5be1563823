"""What a kubeconfig says, read without any cluster: where the API server is and how one authenticates.

Owns the rules of istiod's own sanitizer, which refuses credentials that would run programs or read files inside of
istiod (istio/istio pkg/kube/multicluster/secretcontroller.go, `PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from mesh_components.settings import place
from mesh_components.settings.place import KubeconfigSettings

REFUSED_BY_ISTIOD = {
    "exec": "exec",
    "tokenFile": "tokenFile",
    "client-certificate": "clientCertificate",
    "client-key": "clientKey",
}
"""Keys of a kubeconfig user and the name istiod has for them."""

_NOT_YAML = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError)
"""What PyYAML raises on bad input: its own errors, and whatever its constructors of dates and numbers stumble over."""

WITHOUT_CREDENTIALS = "MESH_WITHOUT_CREDENTIALS"
"""Environment variable: a preview goes on without kubeconfigs that are not at hand."""

REFUSED_AUTH_PROVIDERS = frozenset({"gcp", "azure", "openstack"})


class KubeconfigError(ValueError):
    """A kubeconfig that is missing or cannot be used. Its message never quotes the contents."""


@dataclass(frozen=True)
class Kubeconfig:
    """One kubeconfig, reduced to one context."""

    contents: str = field(repr=False)
    """Secret."""
    context: str
    server: str
    refused: tuple[str, ...] = ()
    """What istiod would refuse of it, in istiod's words; empty when it may be handed to peers."""
    insecure: bool = False
    """True where the server's certificate is not verified."""
    authority_is_path: bool = False
    """True where what signs that certificate is in a file."""


def load(
    source: KubeconfigSettings, *, folder: Path, secret: place.Secrets, environment: Mapping[str, str]
) -> Kubeconfig:
    """Read the kubeconfig that `source` names. Raises KubeconfigError; its words have none of the contents.

    Args:
        source: which file, environment variable or secret stack setting, and which context of it.
        folder: where relative paths start.
        secret: gives the value of a secret stack setting.
        environment: the environment variables.
    """
    try:
        contents = place.read(source, folder=folder, secret=secret, environment=environment).decode()
    except UnicodeDecodeError:
        raise KubeconfigError("the kubeconfig cannot be read: it is no text") from None
    except place.PlaceError as error:
        raise KubeconfigError(str(error)) from None
    return read(contents, source.context)


@lru_cache(maxsize=64)
def document(contents: str) -> Any:
    """A kubeconfig as data, to be looked at and not to be changed: each is asked for several times, and YAML is slow.
    Raises what PyYAML does."""
    return yaml.safe_load(contents)


def read(contents: str, context: str | None = None) -> Kubeconfig:
    """Parse the contents of a kubeconfig and pick a context. Raises KubeconfigError."""
    try:
        found = document(contents)
    except _NOT_YAML:
        raise KubeconfigError("the kubeconfig is neither YAML nor JSON") from None
    if not isinstance(found, Mapping) or not isinstance(found.get("clusters"), list):
        raise KubeconfigError("this is no kubeconfig: it has no list of clusters")
    chosen = context or found.get("current-context")
    if not chosen or not isinstance(chosen, str):
        raise KubeconfigError("the kubeconfig has no current context, and the document names none")
    words = f"context {context!r}" if context else "current context"
    entry = _named(found, "context", chosen, f"the {words} is not in the kubeconfig")
    cluster = _named(found, "cluster", entry.get("cluster"), f"the cluster of the {words} is not in the kubeconfig")
    user = _named(found, "user", entry.get("user"), f"the user of the {words} is not in the kubeconfig")
    server = cluster.get("server")
    if not server or not isinstance(server, str):
        raise KubeconfigError(f"the cluster of the {words} has no server")
    return Kubeconfig(
        contents=contents,
        context=chosen,
        server=server,
        refused=refused(user),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        authority_is_path=bool(cluster.get("certificate-authority") and not cluster.get("certificate-authority-data")),
    )


def only(contents: str, context: str | None = None) -> str:
    """The kubeconfig reduced to one context, so that no credentials of other clusters are handed over. Raises
    KubeconfigError."""
    chosen = read(contents, context).context
    found = document(contents)
    used = _named(found, "context", chosen, "")
    reduced = {
        "apiVersion": "v1",
        "clusters": [_entry(found, "cluster", used["cluster"])],
        "contexts": [_entry(found, "context", chosen)],
        "current-context": chosen,
        "kind": "Config",
        "preferences": {},
        "users": [_entry(found, "user", used["user"])],
    }
    return yaml.safe_dump(reduced, sort_keys=False)


def authority(contents: str) -> str | None:
    """Base64 of what signs the certificate of the current context's API server; None where public authorities do."""
    found = document(contents)
    used = _named(found, "context", read(contents).context, "")
    data = _named(found, "cluster", used["cluster"], "").get("certificate-authority-data")
    return str(data) if data else None


def refused(user: Mapping[str, Any]) -> tuple[str, ...]:
    """What istiod refuses of a kubeconfig's user, in istiod's words."""
    found = [name for key, name in REFUSED_BY_ISTIOD.items() if user.get(key)]
    provider = user.get("auth-provider")
    name = str(provider.get("name")) if isinstance(provider, Mapping) else ""
    return (*found, name) if name in REFUSED_AUTH_PROVIDERS else tuple(found)


def stand_in(number: int) -> Kubeconfig:
    """For a preview of a cluster whose kubeconfig is not at hand: a server that nobody can be (RFC 6761), and no
    credentials."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "none", "cluster": {"server": f"https://cluster{number}.invalid"}}],
        "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
        "current-context": "none",
        "users": [{"name": "none", "user": {}}],
    }
    return read(json.dumps(document))


def process_environment() -> Mapping[str, str]:
    """The environment of this process; apart, so that everything else takes it as an argument."""
    return os.environ


def _entry(document: Mapping[str, Any], word: str, name: str) -> Mapping[str, Any]:
    return {"name": name, word: _named(document, word, name, "")}


def _named(document: Mapping[str, Any], word: str, name: object, missing: str) -> Mapping[str, Any]:
    """The entry of that name in the list of `word`s. No message quotes a name: it is part of the contents."""
    entries = document.get(f"{word}s")
    for item in entries if isinstance(entries, list) else ():
        if isinstance(item, Mapping) and item.get("name") == name and isinstance(item.get(word), Mapping):
            found: Mapping[str, Any] = item[word]
            return found
    raise KubeconfigError(missing)
