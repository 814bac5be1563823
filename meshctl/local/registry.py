"""Which provider is in charge of a resource type, and one instance of it per configured provider resource."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from meshctl.local.model import Progress, Provider, StepError

PROVIDER_PREFIX = "pulumi:providers:"
Factory = Callable[[Mapping[str, Any], str, Progress], Provider]


def _kubernetes(inputs: Mapping[str, Any], stack: str, progress: Progress) -> Provider:
    from meshctl.local.providers.helm import WithHelm
    from meshctl.local.providers.helm_release import HelmReleases
    from meshctl.local.providers.kubernetes import KubernetesProvider

    objects = KubernetesProvider(inputs, stack, progress)
    return WithHelm(objects, HelmReleases(inputs, stack, objects.cluster, progress))


def _tls(inputs: Mapping[str, Any], stack: str, progress: Progress) -> Provider:  # noqa: ARG001 (it needs no settings)
    from meshctl.local.providers.tls import TlsProvider

    return TlsProvider()


def _dynamic(inputs: Mapping[str, Any], stack: str, progress: Progress) -> Provider:  # noqa: ARG001 (it needs neither)
    from meshctl.local.providers.dynamic import DynamicProvider

    return DynamicProvider(inputs)


def _foreseen(inputs: Mapping[str, Any], stack: str, progress: Progress) -> Provider:  # noqa: ARG001 (nobody is asked)
    from meshctl.local.providers.foreseen import Foreseen

    return Foreseen()


DYNAMIC = "pulumi-python"
FACTORIES: Mapping[str, Factory] = {"gcp": _foreseen, "kubernetes": _kubernetes, DYNAMIC: _dynamic, "tls": _tls}
FORESEEN = frozenset({"gcp"})
"""Packages that are shown in a preview and never applied here."""
NEEDS_PROVIDER = frozenset({"kubernetes"})
"""Packages whose ambient default would act on whatever cluster the machine points at."""


def package(type_: str) -> str:
    """Name the package that a type or function token belongs to; that of a provider resource is the one it provides."""
    return type_.removeprefix(PROVIDER_PREFIX).partition(":")[0]


class Registry:
    """Makes providers and keeps them, by the URN of the provider resource ("" for the default one of a package)."""

    def __init__(self, stack: str, progress: Progress, factories: Mapping[str, Factory] = FACTORIES) -> None:
        """`stack` is `<project>/<stack>`, under which providers sign what they make."""
        self._stack = stack
        self._progress = progress
        self._factories = factories
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], tuple[Mapping[str, Any], Provider]] = {}

    def knows(self, type_: str) -> bool:
        """Tell whether a type can be handled here at all."""
        return package(type_) in self._factories

    def configure(self, urn: str, type_: str, inputs: Mapping[str, Any]) -> Provider:
        """Make the provider that the provider resource `urn` describes, unless it is there with the same settings."""
        key = (package(type_), urn)
        with self._lock:
            made = self._made.get(key)
            if made is None or made[0] != inputs:
                made = self._made[key] = inputs, self._factories[key[0]](inputs, self._stack, self._progress)
        return made[1]

    def get(self, type_: str, urn: str) -> Provider:
        """Return the provider in charge of a resource of type `type_` whose provider resource is `urn`."""
        name = package(type_)
        with self._lock:
            if (name, urn) in self._made:
                return self._made[name, urn][1]
        if urn:
            message = f"its provider {urn} is not there; it failed, or is missing from the state"
            raise StepError(message)
        if name not in self._factories:
            raise StepError(needs_cli(type_))
        return self.configure("", f"{PROVIDER_PREFIX}{name}", {})


def needs_cli(type_: str) -> str:
    """Say that a type is none of ours."""
    known = ", ".join(sorted(FACTORIES.keys() - FORESEEN))
    return f"{type_} needs the Pulumi CLI: the local engine knows the packages {known} and no others. Install pulumi"
