"""What a kubeconfig says, read without any cluster: where the API server is and how one authenticates.

Owns the rules of istiod's own sanitizer, which refuses credentials that would run programs or read files inside of istiod
(istio/istio pkg/kube/multicluster/secretcontroller.go, `PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS`).
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
        contents = _read(folder / Path(source.file).expanduser())
    elif source.environment is not None:
        contents = environment.get(source.environment, "")
        if not contents:
            raise KubeconfigError(f"the environment variable {source.environment} is not set")
    else:
        contents = secret(source.secret or "") or ""
        if not contents:
            raise KubeconfigError(f"the secret stack setting {source.secret} is not set")
    return read(contents, source.context)


def read(contents: str, context: str | None = None) -> Kubeconfig:
    """Parse the contents of a kubeconfig and pick a context. Raises KubeconfigError."""
    try:
        document = yaml.safe_load(contents)
    except yaml.YAMLError:
        raise KubeconfigError("the kubeconfig is neither YAML nor JSON") from None
    if not isinstance(document, Mapping) or not isinstance(document.get("clusters"), list):
        raise KubeconfigError("this is no kubeconfig: it has no list of clusters")
    chosen = context or document.get("current-context")
    if not chosen:
        raise KubeconfigError("the kubeconfig has no current context, and the document names none")
    entry = _named(document, "contexts", str(chosen), "context")
    cluster = _named(document, "clusters", str(entry.get("cluster")), "cluster")
    user = _named(document, "users", str(entry.get("user")), "user")
    if not cluster.get("server"):
        raise KubeconfigError(f"the cluster of context {chosen!r} has no server")
    return Kubeconfig(
        contents=contents,
        context=str(chosen),
        server=str(cluster["server"]),
        refused=refused(user),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
    )


def refused(user: Mapping[str, Any]) -> tuple[str, ...]:
    """What istiod refuses of a kubeconfig's user, in istiod's words."""
    found = [name for key, name in REFUSED_BY_ISTIOD.items() if user.get(key)]
    provider = str((user.get("auth-provider") or {}).get("name", ""))
    return (*found, provider) if provider in REFUSED_AUTH_PROVIDERS else tuple(found)


def process_environment() -> Mapping[str, str]:
    """The environment of this process; apart, so that everything else takes it as an argument."""
    return os.environ


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        raise KubeconfigError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"{path} cannot be read: {error.__class__.__name__}") from None


def _named(document: Mapping[str, Any], kind: str, name: str, word: str) -> Mapping[str, Any]:
    for item in document.get(kind) or ():
        if isinstance(item, Mapping) and item.get("name") == name:
            return item.get(word) or {}
    raise KubeconfigError(f"the kubeconfig has no {word} named {name!r}")
