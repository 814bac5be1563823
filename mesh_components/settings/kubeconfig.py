"""What a kubeconfig says, read without any cluster: where the API server is and how one authenticates.

Owns the rules of istiod's own sanitizer, which refuses credentials that would run programs or read files inside of
istiod (istio/istio pkg/kube/multicluster/secretcontroller.go, `PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mesh_components.settings.cluster import KubeconfigSettings

REFUSED_BY_ISTIOD = {
    "exec": "exec",
    "tokenFile": "tokenFile",
    "client-certificate": "clientCertificate",
    "client-key": "clientKey",
}
"""Keys of a kubeconfig user and the name istiod has for them."""

_NOT_YAML = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError)
"""What PyYAML raises on bad input: its own errors, and whatever its constructors of dates and numbers stumble over."""

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


def load(
    source: KubeconfigSettings, *, folder: Path, secret: Callable[[str], str | None], environment: Mapping[str, str]
) -> Kubeconfig:
    """Read the kubeconfig that `source` names.

    Args:
        source: which file, environment variable or secret stack setting.
        folder: where relative paths start.
        secret: gives the value of a secret stack setting, None where it is not set.
        environment: the environment variables.

    Raises:
        KubeconfigError: in words for the user, without any of the contents.
    """
    if source.file is not None:
        contents = _read(folder, source.file)
    elif source.environment is not None:
        contents = environment.get(source.environment, "")
        if not contents:
            raise KubeconfigError(f"the environment variable {source.environment} is not set")
    elif source.secret is not None:
        contents = secret(source.secret) or ""
        if not contents:
            raise KubeconfigError(f"the secret stack setting {source.secret} is not set")
    else:
        raise KubeconfigError("no file, environment variable or secret stack setting is named")
    return read(contents, source.context)


def read(contents: str, context: str | None = None) -> Kubeconfig:
    """Parse the contents of a kubeconfig and pick a context. Raises KubeconfigError."""
    try:
        document = yaml.safe_load(contents)
    except _NOT_YAML:
        raise KubeconfigError("the kubeconfig is neither YAML nor JSON") from None
    if not isinstance(document, Mapping) or not isinstance(document.get("clusters"), list):
        raise KubeconfigError("this is no kubeconfig: it has no list of clusters")
    chosen = context or document.get("current-context")
    if not chosen or not isinstance(chosen, str):
        raise KubeconfigError("the kubeconfig has no current context, and the document names none")
    words = f"context {context!r}" if context else "current context"
    entry = _named(document, "context", chosen, f"the {words} is not in the kubeconfig")
    cluster = _named(document, "cluster", entry.get("cluster"), f"the cluster of the {words} is not in the kubeconfig")
    user = _named(document, "user", entry.get("user"), f"the user of the {words} is not in the kubeconfig")
    server = cluster.get("server")
    if not server or not isinstance(server, str):
        raise KubeconfigError(f"the cluster of the {words} has no server")
    return Kubeconfig(
        contents=contents,
        context=chosen,
        server=server,
        refused=refused(user),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
    )


def refused(user: Mapping[str, Any]) -> tuple[str, ...]:
    """What istiod refuses of a kubeconfig's user, in istiod's words."""
    found = [name for key, name in REFUSED_BY_ISTIOD.items() if user.get(key)]
    provider = user.get("auth-provider")
    name = str(provider.get("name")) if isinstance(provider, Mapping) else ""
    return (*found, name) if name in REFUSED_AUTH_PROVIDERS else tuple(found)


def process_environment() -> Mapping[str, str]:
    """The environment of this process; apart, so that everything else takes it as an argument."""
    return os.environ


def _read(folder: Path, file: str) -> str:
    path = folder / file
    try:
        path = folder / Path(file).expanduser()
        return path.read_text()
    except FileNotFoundError:
        raise KubeconfigError(f"there is no file {path}") from None
    except (OSError, ValueError, RuntimeError) as error:  # no permission, not text, nobody's home folder
        raise KubeconfigError(f"{path} cannot be read: {error.__class__.__name__}") from None


def _named(document: Mapping[str, Any], word: str, name: object, missing: str) -> Mapping[str, Any]:
    """The entry of that name in the list of `word`s. No message quotes a name: it is part of the contents."""
    entries = document.get(f"{word}s")
    for item in entries if isinstance(entries, list) else ():
        if isinstance(item, Mapping) and item.get("name") == name and isinstance(item.get(word), Mapping):
            found: Mapping[str, Any] = item[word]
            return found
    raise KubeconfigError(missing)
